/** Cordoned nodes get no pods, except those that tolerate the taint which stands for it. */
import { Taints } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

const taint: CoreV1.Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }
const rejection = Rejection.unresolvable("node(s) were unschedulable")

/**
 * Rejects nodes with `spec.unschedulable`.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "NodeUnschedulable",
  requeueOn: ["NodeAdd", "NodeUpdateTaints"],
  preFilter: ({ pod }) =>
    pod.spec?.tolerations?.some((toleration) => Taints.tolerates(toleration, taint)) === true
      ? SchedulerPlugin.skip
      : SchedulerPlugin.filterBy(({ node }) => node.spec?.unschedulable === true ? rejection : undefined)
}
