/** Two pods cannot listen on the same port of a node. */
import * as ClusterEvent from "../ClusterEvent.js"
import * as HostPort from "../HostPort.js"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

const rejection = Rejection.unschedulable("node(s) didn't have free ports for the requested pod ports")

const clash = (used: ReadonlyArray<HostPort.HostPort>, wanted: ReadonlyArray<HostPort.HostPort>): boolean =>
  used.some((one) => wanted.some((other) => HostPort.conflicts(one, other)))

/**
 * Rejects nodes on which a host port of the pod is taken.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "NodePorts",
  nodeLocal: true,
  requeueOn: ["NodeAdd", ClusterEvent.when("AssignedPodDelete", (pod, old) => old === undefined || clash(old.hostPorts, pod.hostPorts) ? "Queue" : "Skip")],
  preFilter: ({ hostPorts }) =>
    hostPorts.length === 0
      ? SchedulerPlugin.skip
      : SchedulerPlugin.filterBy(({ usedPorts }) =>
        clash(usedPorts, hostPorts) ? rejection : undefined
      )
}
