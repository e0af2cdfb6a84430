/** ipadm: IP interfaces and addresses of the global zone. Pure command builders, parsers, and the operations on a runner. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import { AddressExists, AddressNotFound, type HostError, HostPermissionDenied, LinkExists, LinkNotFound } from "./HostError.js"
import { splitEscaped } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import * as tool from "./internal/tool.js"
import type { LinkName } from "./LinkName.js"
import { AddressInUse, NetworkSettingRejected, NetworkUnsupported } from "./NetworkError.js"

const program = "/usr/sbin/ipadm"

/**
 * Name of an address object: `<interface>/<word>`.
 *
 * @category schemas
 */
export const AddressObject = Schema.String.pipe(
  Schema.pattern(/^[A-Za-z_.][A-Za-z0-9_.]{0,29}[0-9]\/[A-Za-z][A-Za-z0-9]{0,30}$/, {
    message: () => "an address object is <interface>/<word of at most 31 letters and digits>"
  }),
  Schema.brand("AddressObject")
)

/** A validated name of an address object. @category models */
export type AddressObject = typeof AddressObject.Type

/** The address object of a link with the given word. @category constructors */
export const addressObject = (link: LinkName, word: string): AddressObject => AddressObject.make(`${link}/${word}`)

/** An address of the global zone. @category models */
export interface AddressEntry {
  /** `<interface>/<word>`; the word is `?` when the address has no name. */
  readonly object: string
  /** `static`, `dhcp`, `addrconf`, `from-gz`. */
  readonly type: string
  /** `ok`, `down`, `disabled`, `duplicate`, `tentative`, `inaccessible`. */
  readonly state: string
  /** Address with prefix length; empty for `addrconf`. */
  readonly address: string
}

/** The two versions of the protocol. @category models */
export type Protocol = "ipv4" | "ipv6"

/** An IP interface of the global zone. @category models */
export interface InterfaceEntry {
  readonly name: string
  /** `ip`, `loopback`, `ipmp`, `vni`. */
  readonly interfaceClass: string
  /** `ok`, `down`, `disabled`, `failed`, `offline`. */
  readonly state: string
}

/** Makes the IP interface of a link. @category constructors */
export const createIf = (link: LinkName): CommandLine.CommandLine => CommandLine.make(program, "create-if", "-t", link)

/** Deletes the interface with all its addresses. @category constructors */
export const deleteIf = (link: LinkName): CommandLine.CommandLine => CommandLine.make(program, "delete-if", link)

/** A static address with prefix length; makes the interface when needed. @category constructors */
export const createAddr = (object: AddressObject, address: string): CommandLine.CommandLine =>
  CommandLine.make(program, "create-addr", "-t", "-T", "static", "-a", `local=${address}`, object)

/** What stateless and stateful autoconfiguration of IPv6 may do. @category models */
export interface AutoConfiguration {
  /** Default yes. */
  readonly stateless?: boolean | undefined
  /** DHCPv6. Default yes. */
  readonly stateful?: boolean | undefined
}

const yes = (value: boolean | undefined): string => (value === false ? "no" : "yes")

/** A link-local IPv6 address, and what routers advertise; makes the interface when needed. @category constructors */
export const createAddrConf = (object: AddressObject, options: AutoConfiguration = {}): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "create-addr",
    "-t",
    "-T",
    "addrconf",
    "-p",
    `stateful=${yes(options.stateful)},stateless=${yes(options.stateless)}`,
    object
  )

/** An address from a DHCP server, waiting for it at most the given seconds. @category constructors */
export const createAddrDhcp = (object: AddressObject, waitSeconds: number): CommandLine.CommandLine =>
  CommandLine.make(program, "create-addr", "-t", "-T", "dhcp", "-w", String(Math.ceil(waitSeconds)), object)

/** Deletes one address. @category constructors */
export const deleteAddr = (object: AddressObject): CommandLine.CommandLine =>
  CommandLine.make(program, "delete-addr", object)

/** Every address. @category constructors */
export const showAddr: CommandLine.CommandLine = CommandLine.make(
  program,
  "show-addr",
  "-p",
  "-o",
  "addrobj,type,state,addr"
)

/** Every IP interface. @category constructors */
export const showIf: CommandLine.CommandLine = CommandLine.make(program, "show-if", "-p", "-o", "ifname,class,state")

/** Sets a property of a protocol until the next boot of the host. @category constructors */
export const setProtocolProperty = (protocol: Protocol, property: string, value: string): CommandLine.CommandLine =>
  CommandLine.make(program, "set-prop", "-t", "-p", `${property}=${value}`, protocol)

/** Prints the present value and nothing else. @category constructors */
export const showProtocolProperty = (protocol: Protocol, property: string): CommandLine.CommandLine =>
  CommandLine.make(program, "show-prop", "-c", "-o", "current", "-p", property, protocol)

/** Sets a property of one interface until the next boot of the host. @category constructors */
export const setInterfaceProperty = (
  link: LinkName,
  protocol: Protocol,
  property: string,
  value: string
): CommandLine.CommandLine =>
  CommandLine.make(program, "set-ifprop", "-t", "-p", `${property}=${value}`, "-m", protocol, link)

/** Prints the present value and nothing else. @category constructors */
export const showInterfaceProperty = (link: LinkName, protocol: Protocol, property: string): CommandLine.CommandLine =>
  CommandLine.make(program, "show-ifprop", "-c", "-o", "current", "-p", property, "-m", protocol, link)

/** Turns forwarding of packets between interfaces on or off. @category constructors */
export const setForwarding = (protocol: Protocol, on: boolean): CommandLine.CommandLine =>
  setProtocolProperty(protocol, "forwarding", on ? "on" : "off")

/** Prints `on` or `off`. @category constructors */
export const showForwarding = (protocol: Protocol): CommandLine.CommandLine =>
  showProtocolProperty(protocol, "forwarding")

/** One line of `showAddr`; `undefined` when it has another form. @category combinators */
export const parseAddress = (line: string): AddressEntry | undefined => {
  const [object, type, state, address] = splitEscaped(line)
  return object === undefined || type === undefined || state === undefined || address === undefined || object === ""
    ? undefined
    : { object, type, state, address }
}

/** One line of `showIf`; `undefined` when it has another form. @category combinators */
export const parseInterface = (line: string): InterfaceEntry | undefined => {
  const [name, interfaceClass, state, ...rest] = splitEscaped(line)
  return name === undefined || interfaceClass === undefined || state === undefined || name === "" || rest.length > 0
    ? undefined
    : { name, interfaceClass, state }
}

const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /Address already in use|Duplicate address detected/, error: AddressInUse },
  { pattern: /Address object already exists/, error: AddressExists },
  { pattern: /Interface already exists/, error: LinkExists },
  { pattern: /Datalink does not exist|Could not open DLPI link|Interface does not exist/, error: LinkNotFound },
  { pattern: /Object not found|Address object not found/, error: AddressNotFound },
  { pattern: /Permission denied|Insufficient user authorizations/, error: HostPermissionDenied },
  { pattern: /Operation not permitted on from-gz interface/, error: NetworkUnsupported },
  {
    pattern:
      /invalid address object name|Invalid (argument|arguments|address|property|protocol)|invalid protocol|Unknown property|^usage:|unrecognized option|requires (a value|-o)|unknown (subcommand|output field)/m,
    error: NetworkSettingRejected
  }
]

/**
 * The error a refusal of ipadm means.
 *
 * @category errors
 */
export const classify = (operation: string, object: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, object, result)

/**
 * ipadm on one host.
 *
 * @category models
 */
export interface Ipadm {
  readonly createIf: (link: LinkName) => Effect.Effect<void, HostError>
  readonly deleteIf: (link: LinkName) => Effect.Effect<void, HostError>
  readonly createAddr: (object: AddressObject, address: string) => Effect.Effect<void, HostError>
  readonly createAddrConf: (object: AddressObject, options?: AutoConfiguration) => Effect.Effect<void, HostError>
  readonly deleteAddr: (object: AddressObject) => Effect.Effect<void, HostError>
  readonly addresses: Effect.Effect<ReadonlyArray<AddressEntry>, HostError>
  readonly interfaces: Effect.Effect<ReadonlyArray<InterfaceEntry>, HostError>
  readonly setForwarding: (protocol: Protocol, on: boolean) => Effect.Effect<void, HostError>
  readonly forwarding: (protocol: Protocol) => Effect.Effect<boolean, HostError>
}

/**
 * ipadm through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): Ipadm => {
  const { done, output, rows } = tool.make(runner, classify)
  return {
    createIf: (link) => done("create IP interface", link, createIf(link)),
    deleteIf: (link) => done("delete IP interface", link, deleteIf(link)),
    createAddr: (object, address) => done(`create address ${address} as`, object, createAddr(object, address)),
    createAddrConf: (object, options) => done("create autoconfigured address", object, createAddrConf(object, options)),
    deleteAddr: (object) => done("delete address", object, deleteAddr(object)),
    addresses: rows("list addresses of", "this host", showAddr, parseAddress),
    interfaces: rows("list IP interfaces of", "this host", showIf, parseInterface),
    setForwarding: (protocol, on) => done("set forwarding of", protocol, setForwarding(protocol, on)),
    forwarding: (protocol) =>
      Effect.map(output("read forwarding of", protocol, showForwarding(protocol)), (text) => text.trim() === "on")
  }
}
