/** `disk_pressure`: space and inodes of the file systems of node and images, with a memory against going up and down at a threshold. */
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import { DatasetName, ZfsCommands, ZfsOutput, ZpoolCommands } from "@reddwarf/storage-zfs"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileProbe from "../FileProbe.js"
import * as HealthCheck from "../HealthCheck.js"
import type * as HostReader from "../HostReader.js"
import * as Observation from "../Observation.js"
import * as Thresholds from "../Thresholds.js"

/** Where one file system is measured. @category models */
export type Place =
  | { readonly _tag: "Path"; readonly path: string }
  /** Quota and reservations count, because ZFS counts them. */
  | { readonly _tag: "Dataset"; readonly dataset: string }

/** @category models */
export interface Options {
  readonly thresholds?: ReadonlyArray<Thresholds.Threshold>
  readonly nodefs: Place
  readonly imagefs: Place
}

/** Pools above this share are slow to write to, in percent. */
const fullPool = 90

type Measured = { readonly levels: ReadonlyArray<Thresholds.Level> } | { readonly observation: Observation.Observation }

const printed = (result: Effect.Effect<CommandRunner.CommandResult, CommandRunner.CommandUnavailable>): Effect.Effect<string | undefined> =>
  Effect.match(result, { onFailure: () => undefined, onSuccess: ({ exitCode, stdout }) => exitCode === 0 ? stdout : undefined })

/** The levels of a dataset by `zfs get -Hp available,used`, without inodes. @category combinators */
export const datasetLevels = (fs: "nodefs" | "imagefs", dataset: string, output: string): ReadonlyArray<Thresholds.Level> => {
  const properties = ZfsOutput.parseProperties(output).get(dataset)
  const available = Number(properties?.get("available")?.value)
  const used = Number(properties?.get("used")?.value)
  return Number.isFinite(available) && Number.isFinite(used) ? [{ signal: `${fs}.available`, free: available, total: available + used }] : []
}

/** The levels of statfs. @category combinators */
export const spaceLevels = (fs: "nodefs" | "imagefs", { available, inodes, inodesFree, total }: FileProbe.Space): ReadonlyArray<Thresholds.Level> => [
  { signal: `${fs}.available`, free: available, total },
  ...(inodes === undefined || inodesFree === undefined ? [] : [{ signal: `${fs}.inodesFree` as const, free: inodesFree, total: inodes }])
]

/** @category constructors */
export const make = (host: HostReader.Service, options: Options, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck => {
  const thresholds = Thresholds.override(options.thresholds ?? [])
  let pressure = Thresholds.noPressure

  const measure = (fs: "nodefs" | "imagefs", place: Place, limit: number): Effect.Effect<Measured> => {
    if (place._tag === "Path") {
      return FileProbe.within(host.files.space(place.path), place.path, limit).pipe(
        Effect.match({
          onFailure: (error) => ({ observation: error._tag === "ProbeHung" ? Observation.fail(`the statistics of ${place.path} hang`) : Observation.unknown(`${error.code} on ${place.path}`) }),
          onSuccess: (space) => ({ levels: spaceLevels(fs, space) })
        })
      )
    }
    const { dataset } = place
    if (!DatasetName.is(dataset)) return Effect.succeed({ observation: Observation.unknown(`${dataset} is no dataset`) })
    const pool = dataset.split("/")[0] ?? dataset
    return Effect.zipWith(
      printed(host.run(ZfsCommands.get(dataset, ["available", "used"]), limit)),
      DatasetName.is(pool) ? printed(host.run(ZpoolCommands.listRounded(pool), limit)) : Effect.succeed(undefined),
      (output, listed): Measured => {
        const levels = datasetLevels(fs, dataset, output ?? "")
        const [row] = ZfsOutput.parsePools(listed ?? "")
        if (row !== undefined && row.size > 0 && row.allocated / row.size * 100 >= fullPool) return { observation: Observation.fail(`pool ${pool} is ${Math.floor(row.allocated / row.size * 100)}% full`) }
        return levels.length === 0 ? { observation: Observation.unknown(`the space of ${dataset} cannot be read`) } : { levels }
      },
      { concurrent: true }
    )
  }

  return HealthCheck.make({ name: "disk_pressure", timeout: Duration.seconds(1), cacheTtl: Duration.seconds(10), onUnknown: "pass" }, tuning, (timeout) =>
    Effect.gen(function*() {
      const limit = Math.round(Duration.toMillis(timeout) * 0.8)
      const same = JSON.stringify(options.nodefs) === JSON.stringify(options.imagefs)
      const [node, image] = yield* Effect.all([
        measure("nodefs", options.nodefs, limit),
        same ? Effect.succeed(undefined) : measure("imagefs", options.imagefs, limit)
      ], { concurrency: 2 })
      // One file system for both has the levels of both.
      const shared = (level: Thresholds.Level): Thresholds.Level => ({ ...level, signal: level.signal === "nodefs.available" ? "imagefs.available" : "imagefs.inodesFree" })
      const found = [node, image].flatMap((measured) => measured === undefined ? [] : [measured])
      const observed = found.flatMap((measured) => "observation" in measured ? [measured.observation] : [])
      const own = found.flatMap((measured) => "levels" in measured ? measured.levels : [])
      const levels = same ? [...own, ...own.map(shared)] : own
      const now = yield* Clock.currentTimeMillis
      // Nothing measured says nothing about pressure.
      if (levels.length > 0) pressure = Thresholds.step(pressure, thresholds, levels, now)
      if (!pressure.under) return Observation.all([Observation.pass(), ...observed])
      const bad = Thresholds.pressing(thresholds, levels)
      const reason = bad.length > 0 ? bad.map(Thresholds.describe).join(", ") : "recovering from disk pressure"
      return Observation.all([Observation.fail(reason), ...observed])
    }))
}
