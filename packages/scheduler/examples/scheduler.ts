import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import { ApiClient, FakeApi, Informer } from "@reddwarf/client"
import { NodeReady, NodeResourcesFit, Profile, Scheduler, Scores, type SchedulerPlugin, TaintToleration } from "@reddwarf/scheduler"
import { Console, Effect, Queue } from "effect"

/** Fills one node before it takes the next, so that the others can be switched off. */
const binPacking: SchedulerPlugin.SchedulerPlugin = {
  name: "BinPacking",
  requeueOn: [],
  score: (pod, { allocatable, requested }) =>
    Math.floor((Scores.max * (requested.cpuMillis + pod.requests.cpuMillis)) / allocatable.cpuMillis)
}

/** Shortest name first: a queue order of its own. */
const shortestFirst: SchedulerPlugin.SchedulerPlugin = {
  name: "ShortestFirst",
  requeueOn: [],
  queueSort: (a, b) => a.info.key.length - b.info.key.length || a.sequence - b.sequence
}

const profile = Profile.make({
  schedulerName: "bin-packer",
  plugins: [
    shortestFirst,
    TaintToleration.plugin,
    NodeReady.plugin,
    { name: "NodeResourcesFit", filter: NodeResourcesFit.fits },
    binPacking
  ]
})

const node = (name: string): ApiClient.Draft<CoreV1.Node> => ({
  metadata: { name },
  spec: { taints: [] },
  status: {
    allocatable: { cpu: "2", memory: "4Gi", pods: "10" },
    conditions: [{ type: "Ready", status: "True" }]
  }
})

const pod = (name: string, cpu: string): ApiClient.Draft<CoreV1.Pod> => ({
  metadata: { name, namespace: "default" },
  spec: { schedulerName: "bin-packer", containers: [{ name: "main", image: "example/app:1", resources: { requests: { cpu } } }] }
})

const program = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  for (const name of ["n1", "n2", "n3"]) {
    const created = yield* client.create(Kinds.node, node(name))
    yield* client.update(Kinds.node, { ...created, spec: { taints: [] } })
    yield* client.patch(Kinds.node, { name }, { status: node(name).status }, { subresource: "status" })
  }
  yield* Scheduler.make({ profiles: [yield* profile] })

  const bound = yield* Queue.unbounded<CoreV1.Pod>()
  const pods = yield* Informer.make({ kind: Kinds.pod, namespace: "default" })
  pods.onChange(({ object }) => void (object.spec?.nodeName !== undefined && bound.unsafeOffer(object)))
  const placements = new Map<string, number>()
  for (const [name, cpu] of [["web-1", "1"], ["web-2", "500m"], ["web-3", "500m"], ["web-4", "1500m"]] as const) {
    yield* client.create(Kinds.pod, pod(name, cpu))
    const { spec } = yield* Queue.take(bound)
    placements.set(spec?.nodeName ?? "", (placements.get(spec?.nodeName ?? "") ?? 0) + 1)
  }
  yield* Console.log(`pods per node: ${[...placements.values()].sort((a, b) => a - b).join(", ")}`)
})

await program.pipe(Effect.scoped, Effect.provide(FakeApi.layer()), Effect.runPromise)
