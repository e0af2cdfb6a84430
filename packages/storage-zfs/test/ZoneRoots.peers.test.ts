import { assert, layer } from "@effect/vitest"
import { CrashPoint } from "@reddwarf/illumos-sim"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Context, Effect, Layer, Number } from "effect"
import { DatasetName, StorageEngine, Zfs } from "../src/index.js"
import { fuse, inPath, simulated, TestZfs } from "./zfsBackend.js"
import { engineLayer, place } from "./zfsSuite.js"

const [first, second] = ["11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555"]
const of = { zone: "default-web-1", uid: "u-1" }

/** An image with a root folder, as the layers of images have one. */
const image = (engine: StorageEngine.StorageEngine["Type"], folder: string, name: string) =>
  Effect.gen(function*() {
    const zfs = yield* Zfs.Zfs
    const files = yield* TestZfs
    const dataset = DatasetName.child(engine.layout.images, name)
    yield* zfs.create(dataset)
    yield* files.write(`${folder}/reddwarf/images/${name}/version`, name)
    const snapshot = DatasetName.snapshot(dataset, "layer")
    yield* zfs.snapshot(snapshot)
    return snapshot
  })

/** The snapshots of the roots of a zone, with what each is marked with. */
const snapshots = (engine: StorageEngine.StorageEngine["Type"], zone: string) =>
  Effect.gen(function*() {
    const zfs = yield* Zfs.Zfs
    const entries = yield* zfs.list(DatasetName.child(engine.layout.zones, zone), { types: ["snapshot"], properties: ["reddwarf:change", "reddwarf:uid"] })
    return entries.map(({ name, properties }) => [name.slice(name.lastIndexOf("/") + 1), properties.get("reddwarf:change")?.value, properties.get("reddwarf:uid")?.value])
  })

const withEngine = (base: DatasetName.DatasetName, folder: string) =>
  Effect.map(
    Layer.build(engineLayer(base, `${folder}/reddwarf`, { root: DatasetName.child(base, "reddwarf") })),
    Context.get(StorageEngine.StorageEngine)
  )

/** An engine with two images. */
const withImages = (name: string) =>
  Effect.gen(function*() {
    const { base, folder } = yield* place(name)
    const engine = yield* withEngine(base, folder)
    yield* engine.ensureDatasets
    const one = yield* image(engine, folder, "one")
    const two = yield* image(engine, folder, "two")
    return { engine, one, two, base }
  })

/** A zone as its installer leaves it: its zonepath is a clone of an image. */
const install = (engine: StorageEngine.StorageEngine["Type"], spec: typeof of, origin: DatasetName.SnapshotName) =>
  Effect.gen(function*() {
    const zfs = yield* Zfs.Zfs
    const files = yield* TestZfs
    const zone = yield* engine.ensureZoneDataset(spec)
    yield* zfs.clone(origin, DatasetName.child(zone.dataset, "zone"))
    return { zone, version: files.read(`${zone.zonepath}/version`) }
  })

const installed = (name: string) =>
  Effect.gen(function*() {
    const { engine, one, two } = yield* withImages(name)
    const { version, zone } = yield* install(engine, of, one)
    return { engine, one, two, zone, version }
  })

/** Tries an engine that dies at its first command, then one that does at its second, and so on; gives how many there were. */
const everyPoint = <E, R>(
  base: DatasetName.DatasetName,
  trial: (dying: StorageEngine.StorageEngine["Type"], where: string) => Effect.Effect<boolean, E, R>
) =>
  Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const counts = yield* Effect.forEach(CrashPoint.moments, (moment) =>
      CrashPoint.inTurn(moment, (point) =>
        Effect.gen(function*() {
          const dying = Layer.succeed(CommandRunner.CommandRunner, CrashPoint.runner(runner, point))
          const built = yield* Layer.build(Layer.provide(StorageEngine.layerZfs({ root: DatasetName.child(base, "reddwarf") }), dying))
          return yield* trial(Context.get(built, StorageEngine.StorageEngine), `killed ${moment} command ${point.command}`)
        })))
    return Number.sumAll(counts)
  })

for (const backend of [simulated, fuse, inPath]) {
  const real = Layer.provideMerge(Zfs.layer, backend.layer)
  layer(real, { excludeTestServices: true, timeout: "30 seconds" })(`roots of a zone on ${backend.name}`, (it) => {
    const off = backend.missing !== undefined

    it.scoped.skipIf(off)("are staged, swapped, brought back and dropped", () =>
      Effect.gen(function*() {
        const { engine, one, two, version, zone } = yield* installed("swap")
        assert.strictEqual((yield* engine.observeRoot(of)).active?.origin, one)
        const staged = yield* engine.stageRoot({ ...of, change: first, origin: two })
        assert.deepStrictEqual(yield* engine.stageRoot({ ...of, change: first, origin: two }), staged)
        assert.strictEqual((yield* Effect.flip(engine.stageRoot({ ...of, change: first, origin: one })))._tag, "DatasetExists")
        assert.strictEqual(yield* version, "one")

        const active = yield* engine.swapRoot({ ...of, change: first })
        assert.strictEqual(yield* version, "two")
        assert.deepStrictEqual([active.mountpoint, active.origin, active.change], [zone.zonepath, two, first])
        assert.deepStrictEqual(yield* engine.swapRoot({ ...of, change: first }), active)
        // Taken already: staging it again finds it in use.
        assert.deepStrictEqual(yield* engine.stageRoot({ ...of, change: first, origin: two }), active)
        const after = yield* engine.observeRoot(of)
        assert.deepStrictEqual([[...after.staged.keys()], [...after.previous.keys()]], [[], [first.slice(0, 8)]])

        yield* engine.swapRoot({ ...of, change: second, restore: first })
        yield* engine.swapRoot({ ...of, change: second, restore: first })
        assert.strictEqual(yield* version, "one")
        const back = yield* engine.observeRoot(of)
        assert.deepStrictEqual([back.active?.change, [...back.previous.keys()]], [second, [second.slice(0, 8)]])
        assert.strictEqual((yield* Effect.flip(engine.swapRoot({ ...of, change: first, restore: "99999999-none" })))._tag, "DatasetNotFound")
        assert.strictEqual(yield* version, "one")

        yield* engine.stageRoot({ ...of, change: first, origin: two })
        yield* engine.dropRoots({ ...of, previous: 1, staged: first })
        assert.deepStrictEqual((yield* engine.observeRoot(of)).staged.size, 1)
        yield* engine.dropRoots({ ...of, previous: 0 })
        const last = yield* engine.observeRoot(of)
        assert.deepStrictEqual([last.staged.size, last.previous.size, last.active?.origin], [0, 0, one])
        yield* engine.destroyZoneDataset(of.zone)
      }), 60_000)

    it.scoped.skipIf(off)("are kept as they were when a change began, for as long as it lasts", () =>
      Effect.gen(function*() {
        const { engine, two, version, zone } = yield* installed("snapshot")
        const files = yield* TestZfs
        const change = { ...of, change: first }
        yield* engine.snapshotRoot(change)
        yield* engine.snapshotRoot(change)
        assert.deepStrictEqual(yield* snapshots(engine, of.zone), [[`zone@change-${first}`, first, of.uid]])
        yield* files.write(`${zone.zonepath}/version`, "changed meanwhile")
        yield* engine.snapshotRoot(change)
        // It goes with its root, out of the way and back.
        yield* engine.stageRoot({ ...change, origin: two })
        yield* engine.swapRoot(change)
        assert.strictEqual(yield* version, "two")
        assert.deepStrictEqual(yield* snapshots(engine, of.zone), [[`prev-11111111@change-${first}`, first, of.uid]])
        // What there is now is the change: nothing of before it is left to be kept.
        yield* engine.snapshotRoot(change)
        assert.lengthOf(yield* snapshots(engine, of.zone), 1)
        yield* engine.swapRoot({ ...of, change: second, restore: first })
        assert.strictEqual(yield* version, "changed meanwhile")
        yield* engine.snapshotRoot({ ...of, change: "33333333-next" })
        yield* engine.dropRootSnapshots({ ...of, keep: "33333333-next" })
        assert.deepStrictEqual(yield* snapshots(engine, of.zone), [["zone@change-33333333-next", "33333333-next", of.uid]])
        assert.strictEqual((yield* Effect.flip(engine.dropRootSnapshots({ ...of, uid: "u-2" })))._tag, "DatasetNotOwned")
        assert.strictEqual((yield* Effect.flip(engine.snapshotRoot({ ...of, change: "../../up" })))._tag, "PropertyRejected")
        yield* engine.dropRootSnapshots(of)
        yield* engine.dropRootSnapshots(of)
        assert.deepStrictEqual(yield* snapshots(engine, of.zone), [])
        // A root that is destroyed takes its own with it.
        yield* engine.snapshotRoot(change)
        yield* engine.destroyZoneDataset(of.zone)
      }), 60_000)

    it.scoped.skipIf(off)("are kept in the order in which they were put aside, and not touched for others", () =>
      Effect.gen(function*() {
        const { engine, one, two } = yield* installed("order")
        const changes = ["aaaaaaaa-1", "00000000-2", "cccccccc-3"]
        for (const [at, change] of changes.entries()) {
          yield* engine.stageRoot({ ...of, change, origin: at % 2 === 0 ? two : one })
          yield* engine.swapRoot({ ...of, change })
        }
        assert.deepStrictEqual([...(yield* engine.observeRoot(of)).previous.keys()], ["aaaaaaaa", "00000000", "cccccccc"])
        yield* engine.dropRoots({ ...of, previous: 1 })
        assert.deepStrictEqual([...(yield* engine.observeRoot(of)).previous.keys()], ["cccccccc"])
        const stranger = { ...of, uid: "u-2" }
        for (const refused of [
          engine.observeRoot(stranger),
          engine.stageRoot({ ...stranger, change: first, origin: two }),
          engine.swapRoot({ ...stranger, change: first }),
          engine.dropRoots({ ...stranger, previous: 0 })
        ]) assert.strictEqual((yield* Effect.flip(refused))._tag, "DatasetNotOwned")
        assert.strictEqual((yield* Effect.flip(engine.stageRoot({ ...of, change: "../evil/..", origin: two })))._tag, "PropertyRejected")
      }), 60_000)

    it.scoped.skipIf(off)("are kept once, and not for longer, after a kill before or after any command of that", () =>
      Effect.gen(function*() {
        const { base, engine, one } = yield* withImages("snapshots")
        yield* install(engine, of, one)
        const change = (engine: StorageEngine.StorageEngine["Type"]) =>
          Effect.zipRight(engine.snapshotRoot({ ...of, change: first }), engine.dropRootSnapshots({ ...of, keep: second }))
        const points = yield* everyPoint(base, (dying, where) =>
          Effect.gen(function*() {
            if (!(yield* CrashPoint.isReached(change(dying)))) return false
            yield* engine.snapshotRoot({ ...of, change: first })
            assert.lengthOf(yield* snapshots(engine, of.zone), 1, where)
            yield* change(engine)
            assert.lengthOf(yield* snapshots(engine, of.zone), 0, where)
            return true
          }))
        assert.isAbove(points, 6)
      }), 60_000)

    it.scoped.skipIf(off)("are right again after a kill before or after any command of a swap", () =>
      Effect.gen(function*() {
        const { base, engine, one, two } = yield* withImages("crash")
        let zones = 0
        const points = yield* everyPoint(base, (dying, where) =>
          Effect.gen(function*() {
            const spec = { ...of, zone: `${of.zone}-${zones++}` }
            const { version } = yield* install(engine, spec, one)
            const change = (engine: StorageEngine.StorageEngine["Type"]) =>
              Effect.gen(function*() {
                yield* engine.stageRoot({ ...spec, change: first, origin: two })
                yield* engine.swapRoot({ ...spec, change: first })
                yield* engine.dropRoots({ ...spec, previous: 1 })
              })
            if (!(yield* CrashPoint.isReached(change(dying)))) return false
            yield* change(engine)
            const seen = yield* engine.observeRoot(spec)
            assert.deepStrictEqual(
              [seen.active?.change, seen.staged.size, [...seen.previous.keys()], yield* version],
              [first, 0, ["11111111"], "two"],
              where
            )
            yield* engine.destroyZoneDataset(spec.zone)
            return true
          }))
        assert.isAbove(points, 20)
      }), 180_000)
  })
}
