/**
 * The rules of placement once more, written for clarity alone: every check from the raw objects, no preparation, no sums kept, no sharing.
 * What the scheduler does fast must agree with this.
 */
import type { CoreV1 } from "@reddwarf/api-types"

/** Understands the few forms the generated clusters use. */
const units: Readonly<Record<string, number>> = { "": 1, Mi: 2 ** 20, Gi: 2 ** 30 }
const quantity = (text = "0"): number => {
  const [, digits = "0", unit = ""] = /^(\d+)(\D*)$/.exec(text) ?? []
  return Number(digits) * (units[unit] ?? Number.NaN)
}
const millis = (text = "0"): number => text.endsWith("m") ? Number(text.slice(0, -1)) : quantity(text) * 1000

const requestOf = (pod: CoreV1.Pod, resource: string): number => {
  const of = (container: CoreV1.Container): number =>
    resource === "cpu" ? millis(container.resources?.requests?.["cpu"]) : quantity(container.resources?.requests?.[resource])
  const app = (pod.spec?.containers ?? []).reduce((sum, container) => sum + of(container), 0)
  const init = Math.max(0, ...(pod.spec?.initContainers ?? []).map(of))
  return Math.max(app, init)
}
const allocatableOf = (node: CoreV1.Node, resource: string): number => {
  const text = node.status?.allocatable?.[resource]
  return resource === "cpu" ? millis(text) : quantity(text)
}

const tolerates = (pod: CoreV1.Pod, taint: CoreV1.Taint): boolean =>
  (pod.spec?.tolerations ?? []).some((t) =>
    (t.effect === undefined || t.effect === taint.effect) &&
    (t.operator === "Exists" ? t.key === undefined || t.key === taint.key : t.key === taint.key && (t.value ?? "") === (taint.value ?? ""))
  )

const requirementHolds = (requirement: CoreV1.NodeSelectorRequirement, value: string | undefined): boolean => {
  const values = requirement.values ?? []
  if (requirement.operator === "In") return value !== undefined && values.includes(value)
  if (requirement.operator === "NotIn") return value === undefined || !values.includes(value)
  if (requirement.operator === "Exists") return value !== undefined
  if (requirement.operator === "DoesNotExist") return value === undefined
  if (value === undefined) return false
  return requirement.operator === "Gt" ? Number(value) > Number(values[0]) : Number(value) < Number(values[0])
}
const termHolds = (term: CoreV1.NodeSelectorTerm, node: CoreV1.Node): boolean =>
  (term.matchExpressions ?? []).every((each) => requirementHolds(each, node.metadata.labels?.[each.key])) &&
  (term.matchFields ?? []).every((each) => requirementHolds(each, node.metadata.name)) &&
  (term.matchExpressions ?? []).length + (term.matchFields ?? []).length > 0

const ports = (pod: CoreV1.Pod) =>
  (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []).filter((port) => (port.hostPort ?? 0) > 0)
const any = (ip: string | undefined) => ip === undefined || ip === "" || ip === "0.0.0.0"
const portsClash = (a: CoreV1.ContainerPort, b: CoreV1.ContainerPort): boolean =>
  a.hostPort === b.hostPort && (a.protocol ?? "TCP") === (b.protocol ?? "TCP") && (any(a.hostIP) || any(b.hostIP) || a.hostIP === b.hostIP)

const resources = ["cpu", "memory", "ephemeral-storage", "example.com/gpu"]

/** Whether the pod may join these pods on the node. */
export const feasible = (pod: CoreV1.Pod, node: CoreV1.Node, placed: ReadonlyArray<CoreV1.Pod>): boolean => {
  const taints = node.spec?.taints ?? []
  const cordon: CoreV1.Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }
  if (node.spec?.unschedulable === true && !tolerates(pod, cordon)) return false
  if (taints.some((taint) => taint.effect !== "PreferNoSchedule" && !tolerates(pod, taint))) return false
  if (node.status?.conditions?.find((condition) => condition.type === "Ready")?.status !== "True") return false
  for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {})) if (node.metadata.labels?.[key] !== value) return false
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (required !== undefined && !required.nodeSelectorTerms.some((term) => termHolds(term, node))) return false
  const brand = pod.metadata.annotations?.["reddwarf.io/zone-brand"]
  if (brand !== undefined && !(node.metadata.labels?.["reddwarf.io/zone-brands"] ?? "").split(".").includes(brand)) return false
  if (placed.some((other) => ports(other).some((used) => ports(pod).some((wanted) => portsClash(used, wanted))))) return false
  if (placed.length + 1 > allocatableOf(node, "pods")) return false
  return resources.every((resource) => {
    const wanted = requestOf(pod, resource)
    const used = placed.reduce((sum, other) => sum + requestOf(other, resource), 0)
    return wanted === 0 || wanted + used <= allocatableOf(node, resource)
  })
}

const scoringRequest = (pod: CoreV1.Pod, resource: "cpu" | "memory"): number =>
  (pod.spec?.containers ?? []).reduce((sum, { resources: r }) => {
    const text = r?.requests?.[resource] ?? (resource === "cpu" ? "100m" : "200Mi")
    return sum + (resource === "cpu" ? millis(text) : quantity(text))
  }, 0)

/** Total weighted score of each feasible node, for pods without init containers. */
export const totals = (pod: CoreV1.Pod, nodes: ReadonlyArray<{ readonly node: CoreV1.Node; readonly placed: ReadonlyArray<CoreV1.Pod> }>): ReadonlyArray<number> => {
  const least = nodes.map(({ node, placed }) => {
    const shares = (["cpu", "memory"] as const).map((resource) => {
      const total = allocatableOf(node, resource)
      const used = [...placed, pod].reduce((sum, each) => sum + scoringRequest(each, resource), 0)
      return used > total ? 0 : Math.floor(((total - used) * 100) / total)
    })
    return Math.floor(((shares[0] ?? 0) + (shares[1] ?? 0)) / 2)
  })
  const asksNothing = requestOf(pod, "cpu") === 0 && requestOf(pod, "memory") === 0
  const balanced = nodes.map(({ node, placed }) => {
    if (asksNothing) return 0
    const evenWith = (pods: ReadonlyArray<CoreV1.Pod>): number => {
      const [cpu = 0, memory = 0] = (["cpu", "memory"] as const).map((resource) =>
        Math.min(1, pods.reduce((sum, each) => sum + requestOf(each, resource), 0) / allocatableOf(node, resource))
      )
      return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100)
    }
    return 50 + Math.floor((50 + evenWith([...placed, pod]) - evenWith(placed)) / 2)
  })
  const bad = nodes.map(({ node }) => (node.spec?.taints ?? []).filter((t) => t.effect === "PreferNoSchedule" && !tolerates(pod, t)).length)
  const worst = Math.max(...bad)
  const preferred = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  const liked = nodes.map(({ node }) => preferred.reduce((sum, { preference, weight }) => sum + (termHolds(preference, node) ? weight : 0), 0))
  const most = Math.max(...liked)
  return nodes.map((_, i) =>
    (least[i] ?? 0) + (balanced[i] ?? 0) +
    3 * (worst === 0 ? 100 : 100 - Math.floor((100 * (bad[i] ?? 0)) / worst)) +
    2 * (most === 0 ? 0 : Math.floor((100 * (liked[i] ?? 0)) / most))
  )
}
