/**
 * At which amounts a node begins to end pods, in the notation of the kubelet: `memory.available<100Mi,nodefs.available<10%`.
 *
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/
 */
import { Quantity } from "@reddwarf/api-types"
import * as Either from "effect/Either"

/** What of a node can run out. ZFS has no inodes that could. @category models */
export type Signal = "memory.available" | "nodefs.available" | "pid.available"

const signals: ReadonlyArray<Signal> = ["memory.available", "nodefs.available", "pid.available"]

/** @category models */
export interface Threshold {
  readonly signal: Signal
  /** As it was written: a quantity, or a percentage of the capacity. */
  readonly text: string
  /** The amount below which it is met, of a capacity in the same unit (bytes, or processes). */
  readonly amountOf: (capacity: number) => number
}

/** How much there is, and how much there could be at most. @category models */
export interface Observation {
  readonly available: number
  readonly capacity: number
}

/** What could be measured of a node. @category models */
export type Observations = Readonly<Partial<Record<Signal, Observation>>>

const isSignal = (text: string): text is Signal => signals.some((signal) => signal === text)

const amountOf = (text: string): Either.Either<Threshold["amountOf"], string> => {
  const percent = /^(\d{1,2}(?:\.\d+)?|100)%$/.exec(text)?.[1]
  if (percent !== undefined) return Either.right((capacity) => capacity * Number(percent) / 100)
  return Quantity.parse(text).pipe(
    Either.map((quantity) => {
      const amount = Quantity.toNumber(quantity)
      return () => amount
    }),
    Either.mapLeft(() => `"${text}" is neither a quantity such as 100Mi nor a percentage such as 10%`)
  )
}

/**
 * Reads a list of thresholds; each replaces the default for its signal, and the others stay. The left is a text that says what is wrong.
 *
 * @category constructors
 */
export const parse = (text: string): Either.Either<ReadonlyArray<Threshold>, string> => {
  const found = new Map<Signal, Threshold>(defaults.map((threshold) => [threshold.signal, threshold]))
  for (const part of text.split(",").map((one) => one.trim()).filter((one) => one !== "")) {
    const at = part.indexOf("<")
    const signal = part.slice(0, at)
    if (at < 0 || !isSignal(signal)) return Either.left(`"${part}" must be SIGNAL<AMOUNT; signals are ${signals.join(", ")}`)
    const amount = amountOf(part.slice(at + 1))
    if (Either.isLeft(amount)) return Either.left(amount.left)
    found.set(signal, { signal, text: part.slice(at + 1), amountOf: amount.right })
  }
  return Either.right([...found.values()])
}

/** Those of the kubelet, and a tenth of all processes. @category constants */
export const defaults: ReadonlyArray<Threshold> = [
  { signal: "memory.available", text: "100Mi", amountOf: () => 100 * 1024 * 1024 },
  { signal: "nodefs.available", text: "10%", amountOf: (capacity) => capacity * 0.1 },
  { signal: "pid.available", text: "10%", amountOf: (capacity) => capacity * 0.1 }
]

/**
 * The thresholds that are met. What could not be measured meets none: not knowing is no reason to end a pod.
 *
 * @category combinators
 */
export const met = (thresholds: ReadonlyArray<Threshold>, observed: Observations): ReadonlyArray<Threshold> =>
  thresholds.filter(({ amountOf, signal }) => {
    const observation = observed[signal]
    return observation !== undefined && observation.available < amountOf(observation.capacity)
  })
