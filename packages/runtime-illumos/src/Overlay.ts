/** Overlay links of dladm: VXLAN segments between hosts. A VNIC over an overlay is a port of the segment. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandRunner } from "./CommandRunner.js"
import { classify } from "./Dladm.js"
import type { HostError } from "./HostError.js"
import { normalizeMac } from "./internal/macAddress.js"
import { splitEscaped } from "./internal/parsable.js"
import * as tool from "./internal/tool.js"
import type { LinkName } from "./LinkName.js"

const program = "/usr/sbin/dladm"

/**
 * How an overlay finds the host that a frame goes to: all frames to one host, or a file that names the host of each MAC
 * address. The file is read when the overlay is made.
 *
 * @category models
 */
export type Search =
  | { readonly plugin: "direct"; readonly address: string; readonly port?: number | undefined }
  | { readonly plugin: "files"; readonly config: string }

/** What an overlay is made with. @category models */
export interface OverlayOptions {
  readonly name: LinkName
  /** VXLAN network identifier, 0 to 16777215. */
  readonly vnetid: number
  /** Address of this host in the network below. */
  readonly listenAddress: string
  /** UDP port. Default 4789. */
  readonly listenPort?: number | undefined
  /** Bytes, 576 to 8900. Default that of the driver, 1400. */
  readonly mtu?: number | undefined
  readonly search: Search
}

/** UDP port that the standard gives to VXLAN. @category models */
export const standardPort = 4789

/** What VXLAN adds to a packet over IPv4, in bytes. @category models */
export const overhead = 50

/** An overlay of this host. @category models */
export interface OverlayEntry {
  readonly link: string
  /** By the names of dladm: `mtu`, `vnetid`, `encap`, `vxlan/listen_ip`, `search`, `files/config`, … */
  readonly properties: Readonly<Record<string, string>>
}

/** The properties an overlay made with the options has, by the names of dladm. @category combinators */
export const propertiesOf = (options: OverlayOptions): Readonly<Record<string, string>> => ({
  vnetid: String(options.vnetid),
  encap: "vxlan",
  "vxlan/listen_ip": options.listenAddress,
  "vxlan/listen_port": String(options.listenPort ?? standardPort),
  search: options.search.plugin,
  ...(options.mtu === undefined ? {} : { mtu: String(options.mtu) }),
  ...(options.search.plugin === "files"
    ? { "files/config": options.search.config }
    : { "direct/dest_ip": options.search.address, "direct/dest_port": String(options.search.port ?? standardPort) })
})

/** Makes an overlay; temporary, as all links of this package. @category constructors */
export const createOverlay = (options: OverlayOptions): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "create-overlay",
    "-t",
    "-e",
    "vxlan",
    "-s",
    options.search.plugin,
    "-v",
    String(options.vnetid),
    ...Object.entries(propertiesOf(options))
      .filter(([name]) => name === "mtu" || name.includes("/"))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([name, value]) => ["-p", `${name}=${value}`]),
    options.name
  )

/** Deletes an overlay that has no VNICs. @category constructors */
export const deleteOverlay = (name: LinkName): CommandLine.CommandLine =>
  CommandLine.make(program, "delete-overlay", "-t", name)

/** Every property of every overlay. @category constructors */
export const showOverlay: CommandLine.CommandLine = CommandLine.make(
  program,
  "show-overlay",
  "-p",
  "-o",
  "link,property,value"
)

/** One line of `showOverlay`; `undefined` when it has another form. @category combinators */
export const parseProperty = (line: string): readonly [link: string, property: string, value: string] | undefined => {
  const [link, property, value, ...rest] = splitEscaped(line)
  return link === undefined || property === undefined || value === undefined || link === "" || rest.length > 0
    ? undefined
    : [link, property, value === "--" ? "" : value]
}

/** Where a port of the segment is: the content of the file of the `files` plugin is made of these. @category models */
export interface Target {
  /** MAC address of the port. */
  readonly mac: string
  /** IP address of the port, so that it need not be asked for over the segment. */
  readonly address: string
  /** Host of the port, in the network below. */
  readonly host: string
  readonly port?: number | undefined
}

/** The content of a file for the `files` plugin, the same for the same targets in any order. @category combinators */
export const targetsFile = (targets: ReadonlyArray<Target>): string => {
  const entries = targets
    .map((target) => ({ ...target, mac: normalizeMac(target.mac) }))
    .sort((a, b) => (a.mac < b.mac ? -1 : 1))
    .map(({ address, host, mac, port }) => [
      mac,
      { [address.includes(":") ? "ndp" : "arp"]: address, ip: host, port: port ?? standardPort }
    ])
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`
}

/**
 * Overlays of one host.
 *
 * @category models
 */
export interface Overlays {
  readonly create: (options: OverlayOptions) => Effect.Effect<void, HostError>
  readonly remove: (name: LinkName) => Effect.Effect<void, HostError>
  readonly list: Effect.Effect<ReadonlyArray<OverlayEntry>, HostError>
}

/**
 * Overlays through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): Overlays => {
  const { done, rows } = tool.make(runner, classify)
  return {
    create: (options) => done("create overlay", options.name, createOverlay(options)),
    remove: (name) => done("delete overlay", name, deleteOverlay(name)),
    list: Effect.map(rows("list overlays of", "this host", showOverlay, parseProperty), (found) => {
      const links = new Map<string, Record<string, string>>()
      for (const [link, property, value] of found) {
        const properties = links.get(link) ?? {}
        properties[property] = value
        links.set(link, properties)
      }
      return [...links].map(([link, properties]) => ({ link, properties }))
    })
  }
}
