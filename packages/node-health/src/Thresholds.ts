/** Thresholds of disk space in the kubelet's notation, and the memory that keeps a node from going up and down at one. Pure. */
import * as Either from "effect/Either"

/** What is measured. @category models */
export type Signal = "nodefs.available" | "imagefs.available" | "nodefs.inodesFree" | "imagefs.inodesFree"

/** A limit: a share of the whole in percent, or an absolute number (bytes or inodes). @category models */
export interface Threshold {
  readonly signal: Signal
  readonly percent?: number
  readonly amount?: number
}

/** The kubelet's hard thresholds. @category models */
export const defaults: ReadonlyArray<Threshold> = [
  { signal: "nodefs.available", percent: 10 },
  { signal: "imagefs.available", percent: 15 },
  { signal: "nodefs.inodesFree", percent: 5 },
  { signal: "imagefs.inodesFree", percent: 5 }
]

const signals: ReadonlySet<string> = new Set(defaults.map(({ signal }) => signal))
const isSignal = (text: string): text is Signal => signals.has(text)
const units: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, Ti: 1024 ** 4 }

/** Reads `nodefs.available<10%` or `nodefs.available<1Gi`; left says what is wrong. @category combinators */
export const parse = (text: string): Either.Either<Threshold, string> => {
  const [, signal = "", number = "", unit = ""] = /^\s*([A-Za-z.]+)\s*<\s*(\d+(?:\.\d+)?)\s*(%|[A-Za-z]*)\s*$/.exec(text) ?? []
  if (!isSignal(signal)) return Either.left(`${JSON.stringify(text)} is no threshold such as nodefs.available<10%; signals are ${[...signals].join(", ")}`)
  if (unit === "%") return Number(number) > 100 ? Either.left(`${JSON.stringify(text)} is more than 100 percent`) : Either.right({ signal, percent: Number(number) })
  const factor = units[unit]
  return factor === undefined ? Either.left(`${JSON.stringify(text)} has an unknown unit ${unit}`) : Either.right({ signal, amount: Number(number) * factor })
}

/** The defaults with those replaced that are given: naming one keeps the others. @category combinators */
export const override = (given: ReadonlyArray<Threshold>): ReadonlyArray<Threshold> =>
  defaults.map((threshold) => given.findLast(({ signal }) => signal === threshold.signal) ?? threshold)

/** What was measured: how much of how much. @category models */
export interface Level {
  readonly signal: Signal
  readonly free: number
  readonly total: number
}

/** Points that must be gained above a threshold before pressure ends, and for how long. @category models */
export const recoveryPoints = 2
/** @category models */
export const recoveryMillis = 60_000

const crossed = ({ amount, percent = 0 }: Threshold, { free, total }: Level, points: number): boolean =>
  total > 0 && free < (amount ?? total * percent / 100) + total * points / 100

/** Levels below their threshold. @category combinators */
export const pressing = (thresholds: ReadonlyArray<Threshold>, levels: ReadonlyArray<Level>, points = 0): ReadonlyArray<Level> =>
  levels.filter((level) => thresholds.some((threshold) => threshold.signal === level.signal && crossed(threshold, level, points)))

/** Whether there is pressure, and since when it would be over. @category models */
export interface Pressure {
  readonly under: boolean
  readonly goodSince?: number
}

/** @category constructors */
export const noPressure: Pressure = { under: false }

/**
 * The state after a measurement at `now`, in milliseconds: pressure begins at once, and ends when the levels stayed above threshold and recovery
 * points for the recovery time.
 *
 * @category combinators
 */
export const step = (state: Pressure, thresholds: ReadonlyArray<Threshold>, levels: ReadonlyArray<Level>, now: number, holdMillis = recoveryMillis): Pressure => {
  if (pressing(thresholds, levels).length > 0) return { under: true }
  if (!state.under) return noPressure
  if (pressing(thresholds, levels, recoveryPoints).length > 0) return { under: true }
  const goodSince = state.goodSince ?? now
  return now - goodSince >= holdMillis ? noPressure : { under: true, goodSince }
}

/** `nodefs.available 4%`. @category combinators */
export const describe = ({ free, signal, total }: Level): string => `${signal} ${total > 0 ? Math.floor(free / total * 100) : 0}%`
