import { assert, layer } from "@effect/vitest"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Effect, Layer, Schedule } from "effect"
import { DatasetName, StorageEngine, Zfs } from "../src/index.js"
import { difference, type Expected } from "./zfsAnswers.js"
import { type Backend, TestZfs } from "./zfsBackend.js"
import { cases } from "./zfsCases.js"

/** A dataset of its own for a test, and a folder to mount in; everything is destroyed at the end. */
export const place = (name: string) =>
  Effect.gen(function*() {
    const zfs = yield* Zfs.Zfs
    const { pool, root } = yield* TestZfs
    const base = DatasetName.child(pool, name)
    yield* Effect.acquireRelease(
      zfs.create(base, { mountpoint: "none" }),
      () =>
        // Destroying what is mounted is racy on zfs-fuse: it has been unmounted by then, and the next try works.
        zfs.destroy(base, { clones: true }).pipe(
          Effect.retry({ schedule: Schedule.intersect(Schedule.spaced("100 millis"), Schedule.recurs(100)), while: (error) => error._tag === "DatasetBusy" }),
          Effect.orDie
        )
    )
    return { base, folder: `${root}/${name}` }
  })

const filled = (text: string, base: string, pool: string, folder: string): string =>
  text.replaceAll("%%", pool).replaceAll(/%(?=[/@\s,']|$)/g, base).replaceAll("^", folder)

const expectedIn = (expected: Expected, fill: (text: string) => string): Expected =>
  typeof expected === "string" ? fill(expected) : expected !== 0 && "fails" in expected ? { fails: fill(expected.fails) } : expected

/** Every command of every case answers the same on every ZFS. */
export const answers = (backend: Backend): void => {
  const real = Layer.provideMerge(Zfs.layer, backend.layer)
  layer(real, { excludeTestServices: true, timeout: "30 seconds" })(`answers of ${backend.name}`, (it) => {
    cases.forEach(({ name, needs, steps }, index) => {
      it.scoped.skipIf(backend.missing !== undefined || (needs !== undefined && !backend.features.has(needs)))(name, () =>
        Effect.gen(function*() {
          const runner = yield* CommandRunner.CommandRunner
          const { pool } = yield* TestZfs
          const { base, folder } = yield* place(`case${index}`)
          const fill = (text: string) => filled(text, base, pool, folder)
          const wrong: Array<unknown> = []
          for (const [command, expected] of steps) {
            const [program = "", ...args] = fill(command).split(" ")
            const answer = yield* runner.run({ program: `/usr/sbin/${program}`, args })
            const differs = difference(expectedIn(expected, fill), answer, backend.plainStatus)
            if (differs !== undefined) wrong.push({ command: fill(command), differs })
          }
          assert.deepStrictEqual(wrong, [])
        }), 60_000)
    })
  })
}

export const engineLayer = (base: DatasetName.DatasetName, folder: string, options: Partial<StorageEngine.Options> = {}) =>
  StorageEngine.layerZfs({ root: DatasetName.child(base, "reddwarf"), mountpoint: folder, ...options })
