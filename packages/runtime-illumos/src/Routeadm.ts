/** routeadm: whether the host forwards packets and runs routing daemons, now and after a reboot. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import { type HostError, HostPermissionDenied, UnreadableOutput } from "./HostError.js"
import * as refusal from "./internal/refusal.js"
import * as tool from "./internal/tool.js"
import { NetworkSettingRejected } from "./NetworkError.js"

const program = "/usr/sbin/routeadm"

/** What routeadm can turn on and off. @category models */
export type Option = "ipv4-forwarding" | "ipv6-forwarding" | "ipv4-routing" | "ipv6-routing"

/** The state of one option. @category models */
export interface OptionState {
  /** What the next boot of the host will set; `undefined` when the default holds. */
  readonly persistent: boolean | undefined
  readonly current: boolean
}

/** Turns an option on or off, for now and for ever. @category constructors */
export const set = (option: Option, on: boolean): CommandLine.CommandLine =>
  CommandLine.make(program, "-u", on ? "-e" : "-d", option)

/** The state of one option, in parsable form. @category constructors */
export const show = (option: Option): CommandLine.CommandLine => CommandLine.make(program, "-p", option)

/** The output of `show`; `undefined` when it has another form. @category combinators */
export const parse = (text: string): OptionState | undefined => {
  const words = new Map(text.trim().split(/\s+/).map((word): [string, string] => {
    const at = word.indexOf("=")
    return [word.slice(0, at), word.slice(at + 1)]
  }))
  const current = words.get("current")
  const persistent = words.get("persistent")
  if (current === undefined || persistent === undefined) return undefined
  return {
    current: current === "enabled",
    persistent: persistent === "enabled" ? true : persistent === "disabled" ? false : undefined
  }
}

const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /insufficient privileges|[Pp]ermission denied|not authorized/, error: HostPermissionDenied },
  { pattern: /invalid|illegal|unknown|[Uu]sage:|Usage/, error: NetworkSettingRejected }
]

/** The error a refusal of routeadm means. @category errors */
export const classify = (operation: string, object: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, object, result)

/** routeadm on one host. @category models */
export interface Routeadm {
  readonly set: (option: Option, on: boolean) => Effect.Effect<void, HostError>
  readonly state: (option: Option) => Effect.Effect<OptionState, HostError>
}

/** routeadm through the given runner. @category constructors */
export const make = (runner: CommandRunner["Type"]): Routeadm => {
  const { done, output } = tool.make(runner, classify)
  return {
    set: (option, on) => done(on ? "enable" : "disable", option, set(option, on)),
    state: (option) =>
      Effect.flatMap(output("read", option, show(option)), (text) => {
        const state = parse(text)
        return state === undefined
          ? Effect.fail(new UnreadableOutput({ operation: "read", object: option, detail: text.slice(0, 200) }))
          : Effect.succeed(state)
      })
  }
}
