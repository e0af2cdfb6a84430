/** Prints how fast pods are placed: the decision alone, and the whole way through an API in memory. Run: `pnpm --filter @reddwarf/scheduler bench`. */
import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import { ApiClient, FakeApi, Informer } from "@reddwarf/client"
import { ClusterCache, PodInfo, Profile, Scheduler, SchedulingCycle } from "@reddwarf/scheduler"
import { Console, Deferred, Effect } from "effect"

const status: NonNullable<CoreV1.Node["status"]> = {
  allocatable: { cpu: "32", memory: "128Gi", pods: "110", "ephemeral-storage": "500Gi" },
  conditions: [{ type: "Ready", status: "True" }]
}
const node = (i: number): CoreV1.Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: `n${i}`, labels: { zone: `z${i % 3}` } },
  spec: {},
  status
})
const pod = (i: number): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: `p${i}`, namespace: "default", uid: `uid-${i}` },
  spec: {
    containers: [{ name: "main", image: "example/app:1", resources: { requests: { cpu: "100m", memory: "128Mi" } } }],
    nodeSelector: i % 4 === 0 ? { zone: "z1" } : {}
  }
})
const indexes = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

const now = Effect.map(Effect.clock, (clock) => Number(clock.unsafeCurrentTimeNanos()) / 1e6)
const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const before = yield* now
    yield* effect
    return (yield* now) - before
  })

const report = (what: string, nodes: number, pods: number, millis: number) =>
  Console.log(`${what.padEnd(14)} ${String(nodes).padStart(5)} nodes ${String(pods).padStart(6)} pods  ${((pods * 1000) / millis).toFixed(0).padStart(6)} pods/s`)

/** Snapshot, decision and accounting for one pod after the other. */
const decisions = (nodes: number, pods: number) =>
  Effect.gen(function*() {
    const cache = ClusterCache.make()
    for (const i of indexes(nodes)) cache.setNode(node(i))
    const infos = indexes(pods).map((i) => PodInfo.make(pod(i)))
    const millis = yield* timed(Effect.sync(() => {
      let start = 0
      for (const info of infos) {
        const decision = SchedulingCycle.schedule(Profile.builtIn, info, cache.snapshot(), { start, random: Math.random })
        start = decision.nextStart
        if (decision._tag === "Placed") cache.assume(info, decision.node)
      }
    }))
    yield* report("decisions", nodes, pods, millis)
  })

/** Informers, queue, decisions, bindings and events through the API. */
const endToEnd = (nodes: number, pods: number) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    for (const i of indexes(nodes)) {
      const created = yield* client.create(Kinds.node, node(i))
      const ready = yield* client.update(Kinds.node, { ...created, spec: { ...created.spec, taints: [] } })
      yield* client.updateStatus(Kinds.node, { ...ready, status })
    }
    for (const i of indexes(pods)) yield* client.create(Kinds.pod, pod(i))
    const allBound = yield* Deferred.make<void>()
    let bound = 0
    const millis = yield* timed(Effect.gen(function*() {
      yield* Scheduler.make()
      const informer = yield* Informer.make({ kind: Kinds.pod })
      informer.onChange((event) => {
        const wasPending = event.type === "added" || (event.type === "updated" && event.old.spec?.nodeName === undefined)
        if (wasPending && event.object.spec?.nodeName !== undefined && ++bound === pods) Deferred.unsafeDone(allBound, Effect.void)
      })
      yield* Deferred.await(allBound)
    }))
    yield* report("through the API", nodes, bound, millis)
  }).pipe(Effect.scoped, Effect.provide(FakeApi.layer({ historyLimit: 100_000, watcherCapacity: 100_000 })))

await Effect.runPromise(
  Effect.all([decisions(100, 5000), decisions(1000, 10_000), decisions(5000, 10_000), endToEnd(1000, 2000)], { discard: true })
)
