/** ipf and ipfstat: the packet filter of the global zone, read and replaced without touching the rules of others. */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandResult, CommandRunner } from "./CommandRunner.js"
import * as FilterRule from "./FilterRule.js"
import type { HostError } from "./HostError.js"
import { lines } from "./internal/parsable.js"
import * as ruleReplacement from "./internal/ruleReplacement.js"
import * as tool from "./internal/tool.js"
import { classify as classifyNat } from "./IpNat.js"

const program = "/usr/sbin/ipf"

/** A rule as the host lists it. @category models */
export interface ListedRule {
  /** The canonical text: rules are the same when it is. */
  readonly text: string
  /** Absent when the rule has options this package has no words for. */
  readonly rule?: FilterRule.FilterRule
}

const block = (rules: ReadonlyArray<string>): string => rules.map((rule) => `${rule}\n`).join("")

/** Every rule: first those for packets that leave, then those for packets that arrive. @category constructors */
export const list: CommandLine.CommandLine = CommandLine.make("/usr/sbin/ipfstat", "-io")

/** Adds rules at the end of the list. @category constructors */
export const add = (rules: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.withStdin(CommandLine.make(program, "-f", "-"), block(rules))

/** Removes the rules with these texts. @category constructors */
export const remove = (rules: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.withStdin(CommandLine.make(program, "-r", "-f", "-"), block(rules))

/** Reads rules without loading them. @category constructors */
export const check = (rules: ReadonlyArray<string>): CommandLine.CommandLine =>
  CommandLine.withStdin(CommandLine.make(program, "-n", "-f", "-"), block(rules))

/** The output of `list`. @category combinators */
export const parseListing = (text: string): ReadonlyArray<ListedRule> =>
  lines(text).filter((line) => !line.startsWith("empty list for ")).map((line) => {
    const trimmed = line.trim()
    const rule = FilterRule.parse(trimmed)
    return rule === undefined ? { text: trimmed } : { text: FilterRule.canonical(rule), rule }
  })

/** The error a refusal of ipf or ipfstat means: they speak as ipnat does. @category errors */
export const classify = (operation: string, object: string, result: CommandResult): HostError =>
  classifyNat(operation, object, result)

/**
 * The packet filter of one host.
 *
 * @category models
 */
export interface IpFilter {
  readonly rules: Effect.Effect<ReadonlyArray<ListedRule>, HostError>
  /** As `IpNat.replace`, for the rules of the filter. */
  readonly replace: (
    mine: (rule: ListedRule) => boolean,
    wanted: ReadonlyArray<FilterRule.FilterRule>
  ) => Effect.Effect<ruleReplacement.Replacement, HostError>
}

/** Rules for leaving packets are listed before those for arriving ones, whatever order they were loaded in. */
const listed = (texts: ReadonlyArray<string>): ReadonlyArray<string> => {
  const leaves = (text: string) => /^(pass|block) out\b/.test(text)
  return [...texts.filter(leaves), ...texts.filter((text) => !leaves(text))]
}

/**
 * The packet filter through the given runner.
 *
 * @category constructors
 */
export const make = (runner: CommandRunner["Type"]): IpFilter => {
  const { done, output } = tool.make(runner, classify)
  const name = "the filter rules"
  const rules = Effect.map(output("list", name, list), parseListing)
  const ruleList: ruleReplacement.RuleList = {
    name,
    list: Effect.map(rules, (found) => found.map((rule) => rule.text)),
    check: (texts) => texts.length === 0 ? Effect.void : done("check", name, check(texts)),
    add: (texts) => done("add", name, add(texts)),
    remove: (texts) => done("remove", name, remove(texts)),
    wanders: () => false
  }
  return {
    rules,
    replace: (mine, wanted) =>
      Effect.flatMap(
        Effect.forEach(wanted, (rule) => FilterRule.render(rule)),
        (texts) =>
          ruleReplacement.replace(
            ruleList,
            ruleReplacement.ofTexts(FilterRule.parse, mine),
            listed(texts)
          )
      )
  }
}
