import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import { ApiClient, FakeApi, Informer } from "@reddwarf/client"
import { NodeReady, NodeResourcesFit, Profile, Scheduler, Scores, type SchedulerPlugin, TaintToleration } from "@reddwarf/scheduler"
import { Console, Effect, Queue } from "effect"

/** Fills one node before it takes the next, so that the others can be switched off. */
const binPacking: SchedulerPlugin.SchedulerPlugin = {
  name: "BinPacking",
  nodeLocal: true,
  requeueOn: [],
  score: (pod, { allocatable, requested }) => Math.floor((Scores.max * (requested.cpuMillis + pod.requests.cpuMillis)) / allocatable.cpuMillis)
}

/** Shortest name first: a queue order of its own. */
const shortestFirst: SchedulerPlugin.SchedulerPlugin = {
  name: "ShortestFirst",
  requeueOn: [],
  queueSort: (a, b) => a.info.key.length - b.info.key.length || a.sequence - b.sequence
}

const fit: SchedulerPlugin.SchedulerPlugin = { name: "NodeResourcesFit", filter: NodeResourcesFit.fits }
const profile = Profile.make({
  schedulerName: "bin-packer",
  plugins: [shortestFirst, TaintToleration.plugin, NodeReady.plugin, fit, binPacking]
})

const status = { allocatable: { cpu: "2", memory: "4Gi", pods: "10" }, conditions: [{ type: "Ready", status: "True" as const }] }
const createNode = (client: ApiClient.Service, name: string) =>
  Effect.gen(function*() {
    yield* client.create(Kinds.node, { metadata: { name } })
    yield* client.patch(Kinds.node, { name }, { spec: { taints: null } })
    yield* client.patch(Kinds.node, { name }, { status }, { subresource: "status" })
  })

const pod = (name: string, cpu: string): ApiClient.Draft<CoreV1.Pod> => ({
  metadata: { name, namespace: "default" },
  spec: { schedulerName: "bin-packer", containers: [{ name: "main", image: "example/app:1", resources: { requests: { cpu } } }] }
})

const program = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  for (const name of ["n1", "n2", "n3"]) yield* createNode(client, name)
  yield* Scheduler.make({ profiles: [yield* profile] })

  const bound = yield* Queue.unbounded<string>()
  const pods = yield* Informer.make({ kind: Kinds.pod, namespace: "default" })
  pods.onChange(({ object: { spec } }) => void (spec?.nodeName !== undefined && bound.unsafeOffer(spec.nodeName)))
  for (const [name, cpu] of [["web-1", "1"], ["web-2", "500m"], ["web-3", "500m"], ["web-4", "1500m"]] as const) {
    yield* client.create(Kinds.pod, pod(name, cpu))
    yield* Console.log(`${name} is on ${yield* Queue.take(bound)}`)
  }
})

await program.pipe(Effect.scoped, Effect.provide(FakeApi.layer()), Effect.runPromise)
