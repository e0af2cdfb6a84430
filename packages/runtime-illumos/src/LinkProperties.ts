/** Properties of datalinks as typed data, and their texts for `dladm -p`. */
import * as Schema from "effect/Schema"

/** What a link may be forbidden to send. @category schemas */
export const Protection = Schema.Literal("mac-nospoof", "restricted", "ip-nospoof", "dhcp-nospoof")
/** @category models */
export type Protection = typeof Protection.Type

/** Every protection: what a link that nobody trusts is given. @category models */
export const everyProtection: ReadonlyArray<Protection> = Protection.literals

/**
 * The properties this package knows the meaning of. Absent means the default of the link.
 *
 * @category models
 */
export interface LinkProperties {
  /** Limit in Mbit/s for both directions together, at least 1.2, not finer than a thousandth. */
  readonly maxbw?: number | undefined
  /** Bytes; can be changed only while nothing uses the link, and is not more than that of the link below. */
  readonly mtu?: number | undefined
  readonly priority?: "low" | "medium" | "high" | undefined
  readonly protection?: ReadonlyArray<Protection> | undefined
  /** Addresses, or networks with a prefix length; at most 13. Has an effect together with `ip-nospoof`. */
  readonly allowedIps?: ReadonlyArray<string> | undefined
  /** Client identifiers for DHCP. Has an effect together with `dhcp-nospoof`. */
  readonly allowedDhcpCids?: ReadonlyArray<string> | undefined
  /** How addresses may be learned in spite of `ip-nospoof` (SmartOS). */
  readonly dynamicMethods?: ReadonlyArray<"dhcpv4" | "dhcpv6" | "slaac"> | undefined
  readonly promiscFiltered?: boolean | undefined
  readonly secondaryMacs?: ReadonlyArray<string> | undefined
  /** Numbers of CPUs that work for the link; not together with `pool`. */
  readonly cpus?: ReadonlyArray<number> | undefined
  readonly pool?: string | undefined
}

/** Least `maxbw` in Mbit/s. @category models */
export const leastBandwidth = 1.2

/** Most addresses in `allowed-ips`. @category models */
export const mostAllowedIps = 13

/** `maxbw` as dladm takes it: Mbit/s, not more than three digits after the point. @category combinators */
export const bandwidth = (mbits: number): string => String(Math.round(mbits * 1000) / 1000)

type Text = readonly [name: string, value: string | undefined]

const list = (values: ReadonlyArray<string | number> | undefined): string | undefined =>
  values === undefined || values.length === 0 ? undefined : values.join(",")

/** Names as dladm has them, with their texts, sorted by name; only those that are set. @category combinators */
export const render = (properties: LinkProperties): Readonly<Record<string, string>> => {
  const texts: ReadonlyArray<Text> = [
    ["allowed-dhcp-cids", list(properties.allowedDhcpCids)],
    ["allowed-ips", list(properties.allowedIps)],
    ["cpus", list(properties.cpus)],
    ["dynamic-methods", list(properties.dynamicMethods)],
    ["maxbw", properties.maxbw === undefined ? undefined : bandwidth(properties.maxbw)],
    ["mtu", properties.mtu === undefined ? undefined : String(properties.mtu)],
    ["pool", properties.pool],
    ["priority", properties.priority],
    ["promisc-filtered", properties.promiscFiltered === undefined ? undefined : properties.promiscFiltered ? "on" : "off"],
    ["protection", list(properties.protection)],
    ["secondary-macs", list(properties.secondaryMacs)]
  ]
  return Object.fromEntries(texts.flatMap(([name, value]) => value === undefined ? [] : [[name, value]]))
}

/** Whether two texts of a property mean the same: lists in any order, numbers in any form. @category combinators */
export const equivalent = (name: string, a: string, b: string): boolean => {
  if (a === b) return true
  if (name === "maxbw" || name === "mtu") return a !== "" && b !== "" && Number(a) === Number(b)
  const set = (text: string) => text.split(",").map((item) => item.trim().replace(/\/(32|128)$/, "")).sort().join(",")
  return set(a) === set(b)
}

/** A property of a link as `show-linkprop` prints it. @category models */
export interface LinkPropertyEntry {
  readonly link: string
  readonly property: string
  /** Without padding; empty when it is not set. */
  readonly value: string
}
