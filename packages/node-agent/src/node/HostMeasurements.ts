/** What changes on a host while it runs: free memory, processes, space. */
import { type CommandRunner, ResourceUsage } from "@reddwarf/runtime-illumos"
import { StorageEngine } from "@reddwarf/storage-zfs"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Measurements } from "./NodeConditions.js"

/** Largest pid illumos gives unless configured otherwise: the limit that counts where `v_proc` cannot be read. */
const defaultProcessLimit = 30_000

/** @category models */
export interface Snapshot extends Omit<Measurements, "notReady"> {
  /** Seconds since the epoch at which the host booted; another value means another boot. */
  readonly bootTime: number | undefined
}

/**
 * Measures once. What cannot be read is absent.
 *
 * @category constructors
 */
export const read: Effect.Effect<Snapshot, never, CommandRunner.CommandRunner | StorageEngine.StorageEngine> = Effect.gen(function*() {
  const storage = yield* StorageEngine.StorageEngine
  const host = yield* Effect.catchAll(ResourceUsage.readHost, (error): Effect.Effect<ResourceUsage.HostUsage> =>
    Effect.as(Effect.logWarning("counters of the host cannot be read", error), {}))
  const pool = yield* storage.poolUsage.pipe(
    Effect.map(({ available, health, size }) => ({ available, health, size })),
    Effect.catchAll((error) => Effect.as(Effect.logWarning("the storage pool cannot be read", error), undefined))
  )
  const { bootTime, memoryAvailable, memoryTotal, processes, processLimit = defaultProcessLimit } = host
  return {
    memory: memoryTotal === undefined || memoryAvailable === undefined ? undefined : { total: memoryTotal, free: memoryAvailable },
    processes: processes === undefined ? undefined : { used: processes, limit: processLimit },
    pool,
    bootTime
  }
})

type Reading = typeof read

/** Measurements that several look at. @category models */
export interface Shared {
  /** Measures now, for who must not miss a shortage. */
  readonly now: Reading
  /** What was measured last, unless that is too old: for who only shows it. */
  readonly recent: Reading
}

/**
 * One memory for all who look: `recent` gives what is at most `age` old, and measures where nobody has meanwhile.
 *
 * @category constructors
 */
export const shared = (age: Duration.DurationInput): Shared => {
  let last: { readonly at: number; readonly snapshot: Snapshot } | undefined
  const now = Effect.flatMap(Clock.currentTimeMillis, (at) =>
    Effect.tap(read, (snapshot) =>
      Effect.sync(() => {
        last = { at, snapshot }
      })))
  return {
    now,
    recent: Effect.flatMap(Clock.currentTimeMillis, (at) =>
      last !== undefined && at >= last.at && at - last.at < Duration.toMillis(age) ? Effect.succeed(last.snapshot) : now)
  }
}
