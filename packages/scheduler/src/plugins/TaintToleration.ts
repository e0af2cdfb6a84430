/** Taints keep pods away from a node unless they tolerate them; `PreferNoSchedule` taints only make it less attractive. */
import { Taints } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as ClusterEvent from "../ClusterEvent.js"
import type { PodInfo } from "../PodInfo.js"
import * as Rejection from "../Rejection.js"
import * as Scores from "../Scores.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

const rejection = Rejection.unresolvable("node(s) had untolerated taint(s)")

const tolerated = (taint: CoreV1.Taint, tolerations: ReadonlyArray<CoreV1.Toleration>): boolean =>
  tolerations.some((toleration) => Taints.tolerates(toleration, taint))

/** Whether a taint of the node keeps the pod away. */
const repels = (node: CoreV1.Node | undefined, { pod }: PodInfo): boolean =>
  node?.spec?.taints?.some((taint) => taint.effect !== "PreferNoSchedule" && !tolerated(taint, pod.spec?.tolerations ?? [])) === true

/**
 * Rejects nodes with a `NoSchedule` or `NoExecute` taint that the pod does not tolerate; prefers those with fewer `PreferNoSchedule` ones.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "TaintToleration",
  nodeLocal: true,
  requeueOn: [
    ClusterEvent.when("NodeAdd", (pod, _, node) => repels(node, pod) ? "Skip" : "Queue"),
    ClusterEvent.when("NodeUpdateTaints", (pod, old, node) => repels(old, pod) && !repels(node, pod) ? "Queue" : "Skip"),
    "PodUpdateTolerations"
  ],
  preFilter: ({ pod }) => {
    const tolerations = pod.spec?.tolerations ?? []
    return SchedulerPlugin.filterBy(({ facts }) => {
      for (const taint of facts.hardTaints) if (!tolerated(taint, tolerations)) return rejection
      return undefined
    })
  },
  preScore: ({ pod }) => {
    const tolerations = pod.spec?.tolerations ?? []
    return ({ facts }) => {
      let unwelcome = 0
      for (const taint of facts.softTaints) if (!tolerated(taint, tolerations)) unwelcome += 1
      return unwelcome
    }
  },
  normalizeScores: Scores.scaleDown
}
