/** Which changes of the cluster may help a pod that found no node because of its spread constraints. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as ClusterEvent from "../../ClusterEvent.js"
import type { PodInfo } from "../../PodInfo.js"
import * as NodeLabels from "./nodeLabels.js"
import * as PodSelection from "./podSelection.js"
import type { SpreadConstraint } from "./spreadConstraints.js"

const queueIf = (helps: boolean): ClusterEvent.Hint => helps ? "Queue" : "Skip"

const isTerminating = ({ pod }: PodInfo): boolean => pod.metadata.deletionTimestamp !== undefined

/** The triggers of pods with these constraints. */
export const triggers = (constraintsOf: (pod: PodInfo) => ReadonlyArray<SpreadConstraint>): ReadonlyArray<ClusterEvent.Trigger> => {
  /** Whether one of two versions counts for a constraint and the other one does not. */
  const countsDiffer = (pod: PodInfo, old: PodInfo | undefined, next: PodInfo | undefined): ClusterEvent.Hint => {
    if (old === undefined && next === undefined) return "Queue"
    const counts = (other: PodInfo | undefined, { selection }: SpreadConstraint): boolean =>
      other !== undefined && PodSelection.selects(selection, other.shape, old !== undefined && next !== undefined && isTerminating(other))
    return queueIf(constraintsOf(pod).some((constraint) => counts(old, constraint) !== counts(next, constraint)))
  }

  const domainsDiffer = (pod: PodInfo, old: CoreV1.Node | undefined, next: CoreV1.Node | undefined): ClusterEvent.Hint => {
    if (old === undefined && next === undefined) return "Queue"
    const constraints = constraintsOf(pod)
    const domainIn = (node: CoreV1.Node | undefined, { topology }: SpreadConstraint) => node === undefined ? undefined : topology.domainOf(node)
    // A node that makes a domain for none of them changes nothing, unless it is one more place to go to.
    const takesPart = next !== undefined && NodeLabels.hasAll(next, constraints.map(({ topologyKey }) => topologyKey)) && old === undefined
    return queueIf(takesPart || constraints.some((constraint) => domainIn(old, constraint) !== domainIn(next, constraint)))
  }

  return [
    ClusterEvent.when("AssignedPodAdd", countsDiffer),
    ClusterEvent.when("AssignedPodUpdateLabels", countsDiffer),
    ClusterEvent.when("AssignedPodDelete", countsDiffer),
    ClusterEvent.when("NodeAdd", domainsDiffer),
    ClusterEvent.when("NodeDelete", domainsDiffer),
    ClusterEvent.when("NodeUpdateLabels", domainsDiffer),
    ClusterEvent.when("NodeUpdateTaints", domainsDiffer),
    "PodUpdateLabels",
    "PodUpdateTolerations"
  ]
}
