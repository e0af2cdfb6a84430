/** The table row of a Service. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { ageCell, none } from "../internal/columns.js"
import type { Cell } from "../Kind.js"

const joined = (values: ReadonlyArray<string> | undefined): string =>
  values === undefined || values.length === 0 ? none : values.join(",")

const loadBalancerOf = (service: CoreV1.Service): string => {
  const ingress = (service.status?.loadBalancer?.ingress ?? []).map(({ hostname = "", ip = "" }) => (ip === "" ? hostname : ip))
  const addresses = [...new Set(ingress.filter((address) => address !== ""))].toSorted().join(",")
  const shown = addresses.length > 16 ? `${addresses.slice(0, 13)}...` : addresses
  const all = [...(shown === "" ? [] : [shown]), ...(service.spec?.externalIPs ?? [])]
  return all.length === 0 ? "<pending>" : all.join(",")
}

const externalOf = (service: CoreV1.Service): string => {
  const { externalIPs, externalName, type } = service.spec ?? {}
  if (type === "ClusterIP" || type === "NodePort") return joined(externalIPs)
  if (type === "LoadBalancer") return loadBalancerOf(service)
  return type === "ExternalName" ? (externalName ?? none) : "<unknown>"
}

const portOf = ({ nodePort = 0, port, protocol = "TCP" }: CoreV1.ServicePort): string =>
  nodePort > 0 ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`

const selectorOf = (selector: Readonly<Record<string, string>> | undefined): string => {
  const pairs = Object.entries(selector ?? {}).map(([key, value]) => `${key}=${value}`)
  return joined(pairs.toSorted())
}

/** Cells in the order of the kind's columns. @category combinators */
export const serviceCells = (service: CoreV1.Service, now: number): ReadonlyArray<Cell> => {
  const { clusterIP, clusterIPs = [], ports = [], selector, type } = service.spec ?? {}
  const address = clusterIPs[0] ?? clusterIP ?? ""
  return [
    service.metadata.name ?? "",
    type ?? "",
    address === "" ? none : address,
    externalOf(service),
    joined(ports.map(portOf)),
    ageCell(service, now),
    selectorOf(selector)
  ]
}
