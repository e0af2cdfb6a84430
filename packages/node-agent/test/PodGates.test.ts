import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { ZoneInstanceKind } from "@reddwarf/node-agent"
import type { ZoneInstance } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import { createServer } from "node:http"
import * as h from "./support/harness.js"

const kind = ZoneInstanceKind.zoneInstance
const ref = { namespace: "default", name: "web" }

/** The range is on loopback, so that what listens in the test is at the address of the pod. */
const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    const whole = Effect.gen(function*() {
      yield* h.emptyAtEnd
      yield* h.supervisorFiber(folders)
      yield* body(folders)
    })
    yield* whole.pipe(Effect.scoped, Effect.provide(h.hostLayer(folders, "127.88.0.0/24")))
  }).pipe(Effect.provide(FakeApi.layer({ kinds: [...Kinds.all, kind] })), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

/** The one that the first pod gets. */
const firstAddress = "127.88.0.2"

/** The sidecar of a workload: closed until it is approved. */
const gate = Effect.gen(function*() {
  const state = { open: false, approves: true, asked: 0, approvals: new Array<{ readonly key: string; readonly body: string }>() }
  const server = createServer((request, response) => {
    let body = ""
    request.setEncoding("utf8")
    request.on("data", (text: string) => void (body += text))
    request.on("end", () => {
      if (request.method === "POST" && request.url === "/v0/tasks") {
        state.approvals.push({ key: String(request.headers["idempotency-key"]), body })
        if (state.approves) state.open = true
        response.statusCode = 202
      } else {
        state.asked += 1
        response.statusCode = request.url !== "/v0/healthz" ? 404 : state.open ? 200 : 503
      }
      response.end()
    })
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => void server.listen(0, firstAddress, () => resume(Effect.void))),
    () => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  )
  const address = server.address()
  return { state, port: typeof address === "object" && address !== null ? address.port : 0 }
})

const forever = h.sh("while :; do test -e /reddwarf-none && exit; sleep 0.05; done")

/** A pod with a gate, as an API server that knows of gates admits it. */
const gated = (port: number, approval = "Always"): ApiClient.Draft<CoreV1.Pod> => {
  const draft = h.draft("web", [{ name: "c", command: forever }], { readinessGates: [{ conditionType: "reddwarf.io/GatesOpen" }] })
  const annotations = { "reddwarf.io/sidecar-gate": "c", "reddwarf.io/sidecar-gate-port": String(port), "reddwarf.io/sidecar-gate-approval": approval }
  return { ...draft, metadata: { ...draft.metadata, annotations } }
}

const untilInstance = (what: string, test: (instance: ZoneInstance.ZoneInstance) => boolean) =>
  Effect.gen(function*() {
    let last: ZoneInstance.ZoneInstance | undefined
    return yield* h.until(
      `the ZoneInstance to be ${what}`,
      Effect.map(FakeApi.FakeApi, (api) => {
        last = api.get(kind, ref)
        return last !== undefined && test(last) ? last : undefined
      }),
      25
    ).pipe(Effect.mapError(({ seconds, what }) => new h.WaitedInVain({ what, seconds, last: JSON.stringify(last) })))
  })

const isDone = (type: string) => ({ status }: ZoneInstance.ZoneInstance) => status?.lastPlan?.type === type && status.plan === undefined

const conditionOf = ({ status }: ZoneInstance.ZoneInstance, type: string) => {
  const found = status?.conditions?.find((condition) => condition.type === type)
  return found === undefined ? undefined : `${found.status}/${found.reason}`
}

const events = Effect.map(FakeApi.FakeApi, (api) =>
  api.list<CoreV1.Event>(Kinds.event, "default").map(({ reason = "" }) => reason).filter((reason) => reason.startsWith("Sidecar")))

const untilPod = (what: string, test: (pod: CoreV1.Pod) => boolean) => h.untilPod("web", what, test, 25)

describe("the gate of a living pod", () => {
  it.live("is approved as the pod comes up, and again when its container was started anew; readiness follows it", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const { port, state } = yield* gate
        yield* h.agent(folders, { gateProbeInterval: "500 millis" })
        yield* h.createPod(gated(port))
        const up = yield* untilInstance("brought up", isDone("init"))
        const [first] = state.approvals
        assert.isDefined(first)
        assert.deepStrictEqual(JSON.parse(first.body), { id: first.key, type: "mark-ready" })
        assert.strictEqual(up.status?.lastPlan?.tasks.at(-1)?.type, "open-gates")
        const before = yield* untilPod("ready", h.isReady)
        assert.strictEqual(before.status?.podIP, firstAddress)
        assert.isTrue(PodPhase.isConditionTrue(before, "reddwarf.io/GatesOpen"))
        yield* untilInstance("open", (instance) => conditionOf(instance, "SidecarReady") === "True/Ready" && conditionOf(instance, "GatesOpen") === "True/AllOpen")

        // The container ends and comes back, closed and for a while deaf to approvals.
        state.approves = false
        state.open = false
        const pid = (yield* h.podState(folders, before))?.containers[0]?.pid ?? 0
        process.kill(pid, "SIGKILL")
        yield* untilInstance("closed", (instance) => conditionOf(instance, "SidecarReady") === "False/NotReady" && conditionOf(instance, "GatesOpen") === "False/GateClosed")
        const closed = yield* untilPod("up and closed", (pod) => h.container(pod, "c")?.restartCount === 1 && h.container(pod, "c")?.ready === true && !h.isReady(pod))
        assert.isTrue(PodPhase.isConditionTrue(closed, "ContainersReady"))
        assert.strictEqual(PodPhase.condition(closed, "Ready")?.reason, "ReadinessGatesNotReady")

        state.approves = true
        yield* untilInstance("approved", (instance) => isDone("gate-reapproval")(instance) && conditionOf(instance, "GatesOpen") === "True/AllOpen")
        const after = yield* untilPod("ready again", h.isReady)
        assert.deepStrictEqual([h.container(after, "c")?.restartCount, after.status?.podIP], [1, before.status?.podIP])
        assert.strictEqual(new Set(state.approvals.map(({ key }) => key)).size, state.approvals.length, "every plan has keys of its own")
        assert.deepStrictEqual(yield* h.until("the events", Effect.map(events, (all) => all.length > 1 ? all : undefined)), ["SidecarReadinessLost", "SidecarReadinessRestored"])
      })), 90_000)

  it.live("waits for a person where the pod says so; the pod is up and not ready meanwhile", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        const { port, state } = yield* gate
        yield* h.agent(folders)
        const client = yield* ApiClient.ApiClient
        yield* h.createPod(gated(port, "Manual"))
        yield* untilInstance("closed", (instance) => isDone("init")(instance) && conditionOf(instance, "SidecarReady") === "False/NotReady")
        const waiting = yield* untilPod("up", (pod) => PodPhase.isConditionTrue(pod, "ContainersReady"))
        assert.isFalse(h.isReady(waiting))
        assert.isEmpty(state.approvals)
        yield* client.patch(kind, ref, { metadata: { annotations: { "reddwarf.io/approve-gate": "sidecar" } } }, { type: "merge" })
        const approved = yield* untilInstance("approved", (instance) => isDone("gate-reapproval")(instance) && conditionOf(instance, "GatesOpen") === "True/AllOpen")
        assert.isUndefined(approved.metadata.annotations?.["reddwarf.io/approve-gate"])
        assert.strictEqual(state.approvals.length, 1)
        yield* untilPod("ready", h.isReady)
      })), 60_000)
})
