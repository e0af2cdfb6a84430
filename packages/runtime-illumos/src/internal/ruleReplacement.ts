import * as Effect from "effect/Effect"
import type { HostError } from "../HostError.js"
import { RulesNotReplaced } from "../NetworkError.js"

/** A list of rules on a host; a rule is the text by which the host lists it. */
export interface RuleList {
  readonly name: string
  readonly list: Effect.Effect<ReadonlyArray<string>, HostError>
  /** Fails when one of the rules cannot be read; changes nothing. */
  readonly check: (rules: ReadonlyArray<string>) => Effect.Effect<void, HostError>
  readonly add: (rules: ReadonlyArray<string>) => Effect.Effect<void, HostError>
  readonly remove: (rules: ReadonlyArray<string>) => Effect.Effect<void, HostError>
  /** The host moves the rule about in its list by itself. */
  readonly wanders: (rule: string) => boolean
}

/** What a replacement did. */
export interface Replacement {
  readonly removed: ReadonlyArray<string>
  readonly added: ReadonlyArray<string>
}

const without = (rules: ReadonlyArray<string>, taken: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const rule of taken) counts.set(rule, (counts.get(rule) ?? 0) + 1)
  return rules.filter((rule) => {
    const count = counts.get(rule) ?? 0
    if (count > 0) counts.set(rule, count - 1)
    return count === 0
  })
}

/** A choice among rules as one among their texts; of a text that `parse` has no words for, the text alone is looked at. */
export const ofTexts = <Rule>(
  parse: (text: string) => Rule | undefined,
  mine: (rule: { readonly text: string; readonly rule?: Rule }) => boolean
) =>
(text: string): boolean => {
  const rule = parse(text)
  return mine(rule === undefined ? { text } : { text, rule })
}

/** Whether two lists have the same effect. */
export const same = (wanders: RuleList["wanders"], a: ReadonlyArray<string>, b: ReadonlyArray<string>): boolean => {
  const form = (rules: ReadonlyArray<string>) =>
    [...rules.filter((rule) => !wanders(rule)), "", ...rules.filter(wanders).sort()].join("\n")
  return form(a) === form(b)
}

/**
 * What must go and what must come so that `current` becomes `wanted`. New rules come to the end of a list: where that would
 * be the wrong order, all of them are made again.
 */
export const difference = (
  wanders: RuleList["wanders"],
  current: ReadonlyArray<string>,
  wanted: ReadonlyArray<string>
): Replacement => {
  if (same(wanders, current, wanted)) return { removed: [], added: [] }
  const removed = without(current, wanted)
  const added = without(wanted, current)
  return same(wanders, [...without(current, removed), ...added], wanted)
    ? { removed, added }
    : { removed: current, added: wanted }
}

/**
 * Makes those rules of the list that are `mine` the wanted ones; all others stay. Nothing changes when a wanted rule cannot
 * be read. Afterwards the list is read again, since the tools report success when the kernel refused a rule; when it is not
 * as it should be, the rules from before are put back. Not to be interrupted half-way.
 */
export const replace = (
  rules: RuleList,
  mine: (rule: string) => boolean,
  wanted: ReadonlyArray<string>
): Effect.Effect<Replacement, HostError> => {
  const read = Effect.map(rules.list, (all) => all.filter(mine))
  const turnInto = (current: ReadonlyArray<string>, goal: ReadonlyArray<string>) => {
    const step = difference(rules.wanders, current, goal)
    return Effect.as(
      Effect.zipRight(
        step.removed.length === 0 ? Effect.void : rules.remove(step.removed),
        step.added.length === 0 ? Effect.void : rules.add(step.added)
      ),
      step
    )
  }
  const settled = (goal: ReadonlyArray<string>) => Effect.map(read, (now) => same(rules.wanders, now, goal))
  return Effect.gen(function*() {
    const before = yield* read
    const planned = difference(rules.wanders, before, wanted)
    if (planned.removed.length + planned.added.length === 0) return planned
    yield* rules.check(planned.added)
    const outcome = yield* Effect.either(Effect.flatMap(turnInto(before, wanted), (step) => Effect.map(settled(wanted), (right) => ({ right, step }))))
    if (outcome._tag === "Right" && outcome.right.right) return outcome.right.step
    const restored = yield* read.pipe(
      Effect.flatMap((now) => turnInto(now, before)),
      Effect.zipRight(settled(before)),
      Effect.orElseSucceed(() => false)
    )
    const detail = outcome._tag === "Left" ? outcome.left.message : "the list is not as it was set"
    return yield* new RulesNotReplaced({ operation: "replace", object: rules.name, detail, rolledBack: restored })
  }).pipe(Effect.uninterruptible)
}
