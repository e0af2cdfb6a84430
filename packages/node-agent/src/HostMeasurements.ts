/** What changes on a host while it runs: free memory, processes, space. */
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { StorageEngine } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import type { Measurements } from "./NodeConditions.js"

/** Pages of x86. */
const pageSize = 4096

/** Largest pid illumos gives unless configured otherwise: the limit that counts where `v_proc` cannot be read. */
const defaultProcessLimit = 30_000

/** One line per counter. @category constructors */
export const counters: CommandLine.CommandLine = CommandLine.make(
  "/usr/bin/kstat",
  "-p",
  "unix:0:system_pages:physmem",
  "unix:0:system_pages:freemem",
  "unix:0:system_misc:nproc",
  "unix:0:system_misc:boot_time",
  "unix:0:var:v_proc",
  "zfs:0:arcstats:size"
)

/** Counters by `module:instance:name:statistic`. @category combinators */
export const parseCounters = (text: string): ReadonlyMap<string, number> => {
  const values = new Map<string, number>()
  for (const line of text.split("\n")) {
    const [key, value] = line.split("\t")
    if (key !== undefined && value !== undefined && /^\d+$/.test(value)) values.set(key, Number(value))
  }
  return values
}

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
  const runner = yield* CommandRunner.CommandRunner
  const storage = yield* StorageEngine.StorageEngine
  const values = yield* runner.run(counters).pipe(
    Effect.map((result) => parseCounters(result.stdout)),
    Effect.catchAll((error) => Effect.as(Effect.logWarning("counters of the host cannot be read", error), new Map<string, number>()))
  )
  const pool = yield* storage.poolUsage.pipe(
    Effect.map(({ available, health, size }) => ({ available, health, size })),
    Effect.catchAll((error) => Effect.as(Effect.logWarning("the storage pool cannot be read", error), undefined))
  )
  const total = values.get("unix:0:system_pages:physmem")
  const free = values.get("unix:0:system_pages:freemem")
  const used = values.get("unix:0:system_misc:nproc")
  return {
    // The ZFS cache gives its memory back under pressure.
    memory: total === undefined || free === undefined
      ? undefined
      : { total: total * pageSize, free: free * pageSize + (values.get("zfs:0:arcstats:size") ?? 0) },
    processes: used === undefined ? undefined : { used, limit: values.get("unix:0:var:v_proc") ?? defaultProcessLimit },
    pool,
    bootTime: values.get("unix:0:system_misc:boot_time")
  }
})
