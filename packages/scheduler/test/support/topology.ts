/** Pods with labels and wishes, nodes in zones, and what is asked about them. */
import type { CoreV1 } from "@reddwarf/api-types"
import { ApiClient } from "@reddwarf/client"
import { Effect, type Either } from "effect"
import { CycleState, Listers, NodeInfo, type PluginFactory, PodInfo, type Rejection, type SchedulerPlugin, Snapshot } from "../../src/index.js"
import * as objects from "./objects.js"

export const zone = "topology.kubernetes.io/zone"
export const host = "kubernetes.io/hostname"

export interface Shape {
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly terminating?: boolean
  readonly owner?: CoreV1.Pod["metadata"]["ownerReferences"]
  readonly spec?: Partial<CoreV1.PodSpec>
}

export const object = (name: string, { labels = {}, namespace = "default", owner, spec, terminating = false }: Shape): CoreV1.Pod => {
  const pod = objects.pod(name, spec === undefined ? {} : { spec })
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      namespace,
      labels,
      uid: `${namespace}-${name}`,
      ...(owner === undefined ? {} : { ownerReferences: owner }),
      ...(terminating ? { deletionTimestamp: "2026-01-02T00:00:00Z" } : {})
    }
  }
}

export const pod = (name: string, shape: Shape = {}): PodInfo.PodInfo => PodInfo.make(object(name, shape))

/** A node with its zone, if it has one, further labels and its pods. */
export const node = (
  name: string,
  inZone: string | undefined,
  pods: ReadonlyArray<PodInfo.PodInfo> = [],
  shape: objects.NodeShape = {}
): NodeInfo.NodeInfo =>
  NodeInfo.make(objects.node(name, { ...shape, labels: { ...(inZone === undefined ? {} : { [zone]: inZone }), ...shape.labels } }), pods)

export const namespaces = (labels: Readonly<Record<string, Record<string, string>>>): Listers.Listers => ({
  ...Listers.empty,
  namespaces: Listers.of(
    Object.entries(labels).map(([name, each]): CoreV1.Namespace => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels: each } }))
  )
})

const say = (rejection: Rejection.Rejection | undefined): string =>
  rejection === undefined ? "" : `${rejection.code === "Unresolvable" ? "!" : ""}${rejection.reasons.join(", ")}`

/** The reason of each node, `""` where the pod fits, `!` in front where preemption cannot help; `skip` when there is nothing to ask. */
export const filtered = (
  plugin: SchedulerPlugin.SchedulerPlugin,
  incoming: PodInfo.PodInfo,
  snapshot: Snapshot.Snapshot
): ReadonlyArray<string> | "skip" => {
  const result = plugin.preFilter?.(incoming, snapshot, CycleState.make())
  if (result === undefined || result._tag === "Skip") return "skip"
  return snapshot.nodes.map((each) => say(result._tag === "Reject" ? result.rejection : result.test(each)))
}

/** The score of each node, raw or brought into range; `skip` when the plugin is left out. */
export const scored = (
  plugin: SchedulerPlugin.SchedulerPlugin,
  incoming: PodInfo.PodInfo,
  snapshot: Snapshot.Snapshot,
  kind: "raw" | "normalized" = "normalized"
): ReadonlyArray<number> | "skip" => {
  const state = CycleState.make()
  const score = plugin.preScore?.(incoming, snapshot.nodes, snapshot, state)
  if (score === undefined) return "skip"
  const scores = Float64Array.from(snapshot.nodes, score)
  if (kind === "normalized") plugin.normalizeScores?.(scores, incoming, snapshot.nodes, state)
  return [...scores]
}

/** The what-if question of a filter that has one. */
export const whatIf = (
  plugin: SchedulerPlugin.SchedulerPlugin,
  incoming: PodInfo.PodInfo,
  snapshot: Snapshot.Snapshot
): { readonly ask: () => ReadonlyArray<string>; readonly add: (pod: PodInfo.PodInfo, node: string) => void; readonly remove: (pod: PodInfo.PodInfo, node: string) => void } => {
  const result = plugin.preFilter?.(incoming, snapshot, CycleState.make())
  if (result?._tag !== "Filter" || result.whatIf === undefined) throw new Error("there is no question to ask")
  const question = result.whatIf()
  const at = (name: string): NodeInfo.NodeInfo => {
    const found = Snapshot.get(snapshot, name)
    if (found === undefined) throw new Error(`there is no node ${name}`)
    return found
  }
  return {
    ask: () => snapshot.nodes.map((each) => say(question.test(each))),
    add: (each, name) => question.addPod(each, NodeInfo.withPod(at(name), each)),
    remove: (each, name) => question.removePod(each, NodeInfo.withoutPod(at(name), each.id))
  }
}

/** What a configuration makes of a plugin's arguments; none of these needs a cluster for it. */
export const configured = (factory: PluginFactory.PluginFactory, args: unknown): Either.Either<SchedulerPlugin.SchedulerPlugin, PluginFactory.InvalidPluginArgs> =>
  Effect.runSync(Effect.scoped(Effect.either(factory.make(args))).pipe(Effect.provideService(ApiClient.ApiClient, {} as ApiClient.Service)))
