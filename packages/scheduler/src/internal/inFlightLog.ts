/**
 * What happened while attempts were under way: one list for all of them, of which each attempt sees the part since it began. An attempt that
 * finds no node asks it whether something meanwhile could help, so that nothing is missed.
 */
import type { Change } from "../ClusterEvent.js"

export interface InFlightLog {
  readonly note: (change: Change) => void
  /** Where an attempt begins. */
  readonly mark: () => number
  /** Whether anything since the mark satisfies the test; true as well when that is not known any more. */
  readonly someSince: (mark: number, test: (change: Change) => boolean) => boolean
  /** Forgets what came before this mark: that of the oldest attempt under way, or `undefined` when there is none. */
  readonly trim: (oldest: number | undefined) => void
  readonly size: () => number
}

export const make = (capacity = 10_000): InFlightLog => {
  let changes: Array<Change> = []
  /** How many were forgotten. */
  let base = 0

  return {
    note: (change) => {
      if (changes.length >= capacity) {
        base += changes.length
        changes = []
      }
      changes.push(change)
    },
    mark: () => base + changes.length,
    someSince: (mark, test) => {
      if (mark < base) return true
      for (let i = mark - base; i < changes.length; i++) {
        const change = changes[i]
        if (change !== undefined && test(change)) return true
      }
      return false
    },
    trim: (oldest) => {
      const past = oldest === undefined ? changes.length : oldest - base
      if (past <= 0) return
      // Cutting the front off each time would copy the rest each time.
      if (past < changes.length && past < 256) return
      changes = past >= changes.length ? [] : changes.slice(past)
      base += past
    },
    size: () => changes.length
  }
}
