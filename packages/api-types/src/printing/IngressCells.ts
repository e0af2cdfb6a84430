/** The table row of an Ingress. */
import type * as NetworkingV1 from "../generated/NetworkingV1.js"
import { ageCell, none } from "../internal/columns.js"
import type { Cell } from "../Kind.js"

const mostHosts = 3

const hostsOf = ({ spec = {} }: NetworkingV1.Ingress): string => {
  const hosts = (spec.rules ?? []).map(({ host = "" }) => host).filter((host) => host !== "")
  if (hosts.length === 0) return "*"
  return hosts.length > mostHosts
    ? `${hosts.slice(0, mostHosts).join(",")} + ${hosts.length - mostHosts} more...`
    : hosts.join(",")
}

const addressOf = ({ status }: NetworkingV1.Ingress): string =>
  (status?.loadBalancer?.ingress ?? [])
    .map(({ hostname = "", ip = "" }) => (ip === "" ? hostname : ip))
    .filter((address) => address !== "")
    .join(",")

/** Cells in the order of the kind's columns. @category combinators */
export const ingressCells = (object: NetworkingV1.Ingress, now: number): ReadonlyArray<Cell> => [
  object.metadata.name ?? "",
  object.spec?.ingressClassName ?? none,
  hostsOf(object),
  addressOf(object),
  (object.spec?.tls ?? []).length > 0 ? "80, 443" : "80",
  ageCell(object, now)
]
