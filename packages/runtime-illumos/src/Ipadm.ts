/** ipadm: IP interfaces and addresses of the global zone. Pure command builders, parsers, and the operations on a runner. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import {
  AddressExists,
  AddressNotFound,
  type HostError,
  HostPermissionDenied,
  LinkExists,
  LinkNotFound,
  UnreadableOutput
} from "./HostError.js"
import { lines, splitEscaped } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import type { LinkName } from "./LinkName.js"

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

/** Makes the IP interface of a link. @category constructors */
export const createIf = (link: LinkName): CommandLine.CommandLine => CommandLine.make(program, "create-if", "-t", link)

/** Deletes the interface with all its addresses. @category constructors */
export const deleteIf = (link: LinkName): CommandLine.CommandLine => CommandLine.make(program, "delete-if", link)

/** A static address with prefix length; makes the interface when needed. @category constructors */
export const createAddr = (object: AddressObject, address: string): CommandLine.CommandLine =>
  CommandLine.make(program, "create-addr", "-t", "-T", "static", "-a", `local=${address}`, object)

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

/** Turns forwarding of packets between interfaces on or off. @category constructors */
export const setForwarding = (protocol: "ipv4" | "ipv6", on: boolean): CommandLine.CommandLine =>
  CommandLine.make(program, "set-prop", "-t", "-p", `forwarding=${on ? "on" : "off"}`, protocol)

/** Prints `on` or `off`. @category constructors */
export const showForwarding = (protocol: "ipv4" | "ipv6"): CommandLine.CommandLine =>
  CommandLine.make(program, "show-prop", "-c", "-o", "current", "-p", "forwarding", protocol)

/** One line of `showAddr`; `undefined` when it has another form. @category combinators */
export const parseAddress = (line: string): AddressEntry | undefined => {
  const [object, type, state, address] = splitEscaped(line)
  return object === undefined || type === undefined || state === undefined || address === undefined || object === ""
    ? undefined
    : { object, type, state, address }
}

const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /Address object already exists|Address already in use|Duplicate address detected/, error: AddressExists },
  { pattern: /Interface already exists/, error: LinkExists },
  { pattern: /Datalink does not exist|Could not open DLPI link|Interface does not exist/, error: LinkNotFound },
  { pattern: /Object not found|Address object not found/, error: AddressNotFound },
  { pattern: /Permission denied|Insufficient user authorizations/, error: HostPermissionDenied }
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
  readonly deleteAddr: (object: AddressObject) => Effect.Effect<void, HostError>
  readonly addresses: Effect.Effect<ReadonlyArray<AddressEntry>, HostError>
  readonly setForwarding: (protocol: "ipv4" | "ipv6", on: boolean) => Effect.Effect<void, HostError>
  readonly forwarding: (protocol: "ipv4" | "ipv6") => Effect.Effect<boolean, HostError>
}

/**
 * ipadm through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): Ipadm => {
  const output = (operation: string, object: string, line: CommandLine.CommandLine) =>
    Effect.flatMap(
      runner.run(line),
      (result) => result.exitCode === 0 ? Effect.succeed(result.stdout) : Effect.fail(classify(operation, object, result))
    )
  return {
    createIf: (link) => Effect.asVoid(output("create IP interface", link, createIf(link))),
    deleteIf: (link) => Effect.asVoid(output("delete IP interface", link, deleteIf(link))),
    createAddr: (object, address) =>
      Effect.asVoid(output(`create address ${address} as`, object, createAddr(object, address))),
    deleteAddr: (object) => Effect.asVoid(output("delete address", object, deleteAddr(object))),
    addresses: Effect.flatMap(output("list addresses of", "this host", showAddr), (text) =>
      Effect.forEach(lines(text), (row) => {
        const entry = parseAddress(row)
        return entry === undefined
          ? Effect.fail(new UnreadableOutput({ operation: "list addresses of", object: "this host", detail: row }))
          : Effect.succeed(entry)
      })),
    setForwarding: (protocol, on) =>
      Effect.asVoid(output("set forwarding of", protocol, setForwarding(protocol, on))),
    forwarding: (protocol) =>
      Effect.map(output("read forwarding of", protocol, showForwarding(protocol)), (text) => text.trim() === "on")
  }
}
