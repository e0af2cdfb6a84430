/** Taints keep pods away from a node unless they tolerate them; `PreferNoSchedule` taints only make it less attractive. */
import { Taints } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Rejection from "../Rejection.js"
import * as Scores from "../Scores.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

const rejection = Rejection.unresolvable("node(s) had untolerated taint(s)")

const none: ReadonlyArray<CoreV1.Taint> = []

const tolerated = (taint: CoreV1.Taint, tolerations: ReadonlyArray<CoreV1.Toleration>): boolean =>
  tolerations.some((toleration) => Taints.tolerates(toleration, taint))

/**
 * Rejects nodes with a `NoSchedule` or `NoExecute` taint that the pod does not tolerate; prefers those with fewer `PreferNoSchedule` ones.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "TaintToleration",
  requeueOn: ["NodeAdd", "NodeUpdateTaints"],
  preFilter: ({ pod }) => {
    const tolerations = pod.spec?.tolerations ?? []
    return SchedulerPlugin.filterBy(({ node }) =>
      node.spec?.taints?.some((taint) => taint.effect !== "PreferNoSchedule" && !tolerated(taint, tolerations)) === true
        ? rejection
        : undefined
    )
  },
  preScore: ({ pod }) => {
    const tolerations = pod.spec?.tolerations ?? []
    return ({ node }) => {
      let unwelcome = 0
      for (const taint of node.spec?.taints ?? none) {
        if (taint.effect === "PreferNoSchedule" && !tolerated(taint, tolerations)) unwelcome += 1
      }
      return unwelcome
    }
  },
  normalizeScores: Scores.scaleDown
}
