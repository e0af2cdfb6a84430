/** dladm: datalinks. Pure command builders, parsers of parsable output, and the operations on a runner. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import {
  type HostError,
  HostPermissionDenied,
  LinkBusy,
  LinkExists,
  LinkNotFound,
  UnreadableOutput
} from "./HostError.js"
import { normalizeMac } from "./internal/macAddress.js"
import { lines, splitEscaped } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import type { LinkName } from "./LinkName.js"

const program = "/usr/sbin/dladm"

/**
 * What a VNIC is made with.
 *
 * @category models
 */
export interface VnicOptions {
  readonly name: LinkName
  readonly over: LinkName
  /** `02:08:20:…`; absent lets the host choose one. */
  readonly mac?: string | undefined
  /** Link properties, for instance `mtu` or `maxbw`. */
  readonly properties?: Readonly<Record<string, string>> | undefined
}

/** A VNIC of this host. @category models */
export interface VnicEntry {
  readonly link: string
  readonly over: string
  /** Six octets with two digits each. */
  readonly mac: string
  /** VLAN id; 0 means none. */
  readonly vid: number
}

/** Any datalink of this host. @category models */
export interface LinkEntry {
  readonly link: string
  /** `phys`, `vnic`, `etherstub`, … */
  readonly linkClass: string
  /** Bytes. */
  readonly mtu: number
  /** `up`, `down` or `unknown`. */
  readonly state: string
  /** Link below; empty when there is none. */
  readonly over: string
}

// Temporary (-t): links are made again after a host reboot, so nothing stale survives one.

/** Makes an etherstub: a switch without a physical port. @category constructors */
export const createEtherstub = (name: LinkName): CommandLine.CommandLine =>
  CommandLine.make(program, "create-etherstub", "-t", name)

/** Deletes an etherstub that has no links above it. @category constructors */
export const deleteEtherstub = (name: LinkName): CommandLine.CommandLine =>
  CommandLine.make(program, "delete-etherstub", "-t", name)

/** Makes a VNIC over an existing link. @category constructors */
export const createVnic = (options: VnicOptions): CommandLine.CommandLine => {
  const properties = Object.entries(options.properties ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return CommandLine.make(
    program,
    "create-vnic",
    "-t",
    "-l",
    options.over,
    ...(options.mac === undefined ? [] : ["-m", options.mac]),
    ...(properties.length === 0 ? [] : ["-p", properties.map(([name, value]) => `${name}=${value}`).join(",")]),
    options.name
  )
}

/** Deletes a VNIC that is neither plumbed nor owned by a zone. @category constructors */
export const deleteVnic = (name: LinkName): CommandLine.CommandLine =>
  CommandLine.make(program, "delete-vnic", "-t", name)

/** Every VNIC. @category constructors */
export const showVnic: CommandLine.CommandLine = CommandLine.make(
  program,
  "show-vnic",
  "-p",
  "-o",
  "link,over,macaddress,vid"
)

/** Every datalink. @category constructors */
export const showLink: CommandLine.CommandLine = CommandLine.make(
  program,
  "show-link",
  "-p",
  "-o",
  "link,class,mtu,state,over"
)

/** Sets a property until it is reset or the link goes. @category constructors */
export const setLinkProperty = (link: LinkName, property: string, value: string): CommandLine.CommandLine =>
  CommandLine.make(program, "set-linkprop", "-t", "-p", `${property}=${value}`, link)

/** Gives a property its default back. @category constructors */
export const resetLinkProperty = (link: LinkName, property: string): CommandLine.CommandLine =>
  CommandLine.make(program, "reset-linkprop", "-t", "-p", property, link)

/** The value of one property. @category constructors */
export const showLinkProperty = (link: LinkName, property: string): CommandLine.CommandLine =>
  CommandLine.make(program, "show-linkprop", "-c", "-o", "property,value", "-p", property, link)

/** One line of `showVnic`; `undefined` when it has another form. @category combinators */
export const parseVnic = (line: string): VnicEntry | undefined => {
  const [link, over, mac, vid] = splitEscaped(line)
  return link === undefined || over === undefined || mac === undefined || vid === undefined || link === ""
    ? undefined
    : { link, over, mac: normalizeMac(mac), vid: vid === "" ? 0 : Number(vid) }
}

/** One line of `showLink`; `undefined` when it has another form. @category combinators */
export const parseLink = (line: string): LinkEntry | undefined => {
  const [link, linkClass, mtu, state, over] = splitEscaped(line)
  return link === undefined || linkClass === undefined || mtu === undefined || state === undefined ||
      over === undefined || link === ""
    ? undefined
    : { link, linkClass, mtu: Number(mtu), state, over }
}

const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /object already exists/, error: LinkExists },
  { pattern: /MAC address is already in use|[^C] address already in use/, error: LinkExists },
  { pattern: /link busy|link still has flows/, error: LinkBusy },
  { pattern: /object not found|invalid link name '|invalid vnic name '/, error: LinkNotFound },
  { pattern: /permission denied/, error: HostPermissionDenied }
]

/**
 * The error a refusal of dladm means.
 *
 * @category errors
 */
export const classify = (operation: string, link: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, link, result)

/**
 * dladm on one host.
 *
 * @category models
 */
export interface Dladm {
  readonly createEtherstub: (name: LinkName) => Effect.Effect<void, HostError>
  readonly deleteEtherstub: (name: LinkName) => Effect.Effect<void, HostError>
  readonly createVnic: (options: VnicOptions) => Effect.Effect<void, HostError>
  readonly deleteVnic: (name: LinkName) => Effect.Effect<void, HostError>
  readonly vnics: Effect.Effect<ReadonlyArray<VnicEntry>, HostError>
  readonly links: Effect.Effect<ReadonlyArray<LinkEntry>, HostError>
  readonly setProperty: (link: LinkName, property: string, value: string) => Effect.Effect<void, HostError>
  readonly resetProperty: (link: LinkName, property: string) => Effect.Effect<void, HostError>
  /** The current value, without padding; empty when it is not set. */
  readonly property: (link: LinkName, property: string) => Effect.Effect<string, HostError>
}

/**
 * dladm through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): Dladm => {
  const output = (operation: string, object: string, line: CommandLine.CommandLine) =>
    Effect.flatMap(
      runner.run(line),
      (result) => result.exitCode === 0 ? Effect.succeed(result.stdout) : Effect.fail(classify(operation, object, result))
    )
  const rows = <A>(operation: string, line: CommandLine.CommandLine, parse: (line: string) => A | undefined) =>
    Effect.flatMap(output(operation, "this host", line), (text) =>
      Effect.forEach(lines(text), (row) => {
        const entry = parse(row)
        return entry === undefined
          ? Effect.fail(new UnreadableOutput({ operation, object: "this host", detail: row }))
          : Effect.succeed(entry)
      }))

  return {
    createEtherstub: (name) => Effect.asVoid(output("create etherstub", name, createEtherstub(name))),
    deleteEtherstub: (name) => Effect.asVoid(output("delete etherstub", name, deleteEtherstub(name))),
    // dladm names the missing link below, not the new one, when it says that a link name is invalid.
    createVnic: (options) => Effect.asVoid(output("create VNIC", options.name, createVnic(options))),
    deleteVnic: (name) => Effect.asVoid(output("delete VNIC", name, deleteVnic(name))),
    vnics: rows("list VNICs of", showVnic, parseVnic),
    links: rows("list links of", showLink, parseLink),
    setProperty: (link, property, value) =>
      Effect.asVoid(output(`set ${property} of link`, link, setLinkProperty(link, property, value))),
    resetProperty: (link, property) =>
      Effect.asVoid(output(`reset ${property} of link`, link, resetLinkProperty(link, property))),
    property: (link, property) =>
      Effect.map(
        output(`read ${property} of link`, link, showLinkProperty(link, property)),
        // Numbers are padded with blanks.
        (text) => (splitEscaped(lines(text)[0] ?? "")[1] ?? "").trim()
      )
  }
}
