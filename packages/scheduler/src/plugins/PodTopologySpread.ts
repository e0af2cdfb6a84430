/** Pods that are to be spread evenly over the domains of a topology: as a must (`DoNotSchedule`) or as a wish (`ScheduleAnyway`). */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Schema from "effect/Schema"
import * as DefaultSpread from "../internal/topology/defaultSpread.js"
import * as PodCountsIndex from "../internal/topology/podCountsIndex.js"
import * as SpreadConstraints from "../internal/topology/spreadConstraints.js"
import * as SpreadFilter from "../internal/topology/spreadFilter.js"
import { triggers } from "../internal/topology/spreadHints.js"
import * as SpreadScore from "../internal/topology/spreadScore.js"
import type * as Listers from "../Listers.js"
import * as PluginFactory from "../PluginFactory.js"
import type { PodInfo } from "../PodInfo.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"
import type { Snapshot } from "../Snapshot.js"

const positive = Schema.Int.pipe(Schema.positive())

const Policy = Schema.Literal("Honor", "Ignore")

/**
 * A constraint for pods that have none: which pods count follows from a pod's services and its controller.
 *
 * @category schemas
 */
export const DefaultConstraint = Schema.Struct({
  maxSkew: positive,
  topologyKey: Schema.NonEmptyString,
  whenUnsatisfiable: Schema.Literal("DoNotSchedule", "ScheduleAnyway"),
  minDomains: Schema.optionalWith(positive, { exact: true }),
  nodeAffinityPolicy: Schema.optionalWith(Policy, { exact: true }),
  nodeTaintsPolicy: Schema.optionalWith(Policy, { exact: true })
})

/**
 * `defaultingType`: `System` has constraints of its own, with which pods of a service or controller prefer nodes and zones that have fewer of them;
 * `List` takes those in `defaultConstraints`, perhaps none.
 *
 * @category schemas
 */
export const Args = Schema.Struct({
  defaultConstraints: Schema.optionalWith(Schema.Array(DefaultConstraint), { default: () => [] }),
  defaultingType: Schema.optionalWith(Schema.Literal("System", "List"), { default: () => "System" })
}).pipe(Schema.filter(({ defaultConstraints, defaultingType }) => {
  if (defaultingType === "System" && defaultConstraints.length > 0) {
    return { path: ["defaultConstraints"], message: `there are constraints though defaultingType is "System"; set it to "List" or drop them` }
  }
  const pairs = defaultConstraints.map(({ topologyKey, whenUnsatisfiable }) => `${whenUnsatisfiable} ${topologyKey}`)
  const twice = pairs.findIndex((pair, i) => pairs.indexOf(pair) !== i)
  return twice < 0 || { path: ["defaultConstraints", twice], message: "another constraint has the same topologyKey and whenUnsatisfiable; drop one" }
}))

/**
 * The arguments, complete.
 *
 * @category models
 */
export type Args = typeof Args.Type

/**
 * The constraints of `defaultingType: System`.
 *
 * @category constructors
 */
export const systemDefaults: ReadonlyArray<CoreV1.TopologySpreadConstraint> = [
  { topologyKey: "kubernetes.io/hostname", maxSkew: 3, whenUnsatisfiable: "ScheduleAnyway" },
  { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5, whenUnsatisfiable: "ScheduleAnyway" }
]

const owners: ReadonlyArray<Listers.Name> = ["services", "replicationControllers", "replicaSets", "statefulSets"]

/**
 * Rejects nodes in whose domains there would be more pods than the skew allows; prefers nodes in whose domains there are fewer.
 *
 * @category constructors
 */
export const make = (args: Args): SchedulerPlugin.SchedulerPlugin => {
  const isSystem = args.defaultingType === "System"
  const defaults: ReadonlyArray<CoreV1.TopologySpreadConstraint> = isSystem ? systemDefaults : args.defaultConstraints
  const hasHardDefaults = defaults.some(({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule")

  const hard = (pod: PodInfo, { listers }: Pick<Snapshot, "listers">): ReadonlyArray<SpreadConstraints.SpreadConstraint> =>
    SpreadConstraints.hasOwn(pod.shape) || !hasHardDefaults
      ? SpreadConstraints.of(pod.shape).hard
      : DefaultSpread.constraintsOf(pod, defaults, "DoNotSchedule", true, listers)

  return {
    name: "PodTopologySpread",
    // What defaults select is in the listers, which are not at hand then: any change may help a pod that they keep back.
    ...(hasHardDefaults ? {} : { requeueOn: triggers((pod) => SpreadConstraints.of(pod.shape).hard) }),
    ...(defaults.length === 0 ? {} : { uses: owners }),
    preFilter: (pod, snapshot) => {
      const constraints = hard(pod, snapshot)
      if (constraints.length === 0) return SchedulerPlugin.skip
      const { test, whatIf } = SpreadFilter.make(constraints, snapshot.index(PodCountsIndex.index))
      return SchedulerPlugin.filterBy(test, undefined, whatIf)
    },
    preScore: (pod, feasible, snapshot) => {
      const isOwn = SpreadConstraints.hasOwn(pod.shape)
      // A node without a zone still takes part in spreading over nodes where nobody asked for zones.
      const requireAllKeys = isOwn || !isSystem
      const constraints = isOwn
        ? SpreadConstraints.of(pod.shape).soft
        : DefaultSpread.constraintsOf(pod, defaults, "ScheduleAnyway", requireAllKeys, snapshot.listers)
      if (constraints.length === 0) return undefined
      return SpreadScore.make(constraints, feasible, requireAllKeys, snapshot.index(PodCountsIndex.index))
    },
    normalizeScores: SpreadScore.normalize
  }
}

/**
 * How a configuration makes it.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({ name: "PodTopologySpread", args: Args, make })

/**
 * With the constraints of the system as defaults.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = make({ defaultConstraints: [], defaultingType: "System" })
