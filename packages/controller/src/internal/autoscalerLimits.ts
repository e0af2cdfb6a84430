/** How far and how fast an autoscaler may go: from the number that the metrics ask for to the one that is set. */
import type { AutoscalingV2 } from "@reddwarf/api-types"

/** A number at a moment, milliseconds since the epoch. */
interface At {
  readonly value: number
  readonly at: number
}

/** What an autoscaler did and wanted to do lately. Only in memory: after a start it is careful once more. */
export interface History {
  readonly recommendations: ReadonlyArray<At>
  /** Replicas added and taken away. */
  readonly ups: ReadonlyArray<At>
  readonly downs: ReadonlyArray<At>
}

export const noHistory: History = { recommendations: [], ups: [], downs: [] }

/** Why the number is what it is, in the words of conditions. */
export interface Verdict {
  readonly replicas: number
  readonly history: History
  readonly able: { readonly reason: string; readonly message: string }
  readonly limited: { readonly status: "True" | "False"; readonly reason: string; readonly message: string }
}

export interface Wish {
  readonly current: number
  readonly desired: number
  readonly min: number
  readonly max: number
  readonly behavior: AutoscalingV2.HorizontalPodAutoscalerBehavior | undefined
  readonly history: History
  readonly now: number
}

/** For so long the highest recommendation holds, unless a behaviour says otherwise, in seconds. */
const defaultDownWindow = 300

const since = (entries: ReadonlyArray<At>, seconds: number, now: number): ReadonlyArray<At> =>
  entries.filter(({ at }) => at > now - seconds * 1000)

const sum = (entries: ReadonlyArray<At>): number => entries.reduce((all, { value }) => all + value, 0)

const ready = { reason: "ReadyForNewScale", message: "recommended size matches current size" }
const higher = { reason: "ScaleDownStabilized", message: "recent recommendations were higher than current one, applying the highest recent recommendation" }
const lower = { reason: "ScaleUpStabilized", message: "recent recommendations were lower than current one, applying the lowest recent recommendation" }

/** The recommendation that holds: within the window of each direction the most careful one. */
const stabilize = ({ behavior, current, desired, history, now }: Wish) => {
  const upWindow = behavior?.scaleUp?.stabilizationWindowSeconds ?? 0
  const downWindow = behavior?.scaleDown?.stabilizationWindowSeconds ?? defaultDownWindow
  // At first it is as if the present number had been recommended all the time.
  const before = history.recommendations.length === 0 ? [{ value: current, at: now }] : history.recommendations
  const values = (seconds: number) => since(before, seconds, now).map(({ value }) => value)
  const highest = Math.max(desired, ...values(downWindow))
  const recommendations = [...since(before, Math.max(upWindow, downWindow), now), { value: desired, at: now }]
  if (behavior === undefined) return { stable: highest, recommendations, able: highest === desired ? ready : higher }
  const lowest = Math.min(desired, ...values(upWindow))
  const stable = Math.min(Math.max(current, lowest), highest)
  return { stable, recommendations, able: stable === desired ? ready : desired >= current ? lower : higher }
}

/** Each period begins at the number that there was before what was done in it. */
const upLimit = (current: number, rules: AutoscalingV2.HPAScalingRules, { downs, ups }: History, now: number): number => {
  if (rules.selectPolicy === "Disabled") return current
  const proposals = (rules.policies ?? []).map(({ periodSeconds, type, value }) => {
    const start = current - sum(since(ups, periodSeconds, now)) + sum(since(downs, periodSeconds, now))
    return type === "Pods" ? start + value : Math.ceil(start * (1 + value / 100))
  })
  return rules.selectPolicy === "Min" ? Math.min(...proposals) : Math.max(...proposals)
}

const downLimit = (current: number, rules: AutoscalingV2.HPAScalingRules, { downs, ups }: History, now: number): number => {
  if (rules.selectPolicy === "Disabled") return current
  const proposals = (rules.policies ?? []).map(({ periodSeconds, type, value }) => {
    const start = current + sum(since(downs, periodSeconds, now)) - sum(since(ups, periodSeconds, now))
    return type === "Pods" ? start - value : Math.floor(start * (1 - value / 100))
  })
  return rules.selectPolicy === "Min" ? Math.max(...proposals) : Math.min(...proposals)
}

interface Bound {
  readonly value: number
  readonly reason: string
  readonly message: string
}

const tooMany = (value: number): Bound => ({ value, reason: "TooManyReplicas", message: "the desired replica count is more than the maximum replica count" })
const tooFew = (value: number): Bound => ({ value, reason: "TooFewReplicas", message: "the desired replica count is less than the minimum replica count" })
const tooFast = (value: number): Bound => ({ value, reason: "ScaleUpLimit", message: "the desired replica count is increasing faster than the maximum scale rate" })
const tooFastDown = (value: number): Bound => ({ value, reason: "ScaleDownLimit", message: "the desired replica count is decreasing faster than the maximum scale rate" })

/** Without a behaviour: at most twice as many at a time, or four. */
const defaultUpLimit = (current: number): number => Math.max(2 * current, 4)

const bounds = ({ behavior, current, history, max, min, now }: Wish): { readonly least: Bound; readonly most: Bound } => {
  if (behavior === undefined) {
    const limit = defaultUpLimit(current)
    return { least: tooFew(min), most: max > limit ? tooFast(limit) : tooMany(max) }
  }
  const up = behavior.scaleUp === undefined ? max : Math.max(current, upLimit(current, behavior.scaleUp, history, now))
  const down = behavior.scaleDown === undefined ? min : Math.min(current, downLimit(current, behavior.scaleDown, history, now))
  return { least: min < down ? tooFastDown(down) : tooFew(min), most: max > up ? tooFast(up) : tooMany(max) }
}

/** The number to set now. */
export const decide = (wish: Wish): Verdict => {
  const { able, recommendations, stable } = stabilize(wish)
  const { least, most } = bounds(wish)
  const history = { ...wish.history, recommendations }
  const broken = stable < least.value ? least : stable > most.value ? most : undefined
  return broken === undefined
    ? { replicas: stable, history, able, limited: { status: "False", reason: "DesiredWithinRange", message: "the desired count is within the acceptable range" } }
    : { replicas: broken.value, history, able, limited: { status: "True", reason: broken.reason, message: broken.message } }
}

/** Remembers that the number was changed, as long as any policy of the behaviour looks back. */
export const scaled = (history: History, behavior: AutoscalingV2.HorizontalPodAutoscalerBehavior | undefined, from: number, to: number, now: number): History => {
  const policies = [...(behavior?.scaleUp?.policies ?? []), ...(behavior?.scaleDown?.policies ?? [])]
  const longest = Math.max(0, ...policies.map(({ periodSeconds }) => periodSeconds))
  const add = (entries: ReadonlyArray<At>, value: number) => [...since(entries, longest, now), ...(value > 0 ? [{ value, at: now }] : [])]
  return { ...history, ups: add(history.ups, to - from), downs: add(history.downs, from - to) }
}
