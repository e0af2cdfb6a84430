/**
 * Versions that are answered from memory and written some seconds later, many at a time: only the newest of each key is written,
 * packed with the others.
 */
import * as Effect from "effect/Effect"
import * as Segment from "./segment.js"
import type { SqliteBackend } from "./sqliteBackend.js"
import type { VersionIndex, VersionRecord } from "./versionIndex.js"

/** Which keys, how long a version may be in memory alone, and how many may be. */
export interface BehindOptions {
  readonly prefixes: ReadonlyArray<string>
  readonly intervalMillis: number
  readonly pending: number
}

/** Where the packed versions go. */
export type Sink = Pick<SqliteBackend, "appendSegments">

/** After so many segments, or when they hold so many times what is current, all are written anew. */
const maxSegments = 64
const maxGrowth = 4

export const isBehind = (prefixes: ReadonlyArray<string>, key: string): boolean => {
  for (const prefix of prefixes) if (key.startsWith(prefix)) return true
  return false
}

/** Whether keys under `prefix` may be among those. */
export const overlaps = (prefixes: ReadonlyArray<string>, prefix: string): boolean =>
  prefixes.some((other) => other.startsWith(prefix) || prefix.startsWith(other))

export interface WriteBehind {
  /** A version that will have to be written. */
  readonly note: (record: VersionRecord) => void
  /** Ends when so many versions are waiting that they should be written before their time. */
  readonly full: Effect.Effect<void>
  /** Writes what is waiting. What could not be written waits on; throws `BackendFault` as a defect for its caller to handle. */
  readonly flush: Effect.Effect<void>
  /** Writes what is waiting, at once, and ends the reservation of revisions. */
  readonly close: (revision: number) => void
}

const entriesOf = (records: ReadonlyArray<VersionRecord>): ReadonlyArray<Segment.Entry> =>
  records.flatMap(({ bytes, createRevision, key, revision, type }) =>
    bytes === undefined ? [] : [{ key, type, revision, createRevision, bytes }])

const encodedBytes = (record: VersionRecord): number => record.key.length + (record.bytes?.length ?? 0)

/** In groups that make one segment each. */
const grouped = (records: Iterable<VersionRecord>): ReadonlyArray<ReadonlyArray<VersionRecord>> => {
  const groups: Array<Array<VersionRecord>> = []
  let group: Array<VersionRecord> = []
  let bytes = 0
  for (const record of records) {
    if (group.length === 0) groups.push(group)
    group.push(record)
    bytes += encodedBytes(record)
    if (bytes < Segment.targetBytes) continue
    group = []
    bytes = 0
  }
  return groups
}

const packed = (records: ReadonlyArray<VersionRecord>): Effect.Effect<Buffer> =>
  Effect.async((resume) =>
    Segment.pack(
      Segment.encode(entriesOf(records)),
      (error, bytes) => resume(error === null ? Effect.succeed(bytes) : Effect.die(error))
    )
  )

export const make = (index: VersionIndex, sink: Sink, options: BehindOptions): WriteBehind => {
  let waiting = new Map<string, VersionRecord>()
  const full = Effect.unsafeMakeLatch(false)
  // The first flush of a process begins anew: nobody has counted what its predecessors left.
  let segments = maxSegments
  let written = 0
  let live = 0

  function* current() {
    for (const prefix of options.prefixes) {
      for (const record of index.under(prefix, "")) if (record.type !== "delete") yield record
    }
  }

  /** What goes into the next segments, and whether these replace all others. */
  const take = () => {
    const batch = waiting
    waiting = new Map()
    full.unsafeClose()
    let size = 0
    for (const record of batch.values()) size += encodedBytes(record)
    const instead = segments >= maxSegments || written + size > maxGrowth * live + Segment.targetBytes
    return { batch, size, instead, records: instead ? [...current()] : [...batch.values()] }
  }

  type Batch = ReturnType<typeof take>

  const giveBack = ({ batch }: Batch): void => {
    for (const [key, record] of batch) if (!waiting.has(key)) waiting.set(key, record)
  }

  const append = (batch: Batch, bytes: ReadonlyArray<Uint8Array>, reserved?: number): void => {
    sink.appendSegments(bytes, batch.instead, reserved)
    segments = bytes.length + (batch.instead ? 0 : segments)
    written = batch.instead ? 0 : written + batch.size
    if (batch.instead) live = batch.records.reduce((sum, record) => sum + encodedBytes(record), 0)
  }

  return {
    note: (record) => {
      waiting.set(record.key, record)
      if (waiting.size >= options.pending) full.unsafeOpen()
    },
    full: full.await,
    flush: Effect.suspend(() => {
      if (waiting.size === 0) return Effect.void
      const batch = take()
      return Effect.forEach(grouped(batch.records), packed).pipe(
        Effect.flatMap((bytes) => Effect.sync(() => append(batch, bytes))),
        Effect.onExit((exit) => exit._tag === "Success" ? Effect.void : Effect.sync(() => giveBack(batch)))
      )
    }),
    close: (revision) => {
      const batch = take()
      append(batch, Segment.split(entriesOf(batch.records)).map(Segment.packSync), revision)
    }
  }
}
