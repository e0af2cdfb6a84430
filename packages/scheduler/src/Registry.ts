/** The plugins that a configuration can name. */
import * as PluginFactory from "./PluginFactory.js"
import * as ActualUsage from "./plugins/ActualUsage.js"
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
import * as Profile from "./Profile.js"

/**
 * Plugins by name, and which of them a profile has that says nothing: in this order, with these weights.
 *
 * @category models
 */
export interface Registry {
  readonly factories: ReadonlyMap<string, PluginFactory.PluginFactory>
  readonly defaults: ReadonlyArray<string>
  readonly weights: Readonly<Record<string, number>>
}

const withArguments: ReadonlyArray<PluginFactory.PluginFactory> = [
  NodeAffinity.factory,
  NodeResourcesFit.factory,
  VolumeBinding.factory,
  ZfsCapacity.factory,
  PodTopologySpread.factory,
  InterPodAffinity.factory,
  PodGroups.factory,
  DefaultPreemption.factory,
  BalancedAllocation.factory,
  ActualUsage.factory
]

const plain: ReadonlyArray<PluginFactory.PluginFactory> = [
  SchedulingGates.plugin,
  PrioritySort.plugin,
  NodeUnschedulable.plugin,
  NodeName.plugin,
  TaintToleration.plugin,
  NodeReady.plugin,
  ZoneBrand.plugin,
  NodePorts.plugin,
  VolumeRestrictions.plugin,
  NodeVolumeLimits.plugin,
  VolumeZone.plugin,
  ImageLocality.plugin
].map(PluginFactory.of)

/**
 * The plugins of this package. `ActualUsage` has to be enabled by name; the others are those of the built-in profile.
 *
 * @category constructors
 */
export const builtIn: Registry = {
  factories: new Map([...withArguments, ...plain].map((factory) => [factory.name, factory])),
  defaults: Profile.builtInPlugins.map(({ name }) => name),
  weights: Profile.builtInWeights
}

/**
 * The registry with more plugins, to be enabled by name. One of a name that is known takes its place.
 *
 * @category combinators
 */
export const withPlugins = (registry: Registry, ...factories: ReadonlyArray<PluginFactory.PluginFactory>): Registry => ({
  ...registry,
  factories: new Map([...registry.factories, ...factories.map((factory) => [factory.name, factory] as const)])
})
