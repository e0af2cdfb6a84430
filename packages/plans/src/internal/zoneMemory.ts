/** What one process remembers of a zone between passes; all of it can be found out again. */
import type * as Effect from "effect/Effect"
import type { DriftKind } from "../Drift.js"
import type { ZoneState } from "../Observation.js"
import type { Plan } from "../Plan.js"
import type { LedgerEntry } from "../PlanLedger.js"
import type { Status, ZoneInstance } from "../ZoneInstance.js"

export interface ZoneMemory {
  readonly key: string
  readonly uid: string
  /** What the ledger has: nobody else writes it, so it is read once. */
  entry: LedgerEntry | undefined
  /** The plan as it is on disk: what was only looked at is not written, so `entry` may be further. */
  onDisk: Plan | undefined
  /** Decided here, and not in the API yet because it does not answer. */
  unsaved: Status | undefined
  /** Told to people and counted once the status that shows it is written. */
  pending: Array<Effect.Effect<void>>
  /** Whether it was told that the ledger cannot be written. */
  ledgerFails: boolean
  /** When each gate is asked again, in ms. */
  readonly gateDue: Map<string, number>
  driftsSeen: ReadonlySet<DriftKind>
  /** The state that the zone should leave by itself, and since when. */
  transient: { readonly state: ZoneState; readonly since: number } | undefined
  /** Difference between the wall clock and the one that is never set, in ms. */
  clockOffset: number | undefined
  /** The object with its status as of the last pass. */
  last: ZoneInstance | undefined
}

/** More than a few things to tell are waiting only while the API is away: the oldest are dropped then. */
const mostPending = 64

export const make = (key: string, uid: string): ZoneMemory => ({
  key,
  uid,
  entry: undefined,
  onDisk: undefined,
  unsaved: undefined,
  pending: [],
  ledgerFails: false,
  gateDue: new Map(),
  driftsSeen: new Set(),
  transient: undefined,
  clockOffset: undefined,
  last: undefined
})

export const tell = (memory: ZoneMemory, ...effects: ReadonlyArray<Effect.Effect<void>>): void => {
  memory.pending.push(...effects)
  if (memory.pending.length > mostPending) memory.pending.splice(0, memory.pending.length - mostPending)
}

/** Without values that are undefined: what is written is what is there. */
export const compact = (value: Status): Status => {
  const clean = (value: unknown): unknown =>
    Array.isArray(value)
      ? value.map(clean)
      : typeof value === "object" && value !== null
      ? Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined).map(([name, field]) => [name, clean(field)]))
      : value
  return cleanStatus(clean(value), value)
}

const cleanStatus = (cleaned: unknown, status: Status): Status =>
  typeof cleaned === "object" && cleaned !== null ? { ...cleaned } : status
