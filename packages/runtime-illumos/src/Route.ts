/** route and netstat: the routing table of the global zone. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import { type HostError, HostPermissionDenied, UnreadableOutput } from "./HostError.js"
import * as cidr from "./internal/cidr.js"
import { lines } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import * as tool from "./internal/tool.js"
import { GatewayUnreachable, NetworkSettingRejected, NetworkTryAgain, RouteExists, RouteNotFound } from "./NetworkError.js"

const program = "/usr/sbin/route"

/** A route through a gateway. @category models */
export interface Route {
  /** `10.88.1.0/24`, `fd00:1::/64`, or `default`. */
  readonly destination: string
  /** Address of a neighbour. */
  readonly gateway: string
  /** Also kept for the next boot of the host. Default no. */
  readonly persistent?: boolean | undefined
}

/** A line of the routing table. @category models */
export interface RouteEntry {
  /** With prefix length; `default` for the default route. */
  readonly destination: string
  readonly gateway: string
  /** Empty where the table names none, as for most routes through a gateway. */
  readonly interface: string
  /** `U` up, `G` gateway, `H` host, `R` reject, `B` black hole, … */
  readonly flags: string
}

/** What `route get` says about one destination. @category models */
export interface RouteLookup {
  readonly destination: string
  /** IPv4 only. */
  readonly mask?: string
  readonly gateway?: string
  readonly interface?: string
  readonly flags: ReadonlyArray<string>
}

const isIpv6 = (route: Route): boolean => route.destination.includes(":") || route.gateway.includes(":")

const changed = (verb: "add" | "delete", route: Route): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "-n",
    ...(route.persistent === true ? ["-p"] : []),
    verb,
    ...(isIpv6(route) ? ["-inet6"] : []),
    // Without -net route would take a network whose host part is zero in its class for something else.
    ...(route.destination === "default" ? ["default"] : ["-net", cidr.canonical(route.destination)]),
    route.gateway
  )

/** Adds a route. @category constructors */
export const add = (route: Route): CommandLine.CommandLine => changed("add", route)

/** Deletes a route. @category constructors */
export const remove = (route: Route): CommandLine.CommandLine => changed("delete", route)

/** The route that packets to an address take. @category constructors */
export const get = (destination: string): CommandLine.CommandLine =>
  CommandLine.make(program, "-n", "get", ...(destination.includes(":") ? ["-inet6"] : []), destination)

/** Routes that are made again when the host boots. @category constructors */
export const showPersistent: CommandLine.CommandLine = CommandLine.make(program, "-p", "show")

/** The routing table of one family with netmasks. @category constructors */
export const table = (family: "inet" | "inet6"): CommandLine.CommandLine =>
  CommandLine.make("/usr/bin/netstat", "-rnv", "-f", family)

const isNumber = (text: string | undefined): boolean => text !== undefined && /^\d+\*?$/.test(text)

const entry4 = (words: ReadonlyArray<string>): RouteEntry | undefined => {
  const [destination, mask, gateway, ...rest] = words
  if (destination === undefined || mask === undefined || gateway === undefined) return undefined
  const length = cidr.lengthOfMask(mask)
  const device = isNumber(rest[0]) ? "" : rest.shift()
  // MTU, references, flags, packets out, packets in.
  const flags = rest[2]
  if (length === undefined || device === undefined || flags === undefined || !/^[A-Za-z]+$/.test(flags)) return undefined
  return {
    destination: destination === "default" ? "default" : cidr.canonical(`${destination}/${length}`),
    gateway,
    interface: device,
    flags
  }
}

const entry6 = (words: ReadonlyArray<string>): RouteEntry | undefined => {
  const [destination, gateway, ...rest] = words
  if (destination === undefined || gateway === undefined) return undefined
  const device = isNumber(rest[0]) ? "" : rest.shift()
  const flags = rest[2]
  if (device === undefined || flags === undefined || !/^[A-Za-z]+$/.test(flags)) return undefined
  return {
    destination: destination === "default" ? "default" : cidr.canonical(destination),
    gateway,
    interface: device,
    flags
  }
}

/** The lines of `table`; `undefined` for the first that has another form. @category combinators */
export const parseTable = (text: string): ReadonlyArray<RouteEntry> | { readonly unreadable: string } => {
  const entries: Array<RouteEntry> = []
  let family: "inet" | "inet6" = "inet"
  for (const line of lines(text)) {
    if (/^(IRE|Routing) Table: /.test(line)) {
      family = line.includes("IPv6") ? "inet6" : "inet"
      continue
    }
    if (/^\s*Destination/.test(line) || /^[-\s]+$/.test(line)) continue
    const words = line.trim().split(/\s+/)
    const entry = family === "inet" ? entry4(words) : entry6(words)
    if (entry === undefined) return { unreadable: line }
    entries.push(entry)
  }
  return entries
}

/** The output of `get`; `undefined` when it has another form. @category combinators */
export const parseLookup = (text: string): RouteLookup | undefined => {
  const fields = new Map(lines(text).flatMap((line): Array<[string, string]> => {
    const match = /^\s*([a-z ]+): (.*)$/.exec(line)
    return match === null ? [] : [[(match[1] ?? "").trim(), (match[2] ?? "").trim()]]
  }))
  const destination = fields.get("destination")
  if (destination === undefined) return undefined
  const mask = fields.get("mask")
  const gateway = fields.get("gateway")
  const link = fields.get("interface")
  return {
    destination,
    ...(mask === undefined ? {} : { mask }),
    ...(gateway === undefined ? {} : { gateway }),
    ...(link === undefined ? {} : { interface: link }),
    flags: (fields.get("flags") ?? "").replaceAll(/[<>]/g, "").split(",").filter((flag) => flag !== "")
  }
}

/** The output of `showPersistent`. Lines that hold no simple route are left out. @category combinators */
export const parsePersistent = (text: string): ReadonlyArray<Route> =>
  lines(text).flatMap((line): Array<Route> => {
    const words = /^persistent: route add (.*)$/.exec(line)?.[1]?.trim().split(/\s+/).filter((word) => !word.startsWith("-")) ?? []
    const [destination, gateway, ...rest] = words
    return destination === undefined || gateway === undefined || rest.length > 0
      ? []
      : [{ destination: cidr.canonical(destination), gateway, persistent: true }]
  })

const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /entry exists/, error: RouteExists },
  { pattern: /not in table|not in file/, error: RouteNotFound },
  { pattern: /insufficient privileges|Permission denied/, error: HostPermissionDenied },
  { pattern: /Network is unreachable|No route to host/, error: GatewayUnreachable },
  { pattern: /entry in use|routing table overflow|try again later/, error: NetworkTryAgain },
  {
    pattern: /bad (value|address|prefix length|keyword)|(destination|gateway) required|mutually exclusive|unexpected '\/'|not supported for IPv6|^usage: /im,
    error: NetworkSettingRejected
  }
]

/**
 * The error a refusal of route means; route prints what the kernel refuses on standard output.
 *
 * @category errors
 */
export const classify = (operation: string, object: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, object, result)

/**
 * The routing table of one host.
 *
 * @category models
 */
export interface Routes {
  readonly add: (route: Route) => Effect.Effect<void, HostError>
  readonly remove: (route: Route) => Effect.Effect<void, HostError>
  readonly list: (family: "inet" | "inet6") => Effect.Effect<ReadonlyArray<RouteEntry>, HostError>
  /** Fails with `RouteNotFound` when packets to the address go nowhere. */
  readonly get: (destination: string) => Effect.Effect<RouteLookup, HostError>
  readonly persistent: Effect.Effect<ReadonlyArray<Route>, HostError>
}

/**
 * The routing table through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): Routes => {
  const { done, output } = tool.make(runner, classify)
  const unreadable = (operation: string, object: string, detail: string) => Effect.fail(new UnreadableOutput({ operation, object, detail }))
  return {
    add: (route) => done("add route to", route.destination, add(route)),
    remove: (route) => done("delete route to", route.destination, remove(route)),
    list: (family) =>
      Effect.flatMap(output("list routes of", "this host", table(family)), (text) => {
        const entries = parseTable(text)
        return "unreadable" in entries ? unreadable("list routes of", "this host", entries.unreadable) : Effect.succeed(entries)
      }),
    get: (destination) =>
      Effect.flatMap(output("look up route to", destination, get(destination)), (text) => {
        const found = parseLookup(text)
        return found === undefined ? unreadable("look up route to", destination, text.slice(0, 200)) : Effect.succeed(found)
      }),
    persistent: Effect.map(output("list persistent routes of", "this host", showPersistent), parsePersistent)
  }
}
