/** ipnat: the rules of address translation of the global zone, read and replaced without touching those of others. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import { type HostError, HostPermissionDenied } from "./HostError.js"
import { lines } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import * as ruleReplacement from "./internal/ruleReplacement.js"
import * as tool from "./internal/tool.js"
import * as NatRule from "./NatRule.js"
import { NetworkUnsupported, RulesRejected } from "./NetworkError.js"

const program = "/usr/sbin/ipnat"

/** A rule as the host lists it. @category models */
export interface ListedRule {
  /** The canonical text: rules are the same when it is. */
  readonly text: string
  /** Absent when the rule has options this package has no words for. */
  readonly rule?: NatRule.NatRule
}

/** A connection that is translated at this moment. @category models */
export interface NatSession {
  readonly type: "MAP" | "RDR"
  readonly inside: string
  readonly insidePort?: number
  readonly outside: string
  readonly outsidePort?: number
  /** The other end. */
  readonly peer: string
  readonly peerPort?: number
}

/** What `ipnat -l` prints. @category models */
export interface Listing {
  readonly rules: ReadonlyArray<ListedRule>
  readonly sessions: ReadonlyArray<NatSession>
}

const block = (rules: ReadonlyArray<string>): string => rules.map((rule) => `${rule}\n`).join("")

/** Rules and sessions; names are not looked up. @category constructors */
export const list: CommandLine.CommandLine = CommandLine.make(program, "-lR")

/** Adds rules at the end of the list. @category constructors */
export const add = (rules: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.withStdin(CommandLine.make(program, "-f", "-"), block(rules))

/** Removes the rules with these texts. @category constructors */
export const remove = (rules: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.withStdin(CommandLine.make(program, "-r", "-f", "-"), block(rules))

/** Reads rules without loading them. @category constructors */
export const check = (rules: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.withStdin(CommandLine.make(program, "-n", "-f", "-"), block(rules))

const session = (line: string): NatSession | undefined => {
  const match = /^(MAP|RDR)\s+(\S+)(?:\s+(\d+))?\s+<-\s*->\s+(\S+)(?:\s+(\d+))?\s+\[(\S+)(?:\s+(\d+))?\]/.exec(line)
  if (match === null) return undefined
  const [, type, inside = "", insidePort, outside = "", outsidePort, peer = "", peerPort] = match
  return {
    type: type === "MAP" ? "MAP" : "RDR",
    inside,
    ...(insidePort === undefined ? {} : { insidePort: Number(insidePort) }),
    outside,
    ...(outsidePort === undefined ? {} : { outsidePort: Number(outsidePort) }),
    peer,
    ...(peerPort === undefined ? {} : { peerPort: Number(peerPort) })
  }
}

/** The output of `list`. @category combinators */
export const parseListing = (text: string): Listing => {
  const rules: Array<ListedRule> = []
  const sessions: Array<NatSession> = []
  let part: "none" | "rules" | "sessions" = "none"
  for (const line of lines(text)) {
    if (line.startsWith("List of active MAP/Redirect filters")) part = "rules"
    else if (line.startsWith("List of active sessions")) part = "sessions"
    else if (part === "rules") {
      const trimmed = line.trim()
      const rule = NatRule.parse(trimmed)
      rules.push(rule === undefined ? { text: trimmed } : { text: NatRule.canonical(rule), rule })
    } else if (part === "sessions") {
      const found = session(line.trim())
      if (found !== undefined) sessions.push(found)
    }
  }
  return { rules, sessions }
}

const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /[Pp]ermission denied|Operation not permitted|not authorized/, error: HostPermissionDenied },
  {
    pattern: /syntax error|invalid port number error|protocol set twice error|Unknown hostname error| error at "|fopen\(.*\) failed|^usage:/im,
    error: RulesRejected
  },
  { pattern: /No such (device|file)|open.*: |SIOCGNATS/, error: NetworkUnsupported }
]

/** The error a refusal of ipnat means. @category errors */
export const classify = (operation: string, object: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, object, result)

/**
 * ipnat on one host.
 *
 * @category models
 */
export interface IpNat {
  readonly listing: Effect.Effect<Listing, HostError>
  /**
   * Makes those rules that are `mine` the wanted ones, in this order; no other rule and no session of one is touched. Verified
   * afterwards; on failure the rules from before are put back (`RulesNotReplaced`). Doing it twice changes nothing.
   */
  readonly replace: (
    mine: (rule: ListedRule) => boolean,
    wanted: ReadonlyArray<NatRule.NatRule>
  ) => Effect.Effect<ruleReplacement.Replacement, HostError>
}

/** The host rotates rules that take turns. @category combinators */
export const wanders = (text: string): boolean => / round-robin\b/.test(text)

/**
 * ipnat through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): IpNat => {
  const { done, output } = tool.make(runner, classify)
  const name = "the NAT rules"
  const listing = Effect.map(output("list", name, list), parseListing)
  const rules: ruleReplacement.RuleList = {
    name,
    list: Effect.map(listing, (found) => found.rules.map((rule) => rule.text)),
    check: (texts) => texts.length === 0 ? Effect.void : done("check", name, check(texts)),
    add: (texts) => done("add", name, add(texts)),
    remove: (texts) => done("remove", name, remove(texts)),
    wanders
  }
  return {
    listing,
    replace: (mine, wanted) =>
      Effect.flatMap(
        Effect.forEach(wanted, (rule) => NatRule.render(rule)),
        (texts) =>
          ruleReplacement.replace(
            rules,
            ruleReplacement.ofTexts(NatRule.parse, mine),
            texts
          )
      )
  }
}
