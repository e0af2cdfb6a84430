/** A pod that names its node goes there or nowhere. Such pods bypass the queue; the filter is for what-if questions about them. */
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

const rejection = Rejection.unresolvable("node(s) didn't match the requested node name")

/**
 * Rejects all nodes but the one in `spec.nodeName`.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "NodeName",
  requeueOn: ["NodeAdd"],
  preFilter: ({ pod }) => {
    const name = pod.spec?.nodeName ?? ""
    return name === "" ? SchedulerPlugin.skip : SchedulerPlugin.filterBy((node) => node.name === name ? undefined : rejection)
  }
}
