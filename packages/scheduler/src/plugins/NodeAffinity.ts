/** Pods choose nodes by label or name: `nodeSelector` and required node affinity are a must, preferred node affinity is a wish. */
import { NodeSelector } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Schema from "effect/Schema"
import * as ClusterEvent from "../ClusterEvent.js"
import type { PodInfo } from "../PodInfo.js"
import * as PluginFactory from "../PluginFactory.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"
import * as Scores from "../Scores.js"

const rejection = Rejection.unresolvable("node(s) didn't match Pod's node affinity/selector")
const notAdded = Rejection.unresolvable("node(s) didn't match scheduler-enforced node affinity")
const conflict = Rejection.unresolvable("pod affinity terms conflict")

const namesOfTerm = (term: CoreV1.NodeSelectorTerm): ReadonlySet<string> | undefined => {
  let names: ReadonlySet<string> | undefined
  for (const { key, operator, values = [] } of term.matchFields ?? []) {
    if (key !== "metadata.name" || operator !== "In") continue
    const before = names
    names = new Set(before === undefined ? values : values.filter((name) => before.has(name)))
  }
  return names
}

/**
 * The names of the only nodes that can match, when every term names its nodes; `undefined` when any node might. Spares looking at a whole
 * cluster for a pod that belongs to one node, such as those of a DaemonSet.
 *
 * @category combinators
 */
export const namedNodes = (selector: CoreV1.NodeSelector | undefined): ReadonlySet<string> | undefined => {
  if (selector === undefined || selector.nodeSelectorTerms.length === 0) return undefined
  const names = new Set<string>()
  for (const term of selector.nodeSelectorTerms) {
    const ofTerm = namesOfTerm(term)
    if (ofTerm === undefined) return undefined
    for (const name of ofTerm) names.add(name)
  }
  return names
}

const Requirement = Schema.Struct({
  key: Schema.NonEmptyString,
  operator: Schema.Literal("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"),
  values: Schema.optionalWith(Schema.Array(Schema.String), { exact: true })
})

const Term = Schema.Struct({
  matchExpressions: Schema.optionalWith(Schema.Array(Requirement), { exact: true }),
  matchFields: Schema.optionalWith(Schema.Array(Requirement), { exact: true })
})

const Preferred = Schema.Struct({ weight: Schema.Int.pipe(Schema.between(1, 100)), preference: Term })

/**
 * `addedAffinity` holds for all pods of the profile, besides their own: nodes must match both, and the weights of both are added up.
 *
 * @category schemas
 */
export const Args = Schema.Struct({
  addedAffinity: Schema.optionalWith(
    Schema.Struct({
      requiredDuringSchedulingIgnoredDuringExecution: Schema.optionalWith(
        Schema.Struct({ nodeSelectorTerms: Schema.NonEmptyArray(Term) }),
        { exact: true }
      ),
      preferredDuringSchedulingIgnoredDuringExecution: Schema.optionalWith(Schema.Array(Preferred), { exact: true })
    }),
    { exact: true }
  )
})

/**
 * The arguments, complete.
 *
 * @category models
 */
export type Args = typeof Args.Type

const requiredOf = ({ pod }: PodInfo): CoreV1.NodeSelector | undefined =>
  pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution

const none: ReadonlyArray<CoreV1.PreferredSchedulingTerm> = []

/**
 * Rejects nodes that the pod's selector and required terms do not match; prefers those that match the weightier preferred terms.
 *
 * @category constructors
 */
export const make = ({ addedAffinity }: Args): SchedulerPlugin.SchedulerPlugin => {
  const addedRequired = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const addedPreferred = addedAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? none

  const admits = (pod: PodInfo, node: CoreV1.Node | undefined): boolean =>
    node !== undefined && NodeSelector.admits(pod.pod, node) && (addedRequired === undefined || NodeSelector.matches(addedRequired, node))

  return {
    name: "NodeAffinity",
    nodeLocal: true,
    requeueOn: [
      ClusterEvent.when("NodeAdd", (pod, _, node) => admits(pod, node) ? "Queue" : "Skip"),
      ClusterEvent.when("NodeUpdateLabels", (pod, old, next) => admits(pod, next) && !admits(pod, old) ? "Queue" : "Skip"),
      // Of a pod that still has scheduling gates, selector and affinity may be narrowed.
      "PodUpdateOther"
    ],
    preFilter: (info) => {
      const { pod } = info
      const required = requiredOf(info)
      if (required === undefined && pod.spec?.nodeSelector === undefined && addedRequired === undefined) return SchedulerPlugin.skip
      const names = namedNodes(required)
      if (names?.size === 0) return SchedulerPlugin.reject(conflict)
      return SchedulerPlugin.filterBy(({ node }) => {
        if (addedRequired !== undefined && !NodeSelector.matches(addedRequired, node)) return notAdded
        return NodeSelector.admits(pod, node) ? undefined : rejection
      }, names)
    },
    preScore: ({ pod }) => {
      const own = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? none
      const terms = addedPreferred.length === 0 ? own : [...own, ...addedPreferred]
      if (terms.length === 0) return undefined
      return ({ node }) => {
        let sum = 0
        // A term without requirements matches nothing here: Kubernetes gives it no weight.
        for (const { preference, weight } of terms) if (NodeSelector.matchesTerm(preference, node)) sum += weight
        return sum
      }
    },
    normalizeScores: Scores.scaleUp
  }
}

/**
 * How a configuration makes it.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({ name: "NodeAffinity", args: Args, make })

/**
 * With the pods' own affinity alone.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = make({})
