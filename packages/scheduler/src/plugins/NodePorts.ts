/** Two pods cannot listen on the same port of a node. */
import * as HostPort from "../HostPort.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

const rejection = Rejection.unschedulable("node(s) didn't have free ports for the requested pod ports")

/**
 * Rejects nodes on which a host port of the pod is taken.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "NodePorts",
  requeueOn: ["NodeAdd", "AssignedPodDelete"],
  preFilter: ({ hostPorts }) =>
    hostPorts.length === 0
      ? SchedulerPlugin.skip
      : SchedulerPlugin.filterBy(({ usedPorts }) =>
        usedPorts.some((used) => hostPorts.some((wanted) => HostPort.conflicts(used, wanted))) ? rejection : undefined
      )
}
