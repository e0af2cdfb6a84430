import { assert, describe, it } from "@effect/vitest"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { HostState, SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandRunner, Prctl, ZoneName } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import * as h from "./support/harness.js"

const withNode = <E>(body: (folders: h.Directories) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.zipRight(h.emptyAtEnd, body(folders)).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped, Logger.withMinimumLogLevel(LogLevel.Error))

const forever = h.sh("while :; do sleep 1; done")
const amounts = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } })

const event = (reason: string) =>
  h.until(
    `an event ${reason}`,
    Effect.map(FakeApi.FakeApi, (api) => api.list<CoreV1.Event>(Kinds.event, "default").find((event) => event.reason === reason))
  )

const theZone = Effect.flatMap(SimulatedHost.SimulatedHost, (host) => host.state).pipe(
  Effect.flatMap(({ zones }) => zones[0] === undefined ? Effect.dieMessage("there is no zone") : Effect.succeed(zones[0]))
)

const configured = (name: string) =>
  Effect.map(theZone, ({ configuration }) =>
    HostState.resources(configuration, "rctl").find((rctl) => rctl.properties["name"] === name)?.values[0]?.["limit"])

const live = (name: Prctl.ControlName) =>
  Effect.gen(function*() {
    const zone = yield* theZone
    return yield* Prctl.make(yield* CommandRunner.CommandRunner).limit(ZoneName.make(zone.name), name)
  })

const resizeTo = (name: string, resources: CoreV1.ResourceRequirements) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const pod = yield* client.get(Kinds.pod, { namespace: "default", name })
    const containers = pod.spec?.containers.map((container) => ({ ...container, resources })) ?? []
    yield* client.patch(Kinds.pod, { namespace: "default", name }, { spec: { containers } }, { type: "merge", subresource: "resize" })
  })

const condition = (pod: CoreV1.Pod, type: string) => pod.status?.conditions?.find((condition) => condition.type === type)

describe("the zone of a pod", () => {
  it.live("gets other bounds while its containers go on, now and for the next boot", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("web", [{ name: "c", command: forever, resources: amounts("500m", "64Mi") }]))
        const before = yield* h.untilPod("web", "ready", h.isReady)
        assert.deepStrictEqual(h.container(before, "c")?.resources, amounts("500m", "64Mi"))
        assert.deepStrictEqual(h.container(before, "c")?.allocatedResources, { cpu: "500m", memory: "64Mi" })
        assert.deepStrictEqual([yield* configured("zone.cpu-cap"), yield* live("zone.cpu-cap"), yield* live("zone.max-swap")], ["50", 50n, 64n * 1024n ** 2n])

        yield* resizeTo("web", amounts("250m", "128Mi"))
        const after = yield* h.untilPod("web", "resized", (pod) => h.container(pod, "c")?.resources?.limits?.["cpu"] === "250m")
        assert.deepStrictEqual([yield* configured("zone.cpu-cap"), yield* live("zone.cpu-cap"), yield* live("zone.max-swap")], ["25", 25n, 128n * 1024n ** 2n])
        assert.isUndefined(condition(after, "PodResizeInProgress"))
        assert.strictEqual(h.container(after, "c")?.containerID, h.container(before, "c")?.containerID)
        yield* event("ResizeCompleted")

        yield* resizeTo("web", amounts("100000", "128Mi"))
        const refused = yield* h.untilPod("web", "told that it is too much", (pod) => condition(pod, "PodResizePending") !== undefined)
        assert.strictEqual(condition(refused, "PodResizePending")?.reason, "Infeasible")
        assert.strictEqual(yield* live("zone.cpu-cap"), 25n)
      })), 40_000)

  it.live("is not made where the node has no such brand, and the pod says why", () =>
    withNode((folders) =>
      Effect.gen(function*() {
        yield* h.supervisorFiber(folders)
        yield* h.agent(folders)
        yield* h.createPod(h.draft("vm", [{ name: "c", command: forever }], { runtimeClassName: "bhyve" }))
        const pod = yield* h.untilPod("vm", "told", (pod) => h.container(pod, "c")?.state?.waiting?.reason === "BrandUnavailable")
        assert.include(h.container(pod, "c")?.state?.waiting?.message ?? "", "this host cannot run zones of brand bhyve")
        assert.strictEqual(condition(pod, "PodReadyToStartContainers")?.reason, "BrandUnavailable")
        assert.include((yield* event("FailedCreatePodSandBox")).message ?? "", "containers are processes that the host starts in a zone")
        assert.deepStrictEqual((yield* Effect.flatMap(SimulatedHost.SimulatedHost, (host) => host.state)).zones, [])
      })), 40_000)
})
