/** dladm: datalinks. Pure command builders, parsers of parsable output, and the operations on a runner. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import { type HostError, HostPermissionDenied, LinkBusy, LinkExists, LinkMismatch, LinkNotFound } from "./HostError.js"
import { normalizeMac } from "./internal/macAddress.js"
import { lines, splitEscaped } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import * as tool from "./internal/tool.js"
import type { LinkName } from "./LinkName.js"
import type * as LinkProperties from "./LinkProperties.js"
import { AddressInUse, LinkTemporary, NetworkSettingRejected, NetworkTryAgain, NetworkUnsupported } from "./NetworkError.js"

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
  /** 1 to 4094; absent means no VLAN tag. */
  readonly vid?: number | undefined
  /** Link properties by the names and texts of dladm, for instance those of `LinkProperties.render`. */
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
    ...(options.vid === undefined ? [] : ["-v", String(options.vid)]),
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

/** Sets several properties at once, by the names of dladm. @category constructors */
export const setLinkProperties = (link: LinkName, properties: Readonly<Record<string, string>>): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "set-linkprop",
    "-t",
    "-p",
    Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${value}`).join(","),
    link
  )

/** Gives a property its default back. @category constructors */
export const resetLinkProperty = (link: LinkName, property: string): CommandLine.CommandLine =>
  CommandLine.make(program, "reset-linkprop", "-t", "-p", property, link)

/** One property after the other of one link, or of all. @category constructors */
export const showLinkProperties = (names: ReadonlyArray<string>, link?: LinkName): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "show-linkprop",
    "-c",
    "-o",
    "link,property,value",
    "-p",
    names.join(","),
    ...(link === undefined ? [] : [link])
  )

/** Every physical link. @category constructors */
export const showPhys: CommandLine.CommandLine = CommandLine.make(
  program,
  "show-phys",
  "-p",
  "-o",
  "link,media,state,speed,duplex,device"
)

/** Every etherstub. @category constructors */
export const showEtherstub: CommandLine.CommandLine = CommandLine.make(program, "show-etherstub", "-p", "-o", "link")

/** Gives a link another name; possible only while nothing uses it. @category constructors */
export const renameLink = (from: LinkName, to: LinkName): CommandLine.CommandLine =>
  CommandLine.make(program, "rename-link", from, to)

/** A link that carries the frames of one VLAN of another link. @category constructors */
export const createVlan = (name: LinkName, over: LinkName, vid: number): CommandLine.CommandLine =>
  CommandLine.make(program, "create-vlan", "-t", "-l", over, "-v", String(vid), name)

/** Deletes a VLAN link. @category constructors */
export const deleteVlan = (name: LinkName): CommandLine.CommandLine =>
  CommandLine.make(program, "delete-vlan", "-t", name)

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

/** A physical link of this host. @category models */
export interface PhysEntry {
  readonly link: string
  readonly media: string
  readonly state: string
  /** Mbit/s. */
  readonly speed: number
  readonly duplex: string
  /** Driver with instance, for instance `e1000g0`. */
  readonly device: string
}

/** One line of `showPhys`; `undefined` when it has another form. @category combinators */
export const parsePhys = (line: string): PhysEntry | undefined => {
  const [link, media, state, speed, duplex, device, ...rest] = splitEscaped(line)
  return link === undefined || media === undefined || state === undefined || speed === undefined || duplex === undefined ||
      device === undefined || link === "" || rest.length > 0
    ? undefined
    : { link, media, state, speed: Number(speed), duplex, device }
}

/** One line of `showLinkProperties`; `undefined` when it has another form. @category combinators */
export const parseLinkProperty = (line: string): LinkProperties.LinkPropertyEntry | undefined => {
  const [link, property, value, ...rest] = splitEscaped(line)
  return link === undefined || property === undefined || value === undefined || link === "" || rest.length > 0
    ? undefined
    // Numbers are padded with blanks, and some releases print the human placeholder.
    : { link, property, value: value.trim() === "--" ? "" : value.trim() }
}

const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /MAC address is already in use|\baddress already in use|MAC address reserved for use/, error: AddressInUse },
  { pattern: /object already exists/, error: LinkExists },
  { pattern: /link busy|link still has flows/, error: LinkBusy },
  { pattern: /permission denied/, error: HostPermissionDenied },
  { pattern: /can't create persistent object on top of temporary object/, error: LinkTemporary },
  { pattern: /' is not (a|an) (vnic|etherstub|overlay|vlan)/, error: LinkMismatch },
  { pattern: /try again later|operation timed out|insufficient memory/, error: NetworkTryAgain },
  { pattern: /operation not supported|option not supported|change cannot be persistent/, error: NetworkUnsupported },
  { pattern: /object not found|invalid link name '|invalid (vnic|etherstub) name '|invalid link(?! property)\b/, error: LinkNotFound },
  {
    pattern:
      /link name too long|invalid (MAC address|VLAN identifier|vnic property|link property|property|argument|value|number of values|IP address|encapsulation protocol)|MTU check failed|must be (one of|specified)|minimum value for maxbw|read-only property|^usage: |unrecognized option|requires (a value|-o)|unknown (subcommand|output field)|invalid (in|with) (parsable mode|-p)|is invalid with -p/m,
    error: NetworkSettingRejected
  }
]

/**
 * The error a refusal of dladm means. A name that dladm calls invalid is reported as a link that does not exist: both have
 * the same text, and names of this package are valid.
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
  readonly createVlan: (name: LinkName, over: LinkName, vid: number) => Effect.Effect<void, HostError>
  readonly deleteVlan: (name: LinkName) => Effect.Effect<void, HostError>
  readonly renameLink: (from: LinkName, to: LinkName) => Effect.Effect<void, HostError>
  readonly vnics: Effect.Effect<ReadonlyArray<VnicEntry>, HostError>
  readonly links: Effect.Effect<ReadonlyArray<LinkEntry>, HostError>
  readonly physicalLinks: Effect.Effect<ReadonlyArray<PhysEntry>, HostError>
  readonly etherstubs: Effect.Effect<ReadonlyArray<string>, HostError>
  readonly setProperty: (link: LinkName, property: string, value: string) => Effect.Effect<void, HostError>
  readonly setProperties: (link: LinkName, properties: Readonly<Record<string, string>>) => Effect.Effect<void, HostError>
  readonly resetProperty: (link: LinkName, property: string) => Effect.Effect<void, HostError>
  /** The current value, without padding; empty when it is not set. */
  readonly property: (link: LinkName, property: string) => Effect.Effect<string, HostError>
  /** The named properties of every link, or of one. */
  readonly properties: (
    names: ReadonlyArray<string>,
    link?: LinkName
  ) => Effect.Effect<ReadonlyArray<LinkProperties.LinkPropertyEntry>, HostError>
}

/**
 * dladm through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): Dladm => {
  const { done, output, rows } = tool.make(runner, classify)
  const host = "this host"
  return {
    createEtherstub: (name) => done("create etherstub", name, createEtherstub(name)),
    deleteEtherstub: (name) => done("delete etherstub", name, deleteEtherstub(name)),
    // dladm names the missing link below, not the new one, when it says that a link name is invalid.
    createVnic: (options) => done("create VNIC", options.name, createVnic(options)),
    deleteVnic: (name) => done("delete VNIC", name, deleteVnic(name)),
    createVlan: (name, over, vid) => done("create VLAN", name, createVlan(name, over, vid)),
    deleteVlan: (name) => done("delete VLAN", name, deleteVlan(name)),
    renameLink: (from, to) => done("rename link", from, renameLink(from, to)),
    vnics: rows("list VNICs of", host, showVnic, parseVnic),
    links: rows("list links of", host, showLink, parseLink),
    physicalLinks: rows("list physical links of", host, showPhys, parsePhys),
    etherstubs: Effect.map(output("list etherstubs of", host, showEtherstub), lines),
    setProperty: (link, property, value) => done(`set ${property} of link`, link, setLinkProperty(link, property, value)),
    setProperties: (link, properties) =>
      done(`set ${Object.keys(properties).sort().join(", ")} of link`, link, setLinkProperties(link, properties)),
    resetProperty: (link, property) => done(`reset ${property} of link`, link, resetLinkProperty(link, property)),
    property: (link, property) =>
      Effect.map(
        output(`read ${property} of link`, link, showLinkProperty(link, property)),
        // Numbers are padded with blanks.
        (text) => (splitEscaped(lines(text)[0] ?? "")[1] ?? "").trim()
      ),
    properties: (names, link) =>
      rows("read link properties of", link ?? host, showLinkProperties(names, link), parseLinkProperty)
  }
}
