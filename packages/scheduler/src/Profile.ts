/** A scheduler as pods name it in `spec.schedulerName`: its plugins, in order, and how much each score counts. */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as BalancedAllocation from "./plugins/BalancedAllocation.js"
import * as DefaultPreemption from "./plugins/DefaultPreemption.js"
import * as ImageLocality from "./plugins/ImageLocality.js"
import * as InterPodAffinity from "./plugins/InterPodAffinity.js"
import * as NodeAffinity from "./plugins/NodeAffinity.js"
import * as NodeName from "./plugins/NodeName.js"
import * as NodePorts from "./plugins/NodePorts.js"
import * as NodeReady from "./plugins/NodeReady.js"
import * as NodeResourcesFit from "./plugins/NodeResourcesFit.js"
import * as NodeUnschedulable from "./plugins/NodeUnschedulable.js"
import * as NodeVolumeLimits from "./plugins/NodeVolumeLimits.js"
import * as PodGroups from "./plugins/PodGroups.js"
import * as PodTopologySpread from "./plugins/PodTopologySpread.js"
import * as PrioritySort from "./plugins/PrioritySort.js"
import * as SchedulingGates from "./plugins/SchedulingGates.js"
import * as TaintToleration from "./plugins/TaintToleration.js"
import * as VolumeBinding from "./plugins/VolumeBinding.js"
import * as VolumeRestrictions from "./plugins/VolumeRestrictions.js"
import * as VolumeZone from "./plugins/VolumeZone.js"
import * as ZfsCapacity from "./plugins/ZfsCapacity.js"
import * as ZoneBrand from "./plugins/ZoneBrand.js"
import type { SchedulerPlugin } from "./SchedulerPlugin.js"

/**
 * A checked set of plugins.
 *
 * @category models
 */
export interface Profile {
  readonly schedulerName: string
  readonly plugins: ReadonlyArray<SchedulerPlugin>
  /** By plugin name; 1 when absent. */
  readonly weights: ReadonlyMap<string, number>
  /** Share of the nodes that is enough to find a good one; 0 chooses by the size of the cluster. */
  readonly percentageOfNodesToScore: number
}

/**
 * The profile contradicts itself.
 *
 * @category errors
 */
export class InvalidProfile extends Schema.TaggedError<InvalidProfile>()("InvalidProfile", {
  schedulerName: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `scheduler profile "${this.schedulerName}": ${this.detail}`
  }
}

/**
 * What a profile is made of. `weights` is by plugin name.
 *
 * @category models
 */
export interface Options {
  readonly schedulerName: string
  readonly plugins: ReadonlyArray<SchedulerPlugin>
  readonly weights?: Readonly<Record<string, number>>
  readonly percentageOfNodesToScore?: number
}

const problem = (options: Options): string | undefined => {
  const names = options.plugins.map((plugin) => plugin.name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (options.schedulerName === "") return "the name is empty; give the name that pods write in spec.schedulerName"
  if (twice !== undefined) return `plugin ${twice} is there twice; give each plugin its own name`
  if (options.plugins.filter((plugin) => plugin.queueSort !== undefined).length > 1) {
    return "more than one plugin sorts the queue; keep one with queueSort"
  }
  for (const [name, weight] of Object.entries(options.weights ?? {})) {
    if (!names.includes(name)) return `there is a weight for ${name}, which is not among the plugins; add the plugin or drop the weight`
    if (!Number.isSafeInteger(weight) || weight < 0) return `the weight of ${name} is ${weight}; give a whole number from 0 on`
  }
  const percentage = options.percentageOfNodesToScore ?? 0
  return percentage >= 0 && percentage <= 100 ? undefined : `percentageOfNodesToScore is ${percentage}; give 0 to 100`
}

/**
 * Checks the parts and makes a profile of them.
 *
 * @category constructors
 */
export const make = (options: Options): Either.Either<Profile, InvalidProfile> => {
  const detail = problem(options)
  return detail !== undefined
    ? Either.left(new InvalidProfile({ schedulerName: options.schedulerName, detail }))
    : Either.right({
      schedulerName: options.schedulerName,
      plugins: options.plugins,
      weights: new Map(Object.entries(options.weights ?? {})),
      percentageOfNodesToScore: options.percentageOfNodesToScore ?? 0
    })
}

/**
 * The profiles by their names; fails when two have the same.
 *
 * @category combinators
 */
export const byName = (profiles: ReadonlyArray<Profile>): Either.Either<ReadonlyMap<string, Profile>, InvalidProfile> => {
  const found = new Map<string, Profile>()
  for (const profile of profiles) {
    const { schedulerName } = profile
    if (found.has(schedulerName)) return Either.left(new InvalidProfile({ schedulerName, detail: "there are two of this name; give each its own" }))
    found.set(schedulerName, profile)
  }
  return Either.right(found)
}

/**
 * The plugins of the built-in scheduler, in order. The cheap filters that rule out most come first; a node is blamed on the first that rejects it.
 *
 * @category constructors
 */
export const builtInPlugins: ReadonlyArray<SchedulerPlugin> = [
  SchedulingGates.plugin,
  PrioritySort.plugin,
  NodeUnschedulable.plugin,
  NodeName.plugin,
  TaintToleration.plugin,
  NodeReady.plugin,
  NodeAffinity.plugin,
  ZoneBrand.plugin,
  NodePorts.plugin,
  NodeResourcesFit.plugin,
  VolumeRestrictions.plugin,
  NodeVolumeLimits.plugin,
  VolumeBinding.plugin,
  VolumeZone.plugin,
  ZfsCapacity.plugin,
  PodTopologySpread.plugin,
  InterPodAffinity.plugin,
  DefaultPreemption.plugin,
  PodGroups.plugin,
  BalancedAllocation.plugin,
  ImageLocality.plugin
]

/**
 * How much the scores of the built-in plugins count.
 *
 * @category constructors
 */
export const builtInWeights: Readonly<Record<string, number>> = {
  TaintToleration: 3,
  NodeAffinity: 2,
  PodTopologySpread: 2,
  InterPodAffinity: 2,
  NodeResourcesFit: 1,
  NodeResourcesBalancedAllocation: 1,
  ImageLocality: 1
}

/**
 * The built-in scheduler, which pods get that do not name another one.
 *
 * @category constructors
 */
export const builtIn: Profile = {
  schedulerName: "default-scheduler",
  plugins: builtInPlugins,
  weights: new Map(Object.entries(builtInWeights)),
  percentageOfNodesToScore: 0
}
