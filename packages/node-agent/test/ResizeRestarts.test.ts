import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { ResizeRestarts, type SupervisorClient, SupervisorPaths, ZoneInstanceKind } from "@reddwarf/node-agent"
import { ZoneName } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import * as h from "./support/harness.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    const whole = Effect.gen(function*() {
      yield* h.emptyAtEnd
      yield* h.supervisorFiber(folders)
      yield* body(folders)
    })
    yield* whole.pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer({ kinds: [...Kinds.all, ZoneInstanceKind.zoneInstance] })), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const forever = h.sh("while :; do sleep 0.05; done")

const amounts = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } })

const resizePolicy: ReadonlyArray<CoreV1.ContainerResizePolicy> = [
  { resourceName: "cpu", restartPolicy: "NotRequired" },
  { resourceName: "memory", restartPolicy: "RestartContainer" }
]

const resize = (name: string, of: (container: string) => CoreV1.ResourceRequirements) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const ref = { namespace: "default", name }
    const pod = yield* client.get(Kinds.pod, ref)
    const containers = pod.spec?.containers.map((container) => ({ ...container, resources: of(container.name) }))
    yield* client.patch(Kinds.pod, ref, { spec: { containers } }, { type: "merge", subresource: "resize" })
  })

const messages = (reason: string) =>
  Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").filter((event) => event.reason === reason).map(({ message = "" }) => message))

const shows = (name: string, memory: string, restarts: number) => (pod: CoreV1.Pod): boolean => {
  const status = h.container(pod, name)
  return status?.state?.running !== undefined && status.resources?.limits?.["memory"] === memory && status.restartCount === restarts
}

const isSettled = (pod: CoreV1.Pod): boolean => h.isReady(pod) && PodPhase.condition(pod, "PodResizeInProgress") === undefined

describe("a resize of a resource whose policy is to restart", () => {
  it.live("starts its container anew, once, and no other; one of another resource starts nothing anew", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const agent = yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [
          { name: "c", command: forever, resources: amounts("100m", "32Mi"), resizePolicy },
          { name: "d", command: forever, resources: amounts("100m", "32Mi") }
        ], { terminationGracePeriodSeconds: 1 }))
        const before = yield* h.untilPod("web", "ready", h.isReady)
        const pids = (yield* h.podState(folders, before))?.containers.map(({ pid }) => pid) ?? []

        yield* resize("web", (name) => name === "c" ? amounts("50m", "32Mi") : amounts("100m", "32Mi"))
        yield* h.untilPod("web", "resized", (pod) => isSettled(pod) && h.container(pod, "c")?.resources?.limits?.["cpu"] === "50m")
        assert.deepStrictEqual((yield* h.podState(folders, before))?.containers.map(({ pid }) => pid), pids)

        yield* resize("web", () => amounts("50m", "48Mi"))
        const after = yield* h.untilPod("web", "resized, and its container started anew", (pod) => isSettled(pod) && shows("c", "48Mi", 1)(pod) && shows("d", "48Mi", 0)(pod))
        assert.isDefined(h.container(after, "c")?.lastState?.terminated)
        assert.strictEqual((yield* h.podState(folders, before))?.containers.find(({ name }) => name === "d")?.pid, pids[1])
        assert.deepStrictEqual(yield* messages("Killing"), ["Container c resize requires restart"])
        yield* h.until("both to be told of", Effect.map(messages("ResizeCompleted"), (all) => all.length > 0 ? true : undefined))

        // An agent that ends as soon as it has asked leaves nothing to be asked for again.
        yield* resize("web", (name) => amounts("50m", name === "c" ? "64Mi" : "48Mi"))
        yield* h.until("the restart to be asked for", Effect.sync(() => {
          const { restarts } = JSON.parse(readFileSync(SupervisorPaths.spec(folders.dataDir, before.metadata.uid ?? ""), "utf8"))
          return restarts?.some(({ attempt }: { readonly attempt: number }) => attempt === 1) === true ? true : undefined
        }))
        yield* agent.stop
        yield* h.agent(folders)
        yield* h.untilPod("web", "resized by the next agent", (pod) => isSettled(pod) && shows("c", "64Mi", 2)(pod))
        assert.strictEqual((yield* h.podState(folders, before))?.containers.find(({ name }) => name === "c")?.attempt, 2)
      })), 60_000)

  const pod = (given: CoreV1.ResourceRequirements, asked: CoreV1.ResourceRequirements, spec: Partial<CoreV1.PodSpec> = {}): CoreV1.Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default", uid: "u" },
    spec: { containers: [{ name: "c", image: "x", resources: asked, resizePolicy }], ...spec },
    status: { containerStatuses: [{ name: "c", image: "x", imageID: "", ready: true, restartCount: 0, resources: given }] }
  })

  const supervised = (phase: "running" | "backOff", attempt: number, restarts: SupervisorClient.SupervisedPod["spec"]["restarts"]): SupervisorClient.SupervisedPod => ({
    spec: {
      schema: 1,
      pod: { namespace: "default", name: "p", uid: "u" },
      zone: ZoneName.make("z"),
      restartPolicy: "Always",
      containers: [],
      backOff: { initialMillis: 1, maxMillis: 1, resetMillis: 1 },
      logs: { directory: "/l", maxBytes: 1, maxFiles: 1 },
      desired: { state: "run" },
      ...(restarts === undefined ? {} : { restarts })
    },
    state: Option.some({ schema: 1, uid: "u", containers: [{ name: "c", phase, attempt, exits: [], backOffMillis: 0 }] })
  })

  it("is found by what changes, and not where a container is never started again", () => {
    const names = (...args: Parameters<typeof pod>) => ResizeRestarts.of(pod(...args)).map(({ container }) => container)
    assert.deepStrictEqual(names(amounts("1", "1Gi"), amounts("1", "2Gi")), ["c"])
    assert.deepStrictEqual(names(amounts("1", "1Gi"), { requests: { cpu: "1" }, limits: { cpu: "1", memory: "1Gi" } }), ["c"])
    assert.deepStrictEqual(names(amounts("1", "1Gi"), amounts("2", "1024Mi")), [])
    assert.deepStrictEqual(names(amounts("1", "1Gi"), amounts("1", "2Gi"), { restartPolicy: "Never" }), [])
  })

  it("is asked for once for the same amounts, of what runs, and pending until the next attempt runs", () => {
    const [restart] = ResizeRestarts.of(pod(amounts("1", "1Gi"), amounts("1", "2Gi")))
    assert.isDefined(restart)
    const request = { ...restart, attempt: 0, requestedAt: 0, graceSeconds: 1 }
    assert.deepStrictEqual(ResizeRestarts.unasked([restart], supervised("running", 0, undefined)), [{ ...restart, attempt: 0 }])
    assert.deepStrictEqual(ResizeRestarts.unasked([restart], supervised("backOff", 0, undefined)), [])
    assert.deepStrictEqual(ResizeRestarts.unasked([restart], supervised("running", 1, [request])), [])
    assert.deepStrictEqual(ResizeRestarts.unasked([restart], supervised("running", 0, [{ ...request, requestId: "resize/other" }])), [{ ...restart, attempt: 0 }])
    assert.isTrue(ResizeRestarts.isPending(supervised("running", 0, [request])))
    assert.isTrue(ResizeRestarts.isPending(supervised("backOff", 0, [request])))
    assert.isFalse(ResizeRestarts.isPending(supervised("running", 1, [request])))
    assert.isFalse(ResizeRestarts.isPending(supervised("running", 0, [{ ...request, requestId: "probe" }])))
  })
})
