/** flowadm: part of the traffic of a link with limits of its own. */
import type * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import { type HostError, HostPermissionDenied, LinkNotFound } from "./HostError.js"
import { splitEscaped } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import * as tool from "./internal/tool.js"
import type { LinkName } from "./LinkName.js"
import { bandwidth } from "./LinkProperties.js"
import { FlowExists, FlowNotFound, NetworkSettingRejected, NetworkTryAgain, NetworkUnsupported } from "./NetworkError.js"

const program = "/usr/sbin/flowadm"

/**
 * Which packets a flow is made of. flowadm takes one address, or a transport with at most one port, or a DS field.
 *
 * @category models
 */
export interface FlowAttributes {
  /** Address with or without prefix length. */
  readonly localIp?: string | undefined
  readonly remoteIp?: string | undefined
  readonly transport?: "tcp" | "udp" | "sctp" | "icmp" | "icmpv6" | undefined
  readonly localPort?: number | undefined
  readonly remotePort?: number | undefined
  /** Hexadecimal value with an optional mask after a colon. */
  readonly dsfield?: string | undefined
}

/** A flow to add. @category models */
export interface FlowOptions {
  /** At most 127 letters, digits, `_`, `.` and `-`; one namespace for the host. */
  readonly name: string
  readonly link: LinkName
  readonly attributes: FlowAttributes
  /** Mbit/s. */
  readonly maxbw?: number | undefined
  readonly priority?: "low" | "medium" | "high" | undefined
}

/** A flow of this host. @category models */
export interface FlowEntry {
  readonly flow: string
  readonly link: string
  /** `LCL:` or `RMT:` with an address; empty when the flow has none. */
  readonly address: string
  readonly transport: string
  readonly localPort: string
  readonly remotePort: string
  readonly dsfield: string
}

const texts = (pairs: ReadonlyArray<readonly [string, string | number | undefined]>): string =>
  pairs.flatMap(([name, value]) => value === undefined ? [] : [`${name}=${value}`]).join(",")

/** Adds a flow that lasts until the next boot of the host. @category constructors */
export const addFlow = (options: FlowOptions): CommandLine.CommandLine => {
  const { attributes } = options
  const properties = texts([
    ["maxbw", options.maxbw === undefined ? undefined : bandwidth(options.maxbw)],
    ["priority", options.priority]
  ])
  return CommandLine.make(
    program,
    "add-flow",
    "-t",
    "-l",
    options.link,
    "-a",
    texts([
      ["local_ip", attributes.localIp],
      ["remote_ip", attributes.remoteIp],
      ["transport", attributes.transport],
      ["local_port", attributes.localPort],
      ["remote_port", attributes.remotePort],
      ["dsfield", attributes.dsfield]
    ]),
    ...(properties === "" ? [] : ["-p", properties]),
    options.name
  )
}

/** Removes one flow. @category constructors */
export const removeFlow = (name: string): CommandLine.CommandLine => CommandLine.make(program, "remove-flow", "-t", name)

/** Removes every flow of a link. @category constructors */
export const removeFlows = (link: LinkName): CommandLine.CommandLine =>
  CommandLine.make(program, "remove-flow", "-t", "-l", link)

/** Every flow, or those of one link. @category constructors */
export const showFlow = (link?: LinkName): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "show-flow",
    "-p",
    ...(link === undefined ? [] : ["-l", link]),
    "-o",
    "flow,link,ipaddr,proto,lport,rport,dsfld"
  )

/** Changes a limit of a flow. @category constructors */
export const setFlowProperty = (name: string, property: "maxbw" | "priority", value: string): CommandLine.CommandLine =>
  CommandLine.make(program, "set-flowprop", "-t", "-p", `${property}=${value}`, name)

/** Takes a limit of a flow away. @category constructors */
export const resetFlowProperty = (name: string, property: "maxbw" | "priority"): CommandLine.CommandLine =>
  CommandLine.make(program, "reset-flowprop", "-t", "-p", property, name)

/** One line of `showFlow`; `undefined` when it has another form. @category combinators */
export const parseFlow = (line: string): FlowEntry | undefined => {
  const words = splitEscaped(line).map((word) => word === "--" ? "" : word)
  const [flow, link, address, transport, localPort, remotePort, dsfield, ...rest] = words
  return flow === undefined || link === undefined || address === undefined || transport === undefined ||
      localPort === undefined || remotePort === undefined || dsfield === undefined || flow === "" || rest.length > 0
    ? undefined
    : { flow, link, address, transport, localPort, remotePort, dsfield }
}

const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /object already exists|flow exists|flows? (with|of) (the )?(same|identical)/, error: FlowExists },
  { pattern: /invalid link '/, error: LinkNotFound },
  { pattern: /object not found|invalid flow: '|invalid flow '/, error: FlowNotFound },
  { pattern: /permission denied/, error: HostPermissionDenied },
  { pattern: /try again later|operation timed out/, error: NetworkTryAgain },
  { pattern: /operation not supported|incompatible flow/, error: NetworkUnsupported },
  {
    pattern:
      /invalid (flow attribute|flow property|argument|value|property|IP address|port|protocol|DSF)|is required|too long|must be|minimum value for maxbw|^usage:|unrecognized option|requires a value|unknown (subcommand|output field)/m,
    error: NetworkSettingRejected
  }
]

/** The error a refusal of flowadm means. @category errors */
export const classify = (operation: string, object: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, object, result)

/** flowadm on one host. @category models */
export interface Flows {
  readonly add: (options: FlowOptions) => Effect.Effect<void, HostError>
  readonly remove: (name: string) => Effect.Effect<void, HostError>
  readonly removeAll: (link: LinkName) => Effect.Effect<void, HostError>
  readonly list: (link?: LinkName) => Effect.Effect<ReadonlyArray<FlowEntry>, HostError>
  readonly setProperty: (name: string, property: "maxbw" | "priority", value: string) => Effect.Effect<void, HostError>
}

/** flowadm through the given runner. @category constructors */
export const make = (runner: CommandRunner["Type"]): Flows => {
  const { done, rows } = tool.make(runner, classify)
  return {
    add: (options) => done("add flow", options.name, addFlow(options)),
    remove: (name) => done("remove flow", name, removeFlow(name)),
    removeAll: (link) => done("remove flows of", link, removeFlows(link)),
    list: (link) => rows("list flows of", link ?? "this host", showFlow(link), parseFlow),
    setProperty: (name, property, value) => done(`set ${property} of flow`, name, setFlowProperty(name, property, value))
  }
}
