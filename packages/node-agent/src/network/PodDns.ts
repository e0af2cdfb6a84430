/** How a pod resolves names: its `dnsPolicy` and `dnsConfig`, with what the cluster and the node have. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ZoneRuntime } from "@reddwarf/runtime-illumos"
import type { PodEvent } from "../pod/PodEvents.js"

/** What the cluster offers. @category models */
export interface ClusterDns {
  /** Addresses of the name servers of the cluster. None: pods that ask for them get those of the node. */
  readonly servers: ReadonlyArray<string>
  /** Domain of the cluster, such as `cluster.local`. */
  readonly domain: string
}

/** What is in a `resolv.conf`. @category models */
export interface Resolver {
  readonly nameservers: ReadonlyArray<string>
  readonly searches: ReadonlyArray<string>
  /** Such as `ndots:5`. */
  readonly options: ReadonlyArray<string>
}

/** @category models */
export interface Resolution {
  readonly dns: ZoneRuntime.ZoneDns
  /** What of it had to be left out. */
  readonly events: ReadonlyArray<PodEvent>
}

/** What a resolver uses. */
const [mostNameservers, mostSearches, mostSearchCharacters] = [3, 32, 2048]

const none: Resolver = { nameservers: [], searches: [], options: [] }

/**
 * What a file says. Of several lines with domains the last one holds, as for a resolver; what is not understood is left out.
 *
 * @category constructors
 */
export const parse = (text: string): Resolver => {
  const nameservers: Array<string> = []
  const options: Array<string> = []
  let searches: ReadonlyArray<string> = []
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line.replace(/[#;].*/, "").trim().split(/\s+/)
    if (keyword === "nameserver" && words[0] !== undefined) nameservers.push(words[0])
    else if (keyword === "options") options.push(...words)
    else if (keyword === "search") searches = words
    else if (keyword === "domain") searches = words.slice(0, 1)
  }
  return { nameservers, searches, options }
}

const nameOf = (option: string): string => option.replace(/:.*/, "")

/** Later options win over earlier ones of the same name. */
const merged = (options: ReadonlyArray<string>): ReadonlyArray<string> => [...new Map(options.map((option) => [nameOf(option), option])).values()]

const unique = (words: ReadonlyArray<string>): ReadonlyArray<string> => [...new Set(words)]

const withinLimits = ({ nameservers, options, searches }: Resolver): Resolution => {
  const servers = nameservers.slice(0, mostNameservers)
  let length = -1
  const domains = searches.slice(0, mostSearches).filter((domain) => (length += domain.length + 1) <= mostSearchCharacters)
  const texts = [
    ...(servers.length === nameservers.length
      ? []
      : [`Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: ${servers.join(" ")}`]),
    ...(domains.length === searches.length
      ? []
      : [`Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${domains.join(" ")}`])
  ]
  return {
    dns: { nameservers: servers, searches: domains, options },
    events: texts.map((message) => ({ type: "Warning", reason: "DNSConfigForming", message }))
  }
}

const byPolicy = (policy: string | undefined, namespace: string, cluster: ClusterDns, node: Resolver): Resolver => {
  if (policy === "None") return none
  if (policy === "Default" || cluster.servers.length === 0) return node
  const { domain, servers } = cluster
  return { nameservers: servers, searches: [`${namespace}.svc.${domain}`, `svc.${domain}`, domain, ...node.searches], options: ["ndots:5"] }
}

/**
 * What the zone of a pod gets. `node` is what the node itself uses.
 *
 * @category constructors
 */
export const of = (pod: CoreV1.Pod, cluster: ClusterDns, node: Resolver): Resolution => {
  const base = byPolicy(pod.spec?.dnsPolicy, pod.metadata.namespace ?? "default", cluster, node)
  const { nameservers = [], options = [], searches = [] } = pod.spec?.dnsConfig ?? {}
  const own = options.flatMap(({ name, value }) => name === undefined ? [] : [value === undefined || value === "" ? name : `${name}:${value}`])
  return withinLimits({
    nameservers: unique([...base.nameservers, ...nameservers]),
    searches: unique([...base.searches, ...searches]),
    options: merged([...base.options, ...own])
  })
}
