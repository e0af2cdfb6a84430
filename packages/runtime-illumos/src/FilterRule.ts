/** Rules of the packet filter as typed data, and their texts for ipf. */
import * as Either from "effect/Either"
import * as cidr from "./internal/cidr.js"
import { NetworkSettingRejected } from "./NetworkError.js"

/** One side of a packet. @category models */
export interface Side {
  /** Network with prefix length; absent means any. */
  readonly network?: string | undefined
  /** TCP and UDP only. */
  readonly port?: number | undefined
}

/** A rule of ipf. @category models */
export interface FilterRule {
  readonly action: "pass" | "block"
  readonly direction: "in" | "out"
  /** The first `quick` rule that matches decides; otherwise the last rule does. Default no. */
  readonly quick?: boolean | undefined
  /** Absent means every link. */
  readonly link?: string | undefined
  readonly protocol?: "tcp" | "udp" | "tcp/udp" | "icmp" | undefined
  readonly from?: Side | undefined
  readonly to?: Side | undefined
  /** Lets the answers through as well. Default no. */
  readonly keepState?: boolean | undefined
}

const side = (value: Side | undefined): string =>
  `${value?.network === undefined ? "any" : cidr.canonical(value.network)}${value?.port === undefined ? "" : ` port = ${value.port}`}`

const isAny = (value: Side | undefined): boolean => value?.network === undefined && value?.port === undefined

/** The text of a rule as `ipfstat -io` prints it. Rules are the same when their texts are. @category combinators */
export const canonical = (rule: FilterRule): string =>
  [
    rule.action,
    rule.direction,
    ...(rule.quick === true ? ["quick"] : []),
    ...(rule.link === undefined ? [] : ["on", rule.link]),
    ...(rule.protocol === undefined ? [] : ["proto", rule.protocol]),
    isAny(rule.from) && isAny(rule.to) ? "all" : `from ${side(rule.from)} to ${side(rule.to)}`,
    ...(rule.keepState === true ? ["keep state"] : [])
  ].join(" ")

const problemOf = (rule: FilterRule): string | undefined => {
  if (rule.link !== undefined && !/^[A-Za-z_.][A-Za-z0-9_.]{0,30}$/.test(rule.link)) return `${JSON.stringify(rule.link)} is not the name of a link`
  for (const { network, port } of [rule.from ?? {}, rule.to ?? {}]) {
    if (network !== undefined && cidr.parse(network) === undefined) return `${JSON.stringify(network)} is not a network`
    if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) return `${port} is not a port`
    if (port !== undefined && rule.protocol !== "tcp" && rule.protocol !== "udp" && rule.protocol !== "tcp/udp") return "a port needs the protocol tcp or udp"
  }
  return undefined
}

/** The text of a rule, or why ipf would refuse it. @category combinators */
export const render = (rule: FilterRule): Either.Either<string, NetworkSettingRejected> => {
  const problem = problemOf(rule)
  return problem === undefined
    ? Either.right(canonical(rule))
    : Either.left(new NetworkSettingRejected({ operation: "write filter rule for", object: rule.link ?? "every link", detail: problem }))
}

const sideOf = (network: string | undefined, port: string | undefined): Side | undefined =>
  (network === undefined || network === "any") && port === undefined ? undefined : {
    ...(network === undefined || network === "any" ? {} : { network }),
    ...(port === undefined ? {} : { port: Number(port) })
  }

/** A line of `ipfstat -io`; `undefined` for rules with options this package has no words for. @category combinators */
export const parse = (text: string): FilterRule | undefined => {
  const match =
    /^(pass|block) (in|out)( quick)?(?: on (\S+))?(?: proto (tcp|udp|tcp\/udp|icmp))?(?: (all)| from (\S+)(?: port = (\d+))? to (\S+)(?: port = (\d+))?)( keep state)?$/
      .exec(text)
  if (match === null) return undefined
  const [, action, direction, quick, link, protocol, , from, fromPort, to, toPort, keepState] = match
  const source = sideOf(from, fromPort)
  const destination = sideOf(to, toPort)
  return {
    action: action === "pass" ? "pass" : "block",
    direction: direction === "in" ? "in" : "out",
    ...(quick === undefined ? {} : { quick: true }),
    ...(link === undefined ? {} : { link }),
    ...(protocol === "tcp" || protocol === "udp" || protocol === "tcp/udp" || protocol === "icmp" ? { protocol } : {}),
    ...(source === undefined ? {} : { from: source }),
    ...(destination === undefined ? {} : { to: destination }),
    ...(keepState === undefined ? {} : { keepState: true })
  }
}
