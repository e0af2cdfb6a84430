/** Cordoned nodes get no pods, except those that tolerate the taint which stands for it. */
import { Taints } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import * as ClusterEvent from "../ClusterEvent.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

const taint: CoreV1.Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }
const rejection = Rejection.unresolvable("node(s) were unschedulable")

const isCordoned = (node: CoreV1.Node | undefined): boolean => node?.spec?.unschedulable === true

/**
 * Rejects nodes with `spec.unschedulable`.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "NodeUnschedulable",
  nodeLocal: true,
  requeueOn: [
    ClusterEvent.when("NodeAdd", (_, __, node) => isCordoned(node) ? "Skip" : "Queue"),
    ClusterEvent.when("NodeUpdateTaints", (_, old, node) => isCordoned(old) && !isCordoned(node) ? "Queue" : "Skip"),
    "PodUpdateTolerations"
  ],
  preFilter: ({ pod }) =>
    pod.spec?.tolerations?.some((toleration) => Taints.tolerates(toleration, taint)) === true
      ? SchedulerPlugin.skip
      : SchedulerPlugin.filterBy(({ facts }) => facts.unschedulable ? rejection : undefined)
}
