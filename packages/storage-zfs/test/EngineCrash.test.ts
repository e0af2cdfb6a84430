import { assert, describe, it } from "@effect/vitest"
import { CrashPoint } from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Context, Effect, Layer } from "effect"
import { DatasetName, StorageEngine, type StorageError } from "../src/index.js"
import { simulated } from "./zfsBackend.js"

type Runner = Context.Tag.Service<CommandRunner.CommandRunner>

const root = DatasetName.make("tpool/r")
const origin = DatasetName.snapshot(DatasetName.child(root, "images", "web"), "base")
const MiB = 1024 ** 2

const making = Effect.gen(function*() {
  const engine = yield* StorageEngine.StorageEngine
  yield* engine.ensureDatasets
  yield* engine.ensureZoneDataset({ zone: "z", uid: "u-1", quota: 50 * MiB, properties: { image: "web" }, origin })
  yield* engine.ensureZoneRoot({ zone: "z", uid: "u-1", name: "app", origin })
  yield* engine.ensureZoneRoot({ zone: "z", uid: "u-1", name: "debug", origin })
  yield* engine.ensureZoneRoot({ zone: "z", uid: "u-1", name: "debug", origin, folder: "later" })
  const delegated = yield* engine.ensureDelegated({ zone: "z", uid: "u-1", name: "db", mountpoint: "/data", quota: MiB })
  yield* engine.reclaimDelegated(delegated)
  yield* engine.ensureDelegated({ zone: "z", uid: "u-1", name: "db", mountpoint: "/data", quota: 2 * MiB })
  yield* engine.ensureVolume({ name: "v", owner: "pv-1", quota: 20 * MiB, reservation: 5 * MiB, access: { uid: 1, gid: 2, mode: 0o770 } })
  yield* engine.snapshotVolume("v", "s")
  yield* engine.ensureVolume({ name: "w", owner: "pv-2", from: DatasetName.snapshot(DatasetName.child(root, "volumes", "v"), "s") })
  yield* engine.ensureBlockVolume({ name: "b", owner: "vm-1", size: MiB, sparse: true })
})

const app = { zone: "z", uid: "u-1", name: "app" }

const rooted = Effect.gen(function*() {
  const engine = yield* StorageEngine.StorageEngine
  yield* engine.ensureDatasets
  yield* engine.ensureZoneDataset({ zone: "z", uid: "u-1" })
  yield* engine.ensureZoneRoot({ ...app, origin })
  yield* engine.keepRootBeginning(app)
})

/** As before each boot of a zone. */
const renewing = Effect.gen(function*() {
  const engine = yield* StorageEngine.StorageEngine
  if ((yield* engine.ensureZoneRoot({ ...app, origin })).beginning !== undefined) yield* engine.renewZoneRoot(app)
  yield* engine.keepRootBeginning(app)
})

const unmaking = Effect.gen(function*() {
  const engine = yield* StorageEngine.StorageEngine
  yield* engine.destroyVolumeSnapshot("v", "s")
  for (const [name, owner] of [["w", "pv-2"], ["v", "pv-1"], ["b", "vm-1"]] as const) yield* engine.destroyVolume(name, owner)
  yield* engine.destroyZoneDataset("z")
})

const using = (runner: Runner, program: Effect.Effect<void, StorageError.StorageError, StorageEngine.StorageEngine>) =>
  program.pipe(
    Effect.provide(StorageEngine.layerZfs({ root, mountpoint: "/r" }).pipe(Layer.provide(Layer.succeed(CommandRunner.CommandRunner, runner))))
  )

/** Everything about the pool that does not depend on when and how often it was asked. */
const state = (runner: Runner) =>
  Effect.map(
    runner.run(CommandLine.make("/usr/sbin/zfs", "get", "-Hp", "-r", "-o", "name,property,value,source", "all", "tpool")),
    ({ stdout }) =>
      stdout.split("\n").filter((row) => /\t(?:type|origin|quota|ref\w+|mountpoint|mounted|canmount|zoned|volsize|userrefs|defer_destroy|reddwarf:\S+)\t/.test(row) && !/\treferenced\t/.test(row))
  )

const host = Effect.map(Layer.build(simulated.layer), Context.get(CommandRunner.CommandRunner))

const prepared = Effect.gen(function*() {
  const runner = yield* host
  const sh = (text: string) => {
    const [program = "", ...args] = text.split(" ")
    return Effect.tap(runner.run(CommandLine.make(`/usr/sbin/${program}`, ...args)), ({ exitCode, stderr }) => exitCode === 0 ? Effect.void : Effect.dieMessage(stderr))
  }
  for (const command of ["zfs create -o mountpoint=/r tpool/r", "zfs create -p tpool/r/images/web", `zfs snapshot ${origin}`]) yield* sh(command)
  return runner
})

/** Kills the program at each of its commands in turn, lets it run again undisturbed, and compares. */
const everyPoint = (
  moment: CrashPoint.Moment,
  before: Effect.Effect<void, StorageError.StorageError, StorageEngine.StorageEngine>,
  program: Effect.Effect<void, StorageError.StorageError, StorageEngine.StorageEngine>
) =>
  Effect.gen(function*() {
    const calm = yield* prepared
    yield* using(calm, Effect.zipRight(before, program))
    const expected = yield* state(calm)
    return yield* CrashPoint.inTurn(moment, (point) =>
      Effect.gen(function*() {
        const runner = yield* prepared
        yield* using(runner, before)
        if (!(yield* CrashPoint.isReached(using(CrashPoint.runner(runner, point), program)))) return false
        yield* using(runner, program)
        assert.deepStrictEqual(yield* state(runner), expected, `killed ${moment} command ${point.command}`)
        return true
      }))
  }).pipe(Effect.scoped)

describe("an engine that is killed", () => {
  for (const moment of CrashPoint.moments) {
    it.live(`goes on from any point of making things (killed ${moment} a command)`, () =>
      Effect.map(everyPoint(moment, Effect.void, making), (points) => assert.isAbove(points, 20)), 120_000)

    it.live(`renews a root from any point of that (killed ${moment} a command)`, () =>
      Effect.map(everyPoint(moment, rooted, renewing), (points) => assert.isAbove(points, 5)), 120_000)

    it.live(`leaves nothing behind from any point of destroying them (killed ${moment} a command)`, () =>
      Effect.map(everyPoint(moment, making, unmaking), (points) => assert.isAbove(points, 5)), 120_000)
  }
})
