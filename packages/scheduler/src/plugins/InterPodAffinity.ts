/**
 * Pods that want to be near other pods, or away from them: in the same or another domain of a topology, such as a node or a zone. What placed
 * pods require counts as well as what the new one does.
 */
import * as Schema from "effect/Schema"
import * as AffinityFilter from "../internal/topology/affinityFilter.js"
import { triggers } from "../internal/topology/affinityHints.js"
import * as AffinityScore from "../internal/topology/affinityScore.js"
import * as PluginFactory from "../PluginFactory.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

/**
 * `hardPodAffinityWeight`, 0 to 100: how much a node is preferred because a pod there requires pods like this one near it.
 * `ignorePreferredTermsOfExistingPods`: pods without preferred terms of their own are not scored.
 *
 * @category schemas
 */
export const Args = Schema.Struct({
  hardPodAffinityWeight: Schema.optionalWith(Schema.Int.pipe(Schema.between(0, 100)), { default: () => 1 }),
  ignorePreferredTermsOfExistingPods: Schema.optionalWith(Schema.Boolean, { default: () => false })
})

/**
 * The arguments, complete.
 *
 * @category models
 */
export type Args = typeof Args.Type

/**
 * Rejects nodes whose domains do not have the pods that are required near, that have some that are not wanted, or pods that do not want this
 * one; prefers nodes by the weights of the preferred terms, both ways.
 *
 * @category constructors
 */
export const make = (args: Args): SchedulerPlugin.SchedulerPlugin => ({
  name: "InterPodAffinity",
  requeueOn: triggers,
  uses: ["namespaces"],
  preFilter: (pod, snapshot) => {
    const filter = AffinityFilter.make(pod, snapshot)
    return filter === undefined ? SchedulerPlugin.skip : SchedulerPlugin.filterBy(filter.test, undefined, filter.whatIf)
  },
  preScore: (pod, _, snapshot) => AffinityScore.make(pod, snapshot, args),
  normalizeScores: AffinityScore.normalize
})

/**
 * How a configuration makes it.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({ name: "InterPodAffinity", args: Args, make })

/**
 * With the usual arguments.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = make({ hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false })
