/** The table row of a Node. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { ageCell, none } from "../internal/columns.js"
import type { Cell } from "../Kind.js"

const statusOf = ({ spec, status }: CoreV1.Node): string => {
  const ready = status?.conditions?.find((condition) => condition.type === "Ready")
  const word = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady"
  return spec?.unschedulable === true ? `${word},SchedulingDisabled` : word
}

const rolePrefix = "node-role.kubernetes.io/"

const rolesOf = ({ metadata }: CoreV1.Node): string => {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(rolePrefix) && key.length > rolePrefix.length) roles.add(key.slice(rolePrefix.length))
    else if (key === "kubernetes.io/role" && value !== "") roles.add(value)
  }
  return roles.size === 0 ? none : [...roles].toSorted().join(",")
}

const addressOf = (node: CoreV1.Node, type: string): string =>
  node.status?.addresses?.find((address) => address.type === type)?.address ?? none

const orUnknown = (value: string | undefined): string => (value === undefined || value === "" ? "<unknown>" : value)

const kernelOf = (info: CoreV1.NodeSystemInfo | undefined): string => {
  const kernel = orUnknown(info?.kernelVersion)
  return kernel === "<unknown>" || (info?.architecture ?? "") === "" ? kernel : `${kernel} (${info?.architecture ?? ""})`
}

/** Cells in the order of the kind's columns. @category combinators */
export const nodeCells = (node: CoreV1.Node, now: number): ReadonlyArray<Cell> => {
  const info = node.status?.nodeInfo
  return [
    node.metadata.name ?? "",
    statusOf(node),
    rolesOf(node),
    ageCell(node, now),
    info?.kubeletVersion ?? "",
    addressOf(node, "InternalIP"),
    addressOf(node, "ExternalIP"),
    orUnknown(info?.osImage),
    kernelOf(info),
    orUnknown(info?.containerRuntimeVersion)
  ]
}
