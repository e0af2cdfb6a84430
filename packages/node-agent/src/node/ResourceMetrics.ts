/** The usage of a node as `/metrics/resource` of a kubelet shows it, as text for Prometheus. Pure. */
import { Exposition } from "@reddwarf/prometheus"
import type { Amounts, NodeUsage } from "./UsageMeter.js"

const render = (families: ReadonlyArray<Exposition.Family>): string =>
  Exposition.document(families.map((family) => ({ ...family, help: `[STABLE] ${family.help ?? ""}` })))

/** Everything that one kind of thing is measured by. */
const measured = (
  scope: "container" | "node" | "pod",
  things: ReadonlyArray<{ readonly labels: Exposition.Labels; readonly amounts: Amounts }>,
  time: number
): ReadonlyArray<Exposition.Family> => {
  const samples = (amount: (amounts: Amounts) => number | undefined) =>
    things.flatMap(({ amounts, labels }) => {
      const value = amount(amounts)
      return value === undefined ? [] : [{ labels, value, time }]
    })
  return [
    {
      name: `${scope}_cpu_usage_seconds_total`,
      type: "counter",
      help: `CPU time that the ${scope} has used, in seconds of one core`,
      samples: samples(({ cpuNanos }) => cpuNanos === undefined ? undefined : cpuNanos / 1e9)
    },
    {
      name: `${scope}_memory_working_set_bytes`,
      type: "gauge",
      help: `Memory that the ${scope} works with, in bytes`,
      samples: samples(({ workingSet }) => workingSet)
    },
    { name: `${scope}_swap_usage_bytes`, type: "gauge", help: `Swap that the ${scope} uses, in bytes`, samples: samples(({ swap }) => swap) }
  ]
}

const errorFamily = (value: 0 | 1): Exposition.Family => ({
  name: "resource_scrape_error",
  type: "gauge",
  help: "1 if the usage could not be measured, 0 otherwise",
  samples: [{ value }]
})

/** The document. @category constructors */
export const of = (usage: NodeUsage): string => {
  const { pods, time } = usage
  const containers = pods.flatMap(({ containers, name, namespace }) =>
    containers.map((container) => ({ labels: { container: container.name, namespace, pod: name }, amounts: container, startedAt: container.startedAt })))
  return render([
    ...measured("container", containers, time),
    {
      name: "container_start_time_seconds",
      type: "gauge",
      help: "When the container started, in seconds since the epoch",
      samples: containers.map(({ labels, startedAt }) => ({ labels, value: startedAt / 1000 }))
    },
    ...measured("node", [{ labels: {}, amounts: usage }], time),
    ...measured("pod", pods.map((pod) => ({ labels: { namespace: pod.namespace, pod: pod.name }, amounts: pod })), time),
    errorFamily(0)
  ])
}

/** The document of a host that could not be measured. @category constructors */
export const failed: string = render([errorFamily(1)])
