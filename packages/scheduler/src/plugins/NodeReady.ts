/**
 * A node that is not ready gets no pods. The taint `node.kubernetes.io/not-ready` says the same, but a controller sets it some time later, and
 * pods may tolerate it.
 */
import * as NodeInfo from "../NodeInfo.js"
import * as Rejection from "../Rejection.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"

const rejection = Rejection.unresolvable("node(s) were not ready")

/**
 * Rejects nodes whose `Ready` condition is not `True`.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = {
  name: "NodeReady",
  nodeLocal: true,
  requeueOn: ["NodeAdd", "NodeUpdateConditions"],
  filter: (_, node) => NodeInfo.isReady(node) ? undefined : rejection
}
