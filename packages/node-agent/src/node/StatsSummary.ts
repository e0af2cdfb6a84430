/** The usage of a node as `/stats/summary` of a kubelet shows it. Pure. */
import { Timestamp } from "@reddwarf/api-types"
import type { Amounts, ContainerUsage, NodeUsage, PodUsage } from "./UsageMeter.js"

type JsonObject = Readonly<Record<string, unknown>>

const given = (name: string, value: number | undefined): JsonObject => value === undefined ? {} : { [name]: value }

const started = (at: number | undefined): JsonObject => at === undefined ? {} : { startTime: Timestamp.secondsFromMillis(at) }

const statsOf = (amounts: Amounts, time: string): JsonObject => ({
  cpu: { time, ...given("usageNanoCores", amounts.cpuNanoCores), ...given("usageCoreNanoSeconds", amounts.cpuNanos) },
  memory: {
    time,
    ...given("availableBytes", amounts.available),
    ...given("usageBytes", amounts.workingSet),
    ...given("workingSetBytes", amounts.workingSet),
    ...given("rssBytes", amounts.rss)
  },
  ...(amounts.swap === undefined ? {} : { swap: { time, swapUsageBytes: amounts.swap } })
})

const container = (usage: ContainerUsage, time: string): JsonObject => ({
  name: usage.name,
  ...started(usage.startedAt),
  ...statsOf(usage, time)
})

const pod = (usage: PodUsage, time: string): JsonObject => ({
  podRef: { name: usage.name, namespace: usage.namespace, uid: usage.uid },
  ...started(usage.startedAt),
  containers: usage.containers.map((one) => container(one, time)),
  ...statsOf(usage, time)
})

/** The document. Times are written with microseconds: rates are made of their differences. @category constructors */
export const of = (nodeName: string, usage: NodeUsage): JsonObject => {
  const time = Timestamp.microsFromMillis(usage.time)
  return {
    node: { nodeName, ...started(usage.startedAt), ...statsOf(usage, time) },
    pods: usage.pods.map((one) => pod(one, time))
  }
}
