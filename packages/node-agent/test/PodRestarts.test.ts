/** What of containers is decided only while their pod runs: variables in files, restarts of all of them, ends for want of memory. */
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { Faults, SimulatedHost } from "@reddwarf/illumos-sim"
import { PodSandbox, PodVolumes, SupervisorClient, type SupervisorFiles, SupervisorPaths } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as h from "./support/harness.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const until = (flag: string, then: string) => h.sh(`until [ -e ${flag} ]; do sleep 0.05; done; ${then}`)
const forever = "while :; do sleep 0.2; done"

const rules: ReadonlyArray<CoreV1.ContainerRestartRule> = [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } }]

const terminated = (pod: CoreV1.Pod, name: string) => {
  const { exitCode, reason } = h.container(pod, name)?.lastState?.terminated ?? {}
  return [exitCode, reason]
}

const names = ["init", "side", "first", "other"]
const counts = (pod: CoreV1.Pod) => names.map((name) => h.container(pod, name)?.restartCount)

/** One that ends with 42 when a file comes, and once only, beside others that would never end. */
const gang = h.draft("gang", [
  { name: "first", command: h.sh(`until [ -e go ]; do sleep 0.05; done; [ -e went ] && ${forever}; : > went; exit 42`), restartPolicy: "Never", restartPolicyRules: rules },
  { name: "other", command: h.sh(`trap '' TERM; : > ready; ${forever}`), lifecycle: { preStop: { exec: { command: h.sh(": > stopped") } } } }
], {
  restartPolicy: "Never",
  initContainers: [
    { name: "init", image: "busybox:1", command: h.sh("echo ran") },
    { name: "side", image: "busybox:1", command: h.sh(forever), restartPolicy: "Always" }
  ]
})

describe("restarts of all containers", () => {
  it.live("come in place when a rule of one says so, init containers first, without hooks and without mercy", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(gang)
        const before = yield* h.untilPod("gang", "ready", h.isReady)
        assert.deepStrictEqual(counts(before), [0, 0, 0, 0])
        const zone = PodSandbox.namesOf(PodSandbox.identityOf(before)).zone
        const idOf = Effect.map(Effect.flatMap(SimulatedHost.SimulatedHost, (host) => host.state), ({ zones }) => zones.find(({ name }) => name === zone)?.kernel?.id)
        const id = yield* idOf
        yield* h.touchInZone(before, "go")
        const after = yield* h.untilPod("gang", "ready again", (pod) => h.isReady(pod) && counts(pod).every((count) => count === 1))
        assert.deepStrictEqual(names.map((name) => terminated(after, name)), [
          [0, "Completed"],
          [137, "RestartingAllContainers"],
          [42, "Error"],
          [137, "RestartingAllContainers"]
        ])
        assert.strictEqual(after.status?.phase, "Running")
        assert.strictEqual(after.status?.conditions?.find(({ type }) => type === "AllContainersRestarting")?.status, "False")
        assert.strictEqual(h.logText(folders, after, "init", 1), "ran\n")
        assert.strictEqual(yield* idOf, id)
        const host = yield* SimulatedHost.SimulatedHost
        const zonepath = (yield* host.state).zones.find(({ name }) => name === zone)?.configuration.properties["zonepath"] ?? ""
        assert.throws(() => readFileSync(join(host.realPath(zonepath), "root/stopped")))
      })), 60_000)

  it.live("are finished by the next supervisor", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const first = yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(gang)
        const pod = yield* h.untilPod("gang", "ready", h.isReady)
        yield* first.stop
        // As it stands on disk from the moment on at which one has ended.
        const path = SupervisorPaths.state(folders.dataDir, pod.metadata.uid ?? "")
        const state: SupervisorFiles.PodState = JSON.parse(readFileSync(path, "utf8"))
        yield* h.writeInFolder(dirname(path), "state.json", JSON.stringify({ ...state, restarting: { container: "first", attempt: 0 } }))
        yield* h.untilPod("gang", "shown as restarting", (shown) =>
          shown.status?.conditions?.some(({ reason, status, type }) => type === "AllContainersRestarting" && status === "True" && reason === "RestartAllContainersStarted") === true)
        yield* h.supervisorFiber(folders)
        const after = yield* h.untilPod("gang", "ready again", (shown) => h.isReady(shown) && counts(shown).every((count) => count === 1))
        assert.deepStrictEqual(terminated(after, "first"), [137, "RestartingAllContainers"])
        const ended = yield* h.until("the state to say nothing of it", Effect.map(h.podState(folders, pod), (now) => now?.restarting === undefined ? now : undefined))
        assert.strictEqual(ended?.containers.length, 4)
      })), 60_000)
})

const fromFile = (name: string, key: string, optional = false): CoreV1.EnvVar => ({
  name,
  valueFrom: { fileKeyRef: { volumeName: "v", path: "env/of.env", key, optional } }
})

describe("variables in files", () => {
  it.live("are those that another container has written when the attempt starts, for the process, its probes and its visitors", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("env", [{
          name: "c",
          command: h.sh(`echo "$A|$B|\${NONE-unset}|$(B)"; ${forever}`),
          env: [fromFile("A", "KEY"), { name: "B", value: "<$(A)>" }, fromFile("NONE", "OTHER", true)],
          readinessProbe: { exec: { command: h.sh(`[ "$B" = "<two words>" ]`) }, periodSeconds: 1 }
        }], {
          initContainers: [{
            name: "w",
            image: "busybox:1",
            command: h.sh(`mkdir v/env; echo "KEY='two words'" > v/env/of.env`),
            volumeMounts: [{ name: "v", mountPath: "/v" }]
          }],
          volumes: [{ name: "v", emptyDir: {} }]
        }))
        const pod = yield* h.untilPod("env", "ready", h.isReady)
        const said = yield* h.until("its words", Effect.sync(() => h.logText(folders, pod, "c", 0) || undefined))
        assert.strictEqual(said, "two words|<two words>|unset|<two words>\n")
      })), 60_000)

  it.live("keep the container waiting while file or key are missing or wrong, and are read anew by each attempt", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const api = yield* FakeApi.FakeApi
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("late", [
          { name: "c", command: until("go", `echo "$A"; exit 1`), env: [fromFile("A", "KEY")] },
          { name: "w", command: h.sh(forever), volumeMounts: [{ name: "v", mountPath: "/v" }] }
        ], { volumes: [{ name: "v", emptyDir: {} }] }))
        const waiting = (text: string) =>
          h.untilPod("late", `waiting because ${text}`, (pod) => {
            const { message, reason } = h.container(pod, "c")?.state?.waiting ?? {}
            return reason === "CreateContainerConfigError" && message === text
          })
        const pod = yield* waiting("couldn't parse env file: there is no file env/of.env in volume v")
        assert.strictEqual(pod.status?.phase, "Pending")
        yield* h.until("an event", Effect.sync(() =>
          api.list<CoreV1.Event>(Kinds.event, "default").find(({ message, reason }) => reason === "Failed" && message?.startsWith("Error: couldn't parse env file") === true)))
        const volume = join(PodVolumes.directory(folders.dataDir, pod.metadata.uid ?? ""), "v")
        const client = yield* ApiClient.ApiClient
        const write = (text: string) => h.writeInFolder(volume, "env/of.env", text)
        yield* write("KEY=v\n")
        yield* waiting("couldn't parse env file: env/of.env in volume v: invalid environment variable format at line 1: value must be enclosed in single quotes")
        yield* write("# nothing\n")
        yield* waiting(`environment variable key "KEY" not found in file env/of.env of volume v`)
        yield* write("KEY='one'\n")
        yield* h.untilPod("late", "ready", h.isReady)
        yield* write("KEY='two'\n")
        yield* h.touchInZone(pod, "go")
        yield* h.untilPod("late", "in its second attempt", (shown) => (h.container(shown, "c")?.restartCount ?? 0) > 0)
        yield* h.until("what the second attempt says", Effect.sync(() => h.logText(folders, pod, "c", 1) === "two\n" ? true : undefined))
        assert.strictEqual(h.logText(folders, pod, "c", 0), "one\n")
        yield* client.delete(Kinds.pod, { namespace: "default", name: "late" }, { gracePeriodSeconds: 0 })
      })), 90_000)
})

describe("ends for want of memory", () => {
  const dies = h.sh("trap '' TERM; until [ -e go ]; do sleep 0.05; done; rm go; kill -KILL $$$$")

  it.live("are those of a bounded zone that was refused memory meanwhile, with nobody having asked for the end", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const host = yield* SimulatedHost.SimulatedHost
        const supervisor = yield* SupervisorClient.SupervisorClient
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        const limits = { resources: { limits: { memory: "64Mi" } } }
        yield* h.createPod(h.draft("small", [{ name: "c", command: dies, ...limits }]))
        yield* h.createPod(h.draft("free", [{ name: "c", command: dies }]))
        const small = yield* h.untilPod("small", "ready", h.isReady)
        const free = yield* h.untilPod("free", "ready", h.isReady)
        const refuse = (pod: CoreV1.Pod) => host.inject(Faults.memoryRefused(PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone))
        const die = (pod: CoreV1.Pod, attempt: number) =>
          Effect.zipRight(
            h.touchInZone(pod, "go"),
            h.untilPod(pod.metadata.name ?? "", `in attempt ${attempt}`, (shown) => h.container(shown, "c")?.restartCount === attempt && h.isReady(shown))
          )
        yield* Effect.all([refuse(small), refuse(free)])
        assert.deepStrictEqual(terminated(yield* die(small, 1), "c"), [137, "OOMKilled"])
        // Without a bound nothing of the zone's was too small.
        assert.deepStrictEqual(terminated(yield* die(free, 1), "c"), [137, "Error"])
        // What was refused before does not count for this attempt.
        assert.deepStrictEqual(terminated(yield* die(small, 2), "c"), [137, "Error"])
        yield* refuse(small)
        yield* supervisor.restart(small.metadata.uid ?? "", { requestId: "r", container: "c", attempt: 2, requestedAt: 0, graceSeconds: 0 })
        const asked = yield* h.untilPod("small", "started anew", (shown) => h.container(shown, "c")?.restartCount === 3)
        assert.deepStrictEqual(terminated(asked, "c"), [137, "Error"])
      }).pipe(Effect.provide(SupervisorClient.layer({ dataDir: folders.dataDir })))), 60_000)
})
