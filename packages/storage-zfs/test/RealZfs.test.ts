import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as DatasetName from "../src/DatasetName.js"
import * as StorageEngine from "../src/StorageEngine.js"
import * as Zfs from "../src/Zfs.js"
import * as zfsFuse from "./zfsFuse.js"

const pool = DatasetName.make("tpool")
const at = (...components: ReadonlyArray<string>) => DatasetName.child(pool, ...components)
const tagOf = <A, R>(effect: Effect.Effect<A, { readonly _tag: string }, R>) =>
  Effect.map(Effect.flip(effect), (error) => error._tag)

const real = Zfs.layer.pipe(Layer.provideMerge(zfsFuse.layer))

const unavailable = zfsFuse.missing !== undefined
if (unavailable) process.stderr.write(`storage-zfs: tests against real ZFS are skipped: ${zfsFuse.missing}\n`)

layer(real, { excludeTestServices: true, timeout: "20 seconds" })("real ZFS", (it) => {
  it.effect.skipIf(unavailable)("creates, reads, changes and destroys datasets", () =>
    Effect.gen(function*() {
      const zfs = yield* Zfs.Zfs
      const name = at("basic")
      yield* zfs.create(name, { quota: "64M", "reddwarf:uid": "u 1; {\"json\":[1]}" })
      const properties = yield* zfs.get(name, ["quota", "reddwarf:uid", "reddwarf:none", "mountpoint"])
      assert.deepStrictEqual(properties.get("quota"), { value: String(64 * 1024 ** 2), source: "local" })
      assert.deepStrictEqual(properties.get("reddwarf:uid"), { value: "u 1; {\"json\":[1]}", source: "local" })
      assert.strictEqual(properties.get("reddwarf:none")?.value, "-")
      yield* zfs.set(name, "quota", "none")
      assert.strictEqual((yield* zfs.get(name, ["quota"])).get("quota")?.value, "0")
      yield* zfs.create(DatasetName.child(name, "x", "y"), {}, { parents: true })
      const entries = yield* zfs.list(name)
      assert.deepStrictEqual(entries.map((entry) => [String(entry.name), entry.type, entry.mountpoint]), [
        ["tpool/basic", "filesystem", "none"],
        ["tpool/basic/x", "filesystem", "none"],
        ["tpool/basic/x/y", "filesystem", "none"]
      ])
      yield* zfs.inherit(name, "reddwarf:uid")
      yield* zfs.destroy(name, { recursive: true })
      assert.strictEqual(yield* tagOf(zfs.get(name, ["type"])), "DatasetNotFound")
    }))

  it.effect.skipIf(unavailable)("fails with the error the situation has", () =>
    Effect.gen(function*() {
      const zfs = yield* Zfs.Zfs
      const name = at("failures")
      yield* zfs.create(name)
      assert.strictEqual(yield* tagOf(zfs.create(name)), "DatasetExists")
      assert.strictEqual(yield* tagOf(zfs.create(at("no", "parent"))), "DatasetNotFound")
      assert.strictEqual(yield* tagOf(zfs.create(DatasetName.make("nopool/a"))), "PoolUnavailable")
      assert.strictEqual(yield* tagOf(zfs.create(at("bad"), { quota: "much" })), "PropertyRejected")
      assert.strictEqual(yield* tagOf(zfs.set(name, "nosuch", "1")), "PropertyRejected")
      assert.strictEqual(yield* tagOf(zfs.destroy(at("missing"))), "DatasetNotFound")
      assert.strictEqual(yield* tagOf(zfs.pool(DatasetName.make("nopool"))), "PoolUnavailable")
      yield* zfs.create(DatasetName.child(name, "x"))
      assert.strictEqual(yield* tagOf(zfs.destroy(name)), "DatasetHasChildren")
      yield* zfs.destroy(name, { recursive: true })
    }))

  it.effect.skipIf(unavailable)("snapshots, clones and promotes", () =>
    Effect.gen(function*() {
      const zfs = yield* Zfs.Zfs
      const [source, target] = [at("image"), at("clone")]
      const base = DatasetName.snapshot(source, "base")
      yield* zfs.create(source)
      yield* zfs.snapshot(base, { properties: { "reddwarf:digest": "sha256:abc" } })
      assert.strictEqual(yield* tagOf(zfs.snapshot(base)), "DatasetExists")
      yield* zfs.clone(base, target, { "reddwarf:uid": "u" })
      assert.strictEqual((yield* zfs.get(target, ["origin"])).get("origin")?.value, base)
      assert.strictEqual((yield* zfs.get(base, ["reddwarf:digest"])).get("reddwarf:digest")?.value, "sha256:abc")
      assert.strictEqual(yield* tagOf(zfs.destroy(source, { recursive: true })), "DatasetHasClones")
      assert.strictEqual(yield* tagOf(zfs.promote(source)), "ZfsCommandFailed")
      yield* zfs.promote(target)
      yield* zfs.destroy(source)
      yield* zfs.destroy(target, { recursive: true })
    }))

  it.effect.skipIf(unavailable)("keeps zone datasets: mounted, marked, limited, listed, destroyed", () =>
    Effect.gen(function*() {
      const root = yield* zfsFuse.ZfsRoot
      const runner = yield* CommandRunner.CommandRunner
      yield* Effect.gen(function*() {
        const engine = yield* StorageEngine.StorageEngine
        yield* engine.ensureDatasets
        yield* engine.ensureDatasets
        const spec = { zone: "default-web-1", uid: "u-1", quota: 32 * 1024 ** 2, properties: { image: "abc" } }
        const zone = yield* engine.ensureZoneDataset(spec)
        assert.strictEqual(zone.zonepath, `${root}/zones/default-web-1/zone`)
        assert.strictEqual(zone.quota, spec.quota)
        assert.deepStrictEqual(yield* engine.ensureZoneDataset(spec), zone)

        const write = yield* runner.run(
          CommandLine.make("/bin/dd", "if=/dev/urandom", `of=${zone.mountpoint}/fill`, "bs=1M", "count=64")
        )
        assert.notStrictEqual(write.exitCode, 0)
        assert.match(write.stderr, /quota/i)

        assert.strictEqual(yield* tagOf(engine.ensureZoneDataset({ ...spec, uid: "u-2" })), "DatasetNotOwned")
        const raised = yield* engine.ensureZoneDataset({ zone: spec.zone, uid: spec.uid })
        assert.isUndefined(raised.quota)

        yield* engine.ensureZoneDataset({ zone: "default-web-2", uid: "u-2" })
        const owned = yield* engine.listOwned
        assert.deepStrictEqual(owned.map(({ uid, zone }) => [zone, uid]), [["default-web-1", "u-1"], ["default-web-2", "u-2"]])

        const usage = yield* engine.poolUsage
        assert.strictEqual(usage.health, "ONLINE")
        assert.isAbove(usage.available, 100 * 1024 ** 2)
        assert.isAtMost(usage.allocated + usage.free, usage.size * 1.01)

        yield* Effect.forEach(owned, ({ zone }) => engine.destroyZoneDataset(zone), { concurrency: 2 })
        yield* engine.destroyZoneDataset("default-web-1")
        assert.deepStrictEqual(yield* engine.listOwned, [])
      }).pipe(Effect.provide(StorageEngine.layerZfs({ root: at("reddwarf"), mountpoint: root })))
    }), 60_000)
})
