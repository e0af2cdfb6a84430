import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { ConfigLook, EnvironmentRenewal, EnvironmentSources, PodSources, SupervisorFiles, SupervisorPaths } from "@reddwarf/node-agent"
import type { Observation, ZoneInstance } from "@reddwarf/plans"
import { ZoneName } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { existsSync, readFileSync, statSync } from "node:fs"
import * as h from "./support/harness.js"

const look = (colour: string): CoreV1.ConfigMap => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "look", namespace: "default" }, data: { colour } })
const key = (password: string): CoreV1.Secret => ({ apiVersion: "v1", kind: "Secret", metadata: { name: "key", namespace: "default" }, data: { password: Buffer.from(password).toString("base64") } })

const env: ReadonlyArray<CoreV1.EnvVar> = [
  { name: "COLOUR", valueFrom: { configMapKeyRef: { name: "look", key: "colour" } } },
  { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "key", key: "password", optional: true } } },
  { name: "TEAM", valueFrom: { fieldRef: { fieldPath: "metadata.labels['team']" } } },
  { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } }
]

describe("what the next attempt of a container is started with", () => {
  const podOf = (container: Partial<CoreV1.Container> = {}, labels: Readonly<Record<string, string>> = { team: "a" }): CoreV1.Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default", uid: "0001", labels },
    spec: { containers: [{ name: "c", image: "i", command: ["run", "$(COLOUR)"], resources: { limits: { cpu: "100m" } }, env, ...container }] }
  })
  const sourcesOf = (colour: string | undefined): PodSources.PodSources => ({
    ...PodSources.empty,
    configMaps: new Map(colour === undefined ? [] : [["look", look(colour)]]),
    secrets: new Map([["key", key("one")]])
  })
  const facts = { podIP: "10.88.0.2", hostIP: "10.0.0.1", allocatable: { cpuMillis: 1900, memoryBytes: 1024 ** 3, ephemeralStorageBytes: 0 } }
  const variables = (values: Readonly<Record<string, string>>) => Object.entries(values).map(([name, value]) => ({ name, value }))
  const first = { HOSTNAME: "p", COLOUR: "red", PASSWORD: "one", TEAM: "a", CPU: "100" }
  const handed = (changes: Partial<SupervisorFiles.ContainerSpec> = {}): SupervisorFiles.PodSpec => ({
    schema: 1,
    pod: { namespace: "default", name: "p", uid: "0001" },
    zone: ZoneName.make("default-p-1"),
    restartPolicy: "Always",
    containers: [{ name: "c", kind: "main", argv: ["run", "red"], env: variables(first), workingDirectory: "/", ...changes }],
    backOff: { initialMillis: 1, maxMillis: 1, resetMillis: 1 },
    logs: { directory: "/logs", maxBytes: 1, maxFiles: 1 },
    desired: { state: "run" },
    environment: EnvironmentSources.hashOf(podOf(), sourcesOf("red"))
  })
  const differences = (pod: CoreV1.Pod, colour: string | undefined, spec = handed()) =>
    EnvironmentRenewal.differences({ pod, facts, sources: sourcesOf(colour) }, spec)

  it("is not told while nothing differs from what was handed over", () => {
    assert.isUndefined(differences(podOf(), "red"))
  })

  it.each<readonly [string, CoreV1.Pod, string, ReadonlyArray<string>, Readonly<Record<string, string>>]>([
    ["a ConfigMap", podOf(), "blue", ["run", "blue"], { ...first, COLOUR: "blue" }],
    ["a label", podOf({}, { team: "b" }), "red", ["run", "red"], { ...first, TEAM: "b" }],
    ["a bound", podOf({ resources: { limits: { cpu: "250m" } } }), "red", ["run", "red"], { ...first, CPU: "250" }]
  ])("is what it is by now, after a change of %s", (_, pod, colour, argv, values) => {
    assert.deepStrictEqual(differences(pod, colour)?.containers, [{ type: "started", name: "c", argv: ["run", ...argv.slice(1)], env: variables(values) }])
  })

  it("is nothing while something is missing, and belongs to the processes of then", () => {
    const found = differences(podOf(), undefined, { ...handed(), generation: "2" })
    assert.strictEqual(found?.generation, "2")
    assert.deepStrictEqual(found?.containers, [{ type: "missing", name: "c", message: `configmap "look" not found` }])
  })

  it("is looked at shortly before a container that waits is started", () => {
    const dueIn = (state: Partial<SupervisorFiles.ContainerState>, pod = podOf()) =>
      EnvironmentRenewal.dueIn(pod, { state: Option.some({ schema: 1, uid: "0001", containers: [{ ...SupervisorFiles.initialContainer("c"), attempt: 2, ...state }] }) }, 100_000)
    assert.strictEqual(dueIn({ phase: "backOff", backOffUntil: 110_000 }), 9_500)
    assert.isUndefined(dueIn({ phase: "backOff", backOffUntil: 100_400 }))
    assert.isUndefined(dueIn({ phase: "running" }))
    assert.isUndefined(dueIn({ phase: "backOff", backOffUntil: 110_000 }, podOf({ env: [] })))
  })

  it("has the words of the image that was handed over, whatever image the pod names by now", () => {
    const image = { env: ["PATH=/app", "MODE=image"], entrypoint: ["/entry"], cmd: ["serve"] }
    const spec = handed({ imageID: "sha256:1", image, argv: ["/entry", "serve"], env: variables({ PATH: "/app", MODE: "image", ...first }) })
    const pod = podOf({ image: "other", command: [] })
    assert.isUndefined(differences(pod, "red", spec))
    assert.deepStrictEqual(differences(pod, "blue", spec)?.containers, [
      { type: "started", name: "c", argv: ["/entry", "serve"], env: variables({ PATH: "/app", MODE: "image", ...first, COLOUR: "blue" }) }
    ])
    const { image: _image, ...before } = spec.containers[0] ?? handed().containers[0]!
    assert.deepStrictEqual(differences(pod, "blue", { ...spec, containers: [before] })?.containers, [], "an agent that did not tell what the image says")
  })

  it("counts for what is to be done about a changed environment", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      yield* client.create(Kinds.configMap, look("blue"))
      yield* client.create(Kinds.secret, key("one"))
      const config = ConfigLook.make({
        client,
        remembered: PodSources.direct(client),
        tokens: { obtain: () => Effect.succeed(new Map()) },
        sandbox: { configurationFaults: () => Effect.succeed({ differences: [], booted: false }) }
      })
      const pod = podOf()
      const spec = handed()
      const blue = EnvironmentSources.hashOf(pod, sourcesOf("blue"))
      const instance: ZoneInstance.ZoneInstance = {
        apiVersion: "reddwarf.io/v1alpha1",
        kind: "ZoneInstance",
        metadata: { name: "p" },
        spec: { podUID: "0001", nodeName: "n1", brand: "", containers: [], specHash: "", updatePolicy: { config: "Apply" } }
      }
      const differs = (state: Partial<SupervisorFiles.ContainerState>, changes: Partial<SupervisorFiles.PodSpec> = {}) =>
        Effect.map(
          config(pod, instance, {
            spec: { ...spec, ...changes },
            state: Option.some({ schema: 1, uid: "0001", containers: [{ ...SupervisorFiles.initialContainer("c"), attempt: 0, phase: "running", ...state }] })
          }),
          (fact: Observation.Fact<Observation.ConfigFact>) => fact.known && fact.value.current !== fact.value.wanted
        )
      assert.isTrue(yield* differs({}))
      assert.isFalse(yield* differs({ attempt: 1, startedWith: { environment: blue } }), "it was started again with the values of now")
      assert.isTrue(yield* differs({ attempt: 1, startedWith: { environment: spec.environment ?? "" } }, { environment: blue }), "it runs with others than it was handed")
      assert.isTrue(yield* differs({ attempt: 1, startedWith: { environment: blue } }, { generation: "2" }), "that was another process")
      assert.isFalse(yield* differs({ phase: "finished" }, { environment: blue }))
    }).pipe(Effect.provide(FakeApi.layer()), Effect.runPromise))
})

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, Effect.zipRight(h.supervisorFiber(folders), body(folders))).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None))

const ref = (name: string) => ({ namespace: "default", name })

const stateOf = (folders: h.Directories, pod: CoreV1.Pod, name: string) =>
  Effect.map(h.podState(folders, pod), (state) => state?.containers.find((container) => container.name === name))

/** Waits until an attempt of a container has said something. */
const untilSaid = (folders: h.Directories, pod: CoreV1.Pod, name: string, text: string) =>
  h.until(`${name} to say ${text}`, Effect.map(stateOf(folders, pod, name), (state) => {
    const attempts = Array.from({ length: (state?.attempt ?? -1) + 1 }, (_, attempt) => attempt)
    return attempts.find((attempt) => h.logText(folders, pod, name, attempt) === `${text}\n`)
  }))

const backOff = { initialMillis: 200, maxMillis: 400, resetMillis: 600_000 }

const says = "echo \"$COLOUR $PASSWORD $TEAM\""
const loop = { name: "loop", command: h.sh(`${says}; exit 1`), env }

describe("a container that is started again", () => {
  it.live("has the variables of then, waits for what is missing, and what runs keeps its own", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders, { backOff })
        const client = yield* ApiClient.ApiClient
        yield* client.create(Kinds.configMap, look("red"))
        yield* client.create(Kinds.secret, key("one"))
        const draft = h.draft("web", [loop, { name: "c", command: h.sh(`${says}; until [ -e die ]; do sleep 0.1; done; rm die; exit 1`), env }])
        const pod = yield* h.createPod({ ...draft, metadata: { ...draft.metadata, labels: { team: "a" } } })
        yield* untilSaid(folders, pod, "loop", "red one a")
        const { pid } = yield* h.until("c to run", Effect.map(stateOf(folders, pod, "c"), (state) => state?.phase === "running" ? state : undefined))

        yield* client.patch(Kinds.pod, ref("web"), { metadata: { labels: { team: "b" } } }, { type: "merge" })
        yield* client.patch(Kinds.secret, ref("key"), { data: key("two").data ?? {} }, { type: "merge" })
        yield* client.patch(Kinds.configMap, ref("look"), { data: { colour: "blue" } }, { type: "merge" })
        yield* untilSaid(folders, pod, "loop", "blue two b")
        const path = SupervisorPaths.environments(folders.dataDir, pod.metadata.uid ?? "")
        assert.strictEqual(statSync(path).mode & 0o777, 0o600)
        assert.strictEqual((yield* stateOf(folders, pod, "c"))?.pid, pid)

        yield* client.delete(Kinds.configMap, ref("look"))
        const waiting = yield* h.untilPod("web", "waiting for the ConfigMap", (pod) => h.container(pod, "loop")?.state?.waiting?.reason === "CreateContainerConfigError")
        assert.strictEqual(h.container(waiting, "loop")?.state?.waiting?.message, `configmap "look" not found`)
        assert.strictEqual((yield* stateOf(folders, pod, "c"))?.pid, pid)
        yield* client.create(Kinds.configMap, look("green"))
        yield* untilSaid(folders, pod, "loop", "green two b")
      })), 60_000)

  it.live("has what was known last while there is no agent", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const agent = yield* h.agent(folders, { backOff })
        const client = yield* ApiClient.ApiClient
        yield* client.create(Kinds.configMap, look("red"))
        const pod = yield* h.createPod(h.draft("web", [loop, { name: "c", command: h.sh(`${says}; until [ -e die ]; do sleep 0.1; done; rm die; exit 1`), env }]))
        yield* untilSaid(folders, pod, "c", "red  ")
        yield* client.patch(Kinds.configMap, ref("look"), { data: { colour: "blue" } }, { type: "merge" })
        yield* untilSaid(folders, pod, "loop", "blue  ")
        yield* agent.stop
        yield* h.touchInZone(pod, "die")
        assert.strictEqual(yield* untilSaid(folders, pod, "c", "blue  "), 1)
        assert.strictEqual((yield* stateOf(folders, pod, "c"))?.startedWith?.env?.find(({ name }) => name === "COLOUR")?.value, "blue")
      })), 60_000)

  it.live("because it is not alive any more has those of that moment, and needs no file when they are as at first", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.agent(folders)
        const client = yield* ApiClient.ApiClient
        yield* client.create(Kinds.configMap, look("red"))
        const livenessProbe = { exec: { command: ["test", "!", "-e", "sick"] }, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 1 }
        const pod = yield* h.createPod(h.draft("web", [{ name: "c", command: h.sh(`rm -f sick; ${says}; while :; do sleep 0.1; done`), env, livenessProbe }]))
        yield* h.untilPod("web", "ready", h.isReady)
        const path = SupervisorPaths.environments(folders.dataDir, pod.metadata.uid ?? "")
        assert.isFalse(existsSync(path))
        const restart = (colour: string, attempt: number) =>
          Effect.gen(function*() {
            yield* client.patch(Kinds.configMap, ref("look"), { data: { colour } }, { type: "merge" })
            yield* h.touchInZone(pod, "sick")
            yield* h.until("the next attempt to speak", Effect.sync(() => h.logText(folders, pod, "c", attempt) === "" ? undefined : true))
            assert.strictEqual(h.logText(folders, pod, "c", attempt), `${colour}  \n`)
          })
        yield* restart("blue", 1)
        assert.include(readFileSync(path, "utf8"), "blue")
        yield* restart("red", 2)
        assert.isFalse(existsSync(path))
      })), 60_000)
})
