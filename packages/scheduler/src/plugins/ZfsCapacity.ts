/**
 * Room in the storage pools of the nodes: the datasets that are made for a pod's claims, and the ephemeral storage it requests, must fit into the pool
 * of its node. Nodes whose pools stay emptier are better.
 *
 * Two things count. What is promised: the capacities of the node's volumes and the requests of its pods, against what the node offers as
 * `ephemeral-storage`. And what is measured: the space its pool has left. A node that does not say one of them is not judged by it.
 */
import { ObjectRef } from "@reddwarf/client"
import * as Schema from "effect/Schema"
import * as ClusterEvent from "../ClusterEvent.js"
import * as CycleState from "../CycleState.js"
import type { NodeInfo } from "../NodeInfo.js"
import * as PluginFactory from "../PluginFactory.js"
import type { PodInfo } from "../PodInfo.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"
import * as Scores from "../Scores.js"
import type { Snapshot } from "../Snapshot.js"
import * as ClaimUse from "../volumes/ClaimUse.js"
import * as NodeStorage from "../volumes/NodeStorage.js"
import * as PodClaims from "../volumes/PodClaims.js"

/**
 * `promisedPercent`: how much of its pool a node may promise. 100 keeps every promise; datasets take only what is written into them, so
 * clusters whose volumes stay mostly empty can promise more.
 *
 * @category models
 */
export const Args = Schema.Struct({
  promisedPercent: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 10_000)), { default: () => 100 })
})

/**
 * @category models
 */
export type Args = typeof Args.Type

const reason = "node(s) did not have enough free storage"
const promisedToPods = Rejection.unschedulable(reason)
const full = Rejection.unresolvable(reason)

interface Demand {
  /** Bytes of datasets to be made. */
  readonly volumes: number
  /** Bytes of ephemeral storage. */
  readonly pod: number
  /** The claims behind the datasets. */
  readonly claims: ReadonlySet<string>
}

const none: Demand = { volumes: 0, pod: 0, claims: new Set() }

const demandOf = (pod: PodInfo, { listers }: Snapshot): Demand => {
  const claims = (pod.pod.spec?.volumes ?? []).length === 0 ? undefined : PodClaims.of(pod.pod, listers)
  const datasets = claims === undefined || !PodClaims.isClaims(claims) ? [] : NodeStorage.datasetsFor(claims, listers)
  return {
    volumes: datasets.reduce((sum, claim) => sum + NodeStorage.bytesOf(claim), 0),
    pod: pod.requests.ephemeralStorageBytes,
    claims: new Set(datasets.map(ObjectRef.keyOf))
  }
}

const demand = CycleState.key<Demand>("ZfsCapacity/demand", () => none)

const isNothing = ({ pod, volumes }: Demand): boolean => pod + volumes === 0

/** Bytes that a node may promise; absent when it does not offer storage at all. */
const limitOf = ({ allocatable }: NodeInfo, promisedPercent: number): number | undefined =>
  allocatable.ephemeralStorageBytes > 0 ? allocatable.ephemeralStorageBytes * promisedPercent / 100 : undefined

/**
 * The plugin with these arguments.
 *
 * @category constructors
 */
export const make = ({ promisedPercent }: Args): SchedulerPlugin.SchedulerPlugin => ({
  name: "ZfsCapacity",
  uses: ["persistentVolumeClaims", "persistentVolumes", "storageClasses"],
  requeueOn: [
    "NodeAdd",
    "NodeUpdateAllocatable",
    ClusterEvent.when("NodeUpdateAnnotations", (_, old, next) =>
      old?.metadata.annotations?.[NodeStorage.availableAnnotation] === next?.metadata.annotations?.[NodeStorage.availableAnnotation] ? "Skip" : "Queue"),
    "PersistentVolumeDelete",
    "PersistentVolumeClaimDelete",
    "AssignedPodDelete",
    "AssignedPodScaleDown",
    ClaimUse.whenOwnClaim("PersistentVolumeClaimUpdate")
  ],
  preFilter: (pod, snapshot, state) => {
    const wanted = demandOf(pod, snapshot)
    if (isNothing(wanted)) return SchedulerPlugin.skip
    demand.set(state, wanted)
    const use = snapshot.index(ClaimUse.index)
    return SchedulerPlugin.filterBy((node) => {
      const bytes = wanted.volumes + wanted.pod
      if (bytes > (NodeStorage.available(node) ?? Infinity)) return full
      const limit = limitOf(node, promisedPercent)
      if (limit === undefined) return undefined
      const { pods, volumes } = NodeStorage.promised(node, snapshot.listers, use, wanted.claims)
      if (bytes + volumes + pods <= limit) return undefined
      return bytes + volumes <= limit ? promisedToPods : full
    })
  },
  preScore: (_, __, snapshot, state) => {
    const wanted = demand.get(state)
    if (isNothing(wanted)) return undefined
    const use = snapshot.index(ClaimUse.index)
    return (node) => {
      const bytes = wanted.volumes + wanted.pod
      const limit = limitOf(node, promisedPercent)
      if (limit === undefined) return 0
      const { pods, volumes } = NodeStorage.promised(node, snapshot.listers, use, wanted.claims)
      const unpromised = limit - bytes - volumes - pods
      const unwritten = (NodeStorage.available(node) ?? Infinity) - bytes
      return Math.max(0, Math.floor(Scores.max * Math.min(unpromised, unwritten, limit) / limit))
    }
  }
})

/**
 * The plugin with the usual arguments.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = make({ promisedPercent: 100 })

/**
 * The plugin as configurations name it.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({ name: "ZfsCapacity", args: Args, make })
