/**
 * Tells the user whether making pods of lower priority leave could help a pod that found no node. It removes nothing: where it would help,
 * it stays silent, because the user's pod still waits.
 */
import * as Effect from "effect/Effect"
import * as Diagnosis from "../Diagnosis.js"
import * as NodeInfo from "../NodeInfo.js"
import * as Rejection from "../Rejection.js"
import type { PostFilterContext, SchedulerPlugin } from "../SchedulerPlugin.js"

const notHelpful = Rejection.unresolvable("Preemption is not helpful for scheduling")
const noVictims = Rejection.unresolvable("No preemption victims found for incoming pod")

/**
 * The words for the message, such as `preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.`; nothing when
 * the pod would fit on some node without the pods of lower priority there.
 *
 * @category combinators
 */
export const outlook = ({ pod, snapshot, diagnosis, test }: PostFilterContext): string | undefined => {
  if (snapshot.nodes.length === 0) return undefined
  if (pod.pod.spec?.preemptionPolicy === "Never") return "preemption: not eligible due to preemptionPolicy=Never."
  const rejections: Array<Rejection.Rejection> = []
  for (const [position, node] of snapshot.nodes.entries()) {
    if (diagnosis.rejections[position]?.code !== "Unschedulable") {
      rejections.push(notHelpful)
      continue
    }
    const staying = node.pods.filter((other) => other.priority >= pod.priority)
    if (staying.length === node.pods.length) {
      rejections.push(noVictims)
      continue
    }
    const rejection = test(NodeInfo.withPods(node, staying))
    if (rejection === undefined) return undefined
    rejections.push(rejection)
  }
  return `preemption: ${Diagnosis.message({ rejections, rejectedBy: new Set() })}`
}

/**
 * Adds the outlook to the message of pods that found no node.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = {
  name: "PreemptionOutlook",
  requeueOn: [],
  postFilter: (context) =>
    Effect.sync(() => {
      const message = outlook(context)
      return message === undefined ? {} : { message }
    })
}
