/** Rules of address translation as typed data, and their texts for ipnat. */
import * as Either from "effect/Either"
import { isIPv4, isIPv6 } from "node:net"
import * as cidr from "./internal/cidr.js"
import { NetworkSettingRejected } from "./NetworkError.js"

/** Protocols whose ports ipnat keeps. @category models */
export type PortProtocol = "tcp" | "udp" | "tcp/udp"

/** Ports that translated connections get. @category models */
export interface PortMap {
  readonly protocol: PortProtocol
  /** First and last port, or `auto`. */
  readonly range: "auto" | readonly [first: number, last: number]
}

/** A destination that must match, or must not. @category models */
export interface Destination {
  /** Network with prefix length. */
  readonly network: string
  /** The rule is for every other destination. Default no. */
  readonly not?: boolean | undefined
}

/** Rewrites the source of packets that leave by a link. @category models */
export interface MapRule {
  readonly type: "map"
  readonly link: string
  /** Network with prefix length. */
  readonly from: string
  /** Absent means any destination. */
  readonly to?: Destination | undefined
  /** Network with prefix length; `0/32` stands for the address of the link. */
  readonly target: string
  readonly ports?: PortMap | undefined
}

/** Gives one internal address an external one, in both directions. @category models */
export interface BimapRule {
  readonly type: "bimap"
  readonly link: string
  readonly from: string
  readonly target: string
}

/** Shares external addresses among internal ones by blocks of ports. @category models */
export interface MapBlockRule {
  readonly type: "map-block"
  readonly link: string
  readonly from: string
  readonly target: string
  readonly ports: "auto" | number
}

/** Rewrites the destination of packets that arrive on a link. @category models */
export interface RedirectRule {
  readonly type: "rdr"
  readonly link: string
  /** Network with prefix length; absent means any source. */
  readonly from?: string | undefined
  /** Network with prefix length. */
  readonly to: string
  /** One port, or first and last. Needs `targetPort`. */
  readonly port?: number | readonly [first: number, last: number] | undefined
  /** One address, or two that take turns; ipnat has no way for more in one rule. */
  readonly targets: readonly [string] | readonly [string, string]
  readonly targetPort?: number | undefined
  /** Ports are kept for tcp and udp only. */
  readonly protocol: PortProtocol | "ip" | number
  /** Takes turns with the rules that have the same condition. Default no. */
  readonly roundRobin?: boolean | undefined
  /** Keeps a client on the target it was given. Default no. */
  readonly sticky?: boolean | undefined
}

/** A rule of ipnat. @category models */
export type NatRule = MapRule | BimapRule | MapBlockRule | RedirectRule

/** The address of the link, as the target of a `map`. @category models */
export const linkAddress = "0/32"

const canonicalNetwork = (network: string): string =>
  network === "0/32" ? "0.0.0.0/32" : network === "0/0" || network === "any" ? "0.0.0.0/0" : cidr.canonical(network)

const ports = (map: PortMap): string => `portmap ${map.protocol} ${map.range === "auto" ? "auto" : map.range.join(":")}`

/**
 * The text of a rule as `ipnat -l` prints it. Rules are the same when their texts are.
 *
 * @category combinators
 */
export const canonical = (rule: NatRule): string => {
  switch (rule.type) {
    case "map": {
      const condition = rule.to === undefined
        ? canonicalNetwork(rule.from)
        : `from ${canonicalNetwork(rule.from)} ${rule.to.not === true ? "! " : ""}to ${canonicalNetwork(rule.to.network)}`
      return `map ${rule.link} ${condition} -> ${canonicalNetwork(rule.target)}${rule.ports === undefined ? "" : ` ${ports(rule.ports)}`}`
    }
    case "bimap":
      return `bimap ${rule.link} ${canonicalNetwork(rule.from)} -> ${canonicalNetwork(rule.target)}`
    case "map-block":
      return `map-block ${rule.link} ${canonicalNetwork(rule.from)} -> ${canonicalNetwork(rule.target)} ports ${rule.ports}`
    case "rdr":
      break
  }
  const port = rule.port === undefined ? undefined : typeof rule.port === "number" ? String(rule.port) : rule.port.join("-")
  const condition = rule.from === undefined
    ? `${canonicalNetwork(rule.to)}${port === undefined ? "" : ` port ${port}`}`
    : `from ${canonicalNetwork(rule.from)} to ${canonicalNetwork(rule.to)}${port === undefined ? "" : ` port = ${port}`}`
  return [
    `rdr ${rule.link} ${condition} -> ${rule.targets.join(",")}`,
    ...(rule.targetPort === undefined ? [] : [`port ${rule.targetPort}`]),
    String(rule.protocol),
    ...(rule.roundRobin === true ? ["round-robin"] : []),
    ...(rule.sticky === true ? ["sticky"] : [])
  ].join(" ")
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65_535

const networkProblem = (network: string): string | undefined =>
  network === "0/32" || network === "0/0" || network === "any" || (network.includes("/") && cidr.parse(network) !== undefined)
    ? undefined
    : `${JSON.stringify(network)} is not a network with prefix length`

const portMapProblem = (map: PortMap | undefined): string | undefined => {
  if (map === undefined || map.range === "auto") return undefined
  const [first, last] = map.range
  return isPort(first) && isPort(last) && first <= last ? undefined : `${first}:${last} is not a range of ports`
}

const redirectProblem = (rule: RedirectRule): string | undefined => {
  const given = rule.port === undefined ? [] : typeof rule.port === "number" ? [rule.port] : rule.port
  const bad = [...given, ...(rule.targetPort === undefined ? [] : [rule.targetPort])].find((port) => !isPort(port))
  if (bad !== undefined) return `${bad} is not a port`
  if (typeof rule.port !== "number" && rule.port !== undefined && rule.port[0] > rule.port[1]) return "the range of ports is empty"
  if (rule.from !== undefined && typeof rule.port === "object") return "a rule with a source takes a single port"
  if ((rule.port === undefined) !== (rule.targetPort === undefined)) return "a port and a target port need each other"
  if (rule.port !== undefined && (rule.protocol === "ip" || typeof rule.protocol === "number")) {
    return `ports are dropped for protocol ${rule.protocol}`
  }
  const target = rule.targets.find((text) => !isIPv4(text) && !isIPv6(text))
  if (target !== undefined) return `${JSON.stringify(target)} is not an address`
  return [rule.to, ...(rule.from === undefined ? [] : [rule.from])].map(networkProblem).find((problem) => problem !== undefined)
}

const problemOf = (rule: NatRule): string | undefined => {
  if (!/^[A-Za-z_.][A-Za-z0-9_.]{0,30}$/.test(rule.link)) return `${JSON.stringify(rule.link)} is not the name of a link`
  if (rule.type === "rdr") return redirectProblem(rule)
  const networks = [rule.from, rule.target, ...(rule.type === "map" && rule.to !== undefined ? [rule.to.network] : [])]
  const bad = networks.map(networkProblem).find((problem) => problem !== undefined)
  if (bad !== undefined) return bad
  if (rule.target === linkAddress && rule.from.includes(":")) return "0/32 stands for an IPv4 address, the source is IPv6"
  if (rule.type === "map") return portMapProblem(rule.ports)
  return rule.type === "map-block" && rule.ports !== "auto" && !(Number.isInteger(rule.ports) && rule.ports > 0)
    ? `${rule.ports} is not a number of ports`
    : undefined
}

/**
 * The text of a rule, or why ipnat would refuse it or make another rule of it.
 *
 * @category combinators
 */
export const render = (rule: NatRule): Either.Either<string, NetworkSettingRejected> => {
  const problem = problemOf(rule)
  return problem === undefined
    ? Either.right(canonical(rule))
    : Either.left(new NetworkSettingRejected({ operation: "write NAT rule for", object: rule.link, detail: problem }))
}

const parseMap = (text: string): NatRule | undefined => {
  const match =
    /^(map|bimap|map-block) (\S+) (?:(\S+)|from (\S+) (! )?to (\S+)) -> (\S+?)(?: portmap (tcp|udp|tcp\/udp) (?:(auto)|(\d+):(\d+)))?(?: ports (auto|\d+))?$/
      .exec(text)
  if (match === null) return undefined
  const [, type, link = "", plain, source, not, destination, target = "", protocol, auto, first, last, block] = match
  const from = plain ?? source ?? ""
  if (type === "map" && block === undefined) {
    const range = auto === "auto" ? "auto" as const : [Number(first), Number(last)] as const
    return {
      type,
      link,
      from,
      ...(destination === undefined ? {} : { to: { network: destination, ...(not === undefined ? {} : { not: true }) } }),
      target,
      ...(protocol === "tcp" || protocol === "udp" || protocol === "tcp/udp" ? { ports: { protocol, range } } : {})
    }
  }
  if (plain === undefined || protocol !== undefined) return undefined
  if (type === "bimap" && block === undefined) return { type, link, from, target }
  return type === "map-block" && block !== undefined ? { type, link, from, target, ports: block === "auto" ? "auto" : Number(block) } : undefined
}

const redirectProtocol = (text: string): RedirectRule["protocol"] | undefined =>
  text === "tcp" || text === "udp" || text === "tcp/udp" || text === "ip" ? text : /^\d+$/.test(text) ? Number(text) : undefined

const parseRedirect = (text: string): NatRule | undefined => {
  const match =
    /^rdr (\S+) (?:from (\S+) to )?(\S+?)(?: port (?:= )?(\d+)(?:-(\d+))?)? -> ([^\s,]+)(?:,([^\s,]+))?(?: port (\d+))? (\S+)( round-robin)?( sticky)?$/
      .exec(text)
  if (match === null) return undefined
  const [, link = "", from, to = "", port, last, target = "", second, targetPort, word = "", roundRobin, sticky] = match
  const protocol = redirectProtocol(word)
  return protocol === undefined ? undefined : {
    type: "rdr",
    link,
    ...(from === undefined ? {} : { from }),
    to,
    ...(port === undefined ? {} : { port: last === undefined ? Number(port) : [Number(port), Number(last)] as const }),
    targets: second === undefined ? [target] : [target, second],
    ...(targetPort === undefined ? {} : { targetPort: Number(targetPort) }),
    protocol,
    ...(roundRobin === undefined ? {} : { roundRobin: true }),
    ...(sticky === undefined ? {} : { sticky: true })
  }
}

/** A line of `ipnat -l`; `undefined` for rules with options this package has no words for. @category combinators */
export const parse = (text: string): NatRule | undefined => text.startsWith("rdr ") ? parseRedirect(text) : parseMap(text)
