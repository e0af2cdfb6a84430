/** Pods choose nodes by label or name: `nodeSelector` and required node affinity are a must, preferred node affinity is a wish. */
import { NodeSelector } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"
import * as Scores from "../Scores.js"

const rejection = Rejection.unresolvable("node(s) didn't match Pod's node affinity/selector")
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

/**
 * Rejects nodes that the pod's selector and required terms do not match; prefers those that match the weightier preferred terms.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "NodeAffinity",
  requeueOn: ["NodeAdd", "NodeUpdateLabels"],
  preFilter: ({ pod }) => {
    const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    if (required === undefined && pod.spec?.nodeSelector === undefined) return SchedulerPlugin.skip
    const names = namedNodes(required)
    if (names?.size === 0) return SchedulerPlugin.reject(conflict)
    return SchedulerPlugin.filterBy(({ node }) => NodeSelector.admits(pod, node) ? undefined : rejection, names)
  },
  preScore: ({ pod }) => {
    const terms = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
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
