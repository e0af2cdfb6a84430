import { assert, layer } from "@effect/vitest"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Chunk, Context, Effect, Layer, Stream } from "effect"
import { DatasetName, StorageEngine, VolumeReplication, Zfs } from "../src/index.js"
import { type Backend, TestZfs } from "./zfsBackend.js"
import { engineLayer, place } from "./zfsSuite.js"

const MiB = 1024 ** 2
const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) => Effect.map(Effect.flip(effect), (error) => error._tag)
const numbers = (properties: ReadonlyMap<string, { readonly value: string }>) => (name: string) => Number(properties.get(name)?.value)

/** What one engine does, with everything it needs. */
const withEngine = (base: DatasetName.DatasetName, folder: string, name = "reddwarf") =>
  Effect.map(
    Layer.build(engineLayer(base, `${folder}/${name}`, { root: DatasetName.child(base, name) })),
    Context.get(StorageEngine.StorageEngine)
  )

/** Cut after so many bytes. */
const cutAt = (bytes: number) => <E, R>(stream: Stream.Stream<Uint8Array, E, R>) => {
  let left = bytes
  return stream.pipe(
    Stream.mapConcat((chunk) => {
      const part = chunk.subarray(0, Math.max(0, left))
      left -= chunk.length
      return part.length === 0 ? [] : [part]
    }),
    Stream.concat(Stream.fail("cut" as const))
  )
}

const random = (bytes: number): string => {
  // Text that does not compress, so that a stream of it is long.
  let state = 12_345
  return Array.from({ length: bytes }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return String.fromCharCode(33 + ((state >> 16) % 90))
  }).join("")
}

/** What the services of this package do, on every ZFS. */
export const scenarios = (backend: Backend): void => {
  const real = Layer.provideMerge(Zfs.layer, backend.layer)
  const off = backend.missing !== undefined
  layer(real, { excludeTestServices: true, timeout: "30 seconds" })(`services on ${backend.name}`, (it) => {
    it.scoped.skipIf(off)("space: what snapshots and clones share is counted once", () =>
      Effect.gen(function*() {
        const zfs = yield* Zfs.Zfs
        const files = yield* TestZfs
        const { base, folder } = yield* place("space")
        const data = DatasetName.child(base, "data")
        yield* zfs.create(data, { mountpoint: `${folder}/data` })
        yield* files.write(`${folder}/data/a`, random(MiB))
        const read = (name: DatasetName.DatasetName | DatasetName.SnapshotName) =>
          Effect.map(zfs.get(name, ["used", "referenced", "available", "usedbysnapshots", "usedbydataset", "usedbychildren"]), numbers)
        // Space of new data shows when it has been written out: a snapshot makes sure of that.
        yield* zfs.snapshot(DatasetName.snapshot(data, "one"))
        const first = yield* read(data)
        assert.isAbove(first("referenced"), MiB)
        assert.isBelow(first("usedbysnapshots"), MiB / 4)
        yield* zfs.clone(DatasetName.snapshot(data, "one"), DatasetName.child(base, "clone"), { mountpoint: "none" })
        const clone = yield* read(DatasetName.child(base, "clone"))
        assert.isAbove(clone("referenced"), MiB)
        assert.isBelow(clone("used"), MiB / 4)
        yield* files.write(`${folder}/data/a`, random(2 * MiB).slice(MiB))
        yield* zfs.snapshot(DatasetName.snapshot(data, "two"))
        const second = yield* read(data)
        assert.isAtLeast(second("usedbysnapshots"), MiB)
        assert.isAbove(second("used"), 2 * MiB)
        assert.isBelow(second("referenced"), 2 * MiB)
        const one = yield* read(DatasetName.snapshot(data, "one"))
        assert.isAtLeast(one("used"), MiB)
        assert.isAtLeast((yield* read(base))("usedbychildren"), second("used"))
        yield* zfs.set(base, "reservation", String(20 * MiB))
        yield* zfs.set(data, "quota", String(50 * MiB))
        assert.isBelow((yield* read(data))("available"), 50 * MiB)
        yield* zfs.set(data, "reservation", String(30 * MiB))
        assert.isAtLeast((yield* read(base))("used"), 30 * MiB)
      }), 60_000)

    it.scoped.skipIf(off)("content goes through snapshots, clones, rollback, rename and streams", () =>
      Effect.gen(function*() {
        const zfs = yield* Zfs.Zfs
        const files = yield* TestZfs
        const { base, folder } = yield* place("content")
        const at = (name: string) => DatasetName.child(base, name)
        yield* zfs.create(at("a"), { mountpoint: `${folder}/a`, "test:mark": "1" })
        yield* files.write(`${folder}/a/file`, "one")
        yield* zfs.snapshot(DatasetName.snapshot(at("a"), "1"))
        yield* files.write(`${folder}/a/file`, "two!")
        yield* files.write(`${folder}/a/more`, "more")
        yield* zfs.snapshot(DatasetName.snapshot(at("a"), "2"))
        yield* zfs.clone(DatasetName.snapshot(at("a"), "1"), at("c"), { mountpoint: `${folder}/c` })
        assert.strictEqual(yield* files.read(`${folder}/c/file`), "one")
        assert.isUndefined(yield* files.read(`${folder}/c/more`))

        yield* zfs.receive(at("b"), zfs.send(DatasetName.snapshot(at("a"), "1")), { unmounted: true })
        yield* zfs.receive(at("b"), zfs.send(DatasetName.snapshot(at("a"), "2"), { from: DatasetName.snapshot(at("a"), "1") }), { unmounted: true })
        yield* zfs.set(at("b"), "mountpoint", `${folder}/b`)
        yield* Effect.ignore(zfs.mount(at("b")))
        assert.strictEqual(yield* files.read(`${folder}/b/file`), "two!")
        assert.strictEqual(yield* files.read(`${folder}/b/more`), "more")
        const guids = (name: string) =>
          Effect.map(zfs.list(at(name), { types: ["snapshot"], properties: ["guid"] }), (all) => all.map((entry) => entry.properties.get("guid")?.value))
        assert.deepStrictEqual(yield* guids("b"), yield* guids("a"))
        assert.strictEqual((yield* zfs.get(at("b"), ["test:mark"])).get("test:mark")?.value, "-")

        yield* zfs.receive(at("p"), zfs.send(DatasetName.snapshot(at("a"), "2"), { properties: true }), { unmounted: true })
        assert.deepStrictEqual((yield* zfs.get(at("p"), ["test:mark"])).get("test:mark"), { value: "1", source: "received" })
        yield* zfs.set(at("p"), "test:mark", "2")
        yield* zfs.inherit(at("p"), "test:mark")
        assert.strictEqual((yield* zfs.get(at("p"), ["test:mark"])).get("test:mark")?.value, "-")
        yield* zfs.inherit(at("p"), "test:mark", { received: true })
        assert.strictEqual((yield* zfs.get(at("p"), ["test:mark"])).get("test:mark")?.value, "1")

        yield* zfs.rollback(DatasetName.snapshot(at("a"), "1"), { destroyNewer: true })
        assert.strictEqual(yield* files.read(`${folder}/a/file`), "one")
        assert.isUndefined(yield* files.read(`${folder}/a/more`))
        yield* zfs.unmount(at("a"))
        assert.isUndefined(yield* files.read(`${folder}/a/file`))
        yield* zfs.mount(at("a"))
        assert.strictEqual(yield* files.read(`${folder}/a/file`), "one")
      }), 60_000)

    it.scoped.skipIf(off)("replication streams carry a tree with its clones", () =>
      Effect.gen(function*() {
        const zfs = yield* Zfs.Zfs
        const { base } = yield* place("tree")
        const at = (...names: ReadonlyArray<string>) => DatasetName.child(base, ...names)
        yield* zfs.create(at("a", "b"), {}, { parents: true })
        yield* zfs.snapshot(DatasetName.snapshot(at("a"), "1"), { recursive: true })
        yield* zfs.clone(DatasetName.snapshot(at("a", "b"), "1"), at("a", "c"))
        yield* zfs.snapshot(DatasetName.snapshot(at("a"), "2"), { recursive: true })
        yield* zfs.receive(at("copy"), zfs.send(DatasetName.snapshot(at("a"), "2"), { replicate: true }), { unmounted: true })
        const found = yield* zfs.list(at("copy"))
        assert.deepStrictEqual(found.map((entry) => entry.name.slice(base.length + 1)), ["copy", "copy@1", "copy@2", "copy/b", "copy/b@1", "copy/b@2", "copy/c", "copy/c@2"])
        assert.strictEqual(found.find((entry) => entry.name.endsWith("/c"))?.origin, `${at("copy", "b")}@1`)
      }), 60_000)

    it.scoped.skipIf(off)("streams that do not fit are refused, and leave nothing behind", () =>
      Effect.gen(function*() {
        const zfs = yield* Zfs.Zfs
        const files = yield* TestZfs
        const { base, folder } = yield* place("refused")
        const at = (name: string) => DatasetName.child(base, name)
        const snap = (name: string, short: string) => DatasetName.snapshot(at(name), short)
        yield* zfs.create(at("a"), { mountpoint: `${folder}/a` })
        yield* files.write(`${folder}/a/f`, random(300_000))
        yield* zfs.snapshot(snap("a", "1"))
        yield* zfs.snapshot(snap("a", "2"))
        yield* zfs.snapshot(snap("a", "3"))
        yield* zfs.receive(at("b"), zfs.send(snap("a", "1")), { unmounted: true })
        assert.strictEqual(yield* tagOf(zfs.receive(at("b"), zfs.send(snap("a", "1")))), "DatasetExists")
        assert.strictEqual(yield* tagOf(zfs.receive(at("b"), zfs.send(snap("a", "1")), { rollback: true })), "DatasetExists")
        assert.strictEqual(yield* tagOf(zfs.receive(at("b"), zfs.send(snap("a", "3"), { from: snap("a", "2") }))), "StreamRejected")
        assert.strictEqual(yield* tagOf(zfs.receive(at("x"), Stream.make(new Uint8Array(2000).fill(65)))), "StreamRejected")
        assert.strictEqual(yield* tagOf(zfs.receive(DatasetName.child(base, "no", "where"), zfs.send(snap("a", "1")))), "DatasetNotFound")
        assert.strictEqual(yield* Effect.flip(zfs.receive(at("x"), zfs.send(snap("a", "1")).pipe(cutAt(100_000)))), "cut")
        assert.strictEqual(yield* tagOf(zfs.get(at("x"), ["type"])), "DatasetNotFound")
        assert.strictEqual(yield* tagOf(Stream.runDrain(zfs.send(snap("a", "none")))), "DatasetNotFound")
        const bytes = Chunk.toReadonlyArray(yield* Stream.runCollect(zfs.send(snap("a", "1"))))
        assert.isAbove(bytes.reduce((sum, chunk) => sum + chunk.length, 0), 300_000)
      }), 60_000)

    it.scoped.skipIf(off || !backend.features.has("resume"))("a stream that was cut goes on where it was cut", () =>
      Effect.gen(function*() {
        const zfs = yield* Zfs.Zfs
        const files = yield* TestZfs
        const { base, folder } = yield* place("resume")
        const [a, b] = [DatasetName.child(base, "a"), DatasetName.child(base, "b")]
        yield* zfs.create(a, { mountpoint: `${folder}/a` })
        for (const name of ["x", "y"]) yield* files.write(`${folder}/a/${name}`, random(MiB))
        const one = DatasetName.snapshot(a, "1")
        yield* zfs.snapshot(one)
        const token = Effect.map(zfs.get(b, ["receive_resume_token"]), (found) => found.get("receive_resume_token")?.value ?? "-")
        yield* Effect.flip(zfs.receive(b, zfs.send(one).pipe(cutAt(900_000)), { resumable: true, unmounted: true }))
        const first = yield* token
        assert.notStrictEqual(first, "-")
        yield* Effect.flip(zfs.receive(b, zfs.sendResume(first).pipe(cutAt(900_000)), { resumable: true, unmounted: true }))
        const second = yield* token
        assert.notStrictEqual(second, first)
        yield* zfs.receive(b, zfs.sendResume(second), { resumable: true, unmounted: true })
        assert.strictEqual(yield* token, "-")
        yield* zfs.set(b, "mountpoint", `${folder}/b`)
        yield* Effect.ignore(zfs.mount(b))
        assert.strictEqual(yield* files.read(`${folder}/b/y`), yield* files.read(`${folder}/a/y`))
        const c = DatasetName.child(base, "c")
        yield* Effect.flip(zfs.receive(c, zfs.send(one).pipe(cutAt(900_000)), { resumable: true, unmounted: true }))
        yield* zfs.abortReceive(c)
        assert.strictEqual(yield* tagOf(zfs.get(c, ["type"])), "DatasetNotFound")
      }), 60_000)

    it.scoped.skipIf(off || !backend.features.has("holds"))("holds and permissions are read back", () =>
      Effect.gen(function*() {
        const zfs = yield* Zfs.Zfs
        const { base } = yield* place("holds")
        const one = DatasetName.snapshot(base, "1")
        yield* zfs.snapshot(one)
        yield* zfs.hold("image-1", one)
        assert.strictEqual(yield* tagOf(zfs.hold("image-1", one)), "HoldExists")
        assert.deepStrictEqual((yield* zfs.holds(one)).map(({ snapshot, tag }) => [snapshot, tag]), [[one, "image-1"]])
        assert.strictEqual(yield* tagOf(zfs.destroy(one)), "DatasetBusy")
        yield* zfs.release("image-1", one)
        assert.strictEqual(yield* tagOf(zfs.release("image-1", one)), "HoldNotFound")
        yield* zfs.allow(base, { kind: "user", name: "nobody" }, ["create", "mount"], "local")
        yield* zfs.allow(base, { kind: "everyone" }, ["snapshot"])
        assert.deepStrictEqual(yield* zfs.grants(base), [
          { dataset: base, scope: "local", grantee: { kind: "user", name: "nobody" }, permissions: ["create", "mount"] },
          { dataset: base, scope: "both", grantee: { kind: "everyone" }, permissions: ["snapshot"] }
        ])
        yield* zfs.unallow(base, { kind: "user", name: "nobody" }, [], "local")
        yield* zfs.unallow(base, { kind: "everyone" })
        assert.deepStrictEqual(yield* zfs.grants(base), [])
        const preview = yield* zfs.previewDestroy(one)
        assert.deepStrictEqual(preview.destroyed, [one])
      }), 60_000)

    it.scoped.skipIf(off)("engine: zones as clones, roots inside them, delegated datasets", () =>
      Effect.gen(function*() {
        const zfs = yield* Zfs.Zfs
        const files = yield* TestZfs
        const { base, folder } = yield* place("zones")
        const engine = yield* withEngine(base, folder)
        yield* engine.ensureDatasets
        yield* engine.ensureDatasets
        const image = DatasetName.child(engine.layout.images, "layer")
        yield* zfs.create(image)
        yield* files.write(`${folder}/reddwarf/images/layer/hello`, "image")
        const origin = DatasetName.snapshot(image, "base")
        yield* zfs.snapshot(origin)
        const spec = { zone: "default-web-1", uid: "u-1", quota: 32 * MiB, properties: { image: "abc" }, origin }
        const zone = yield* engine.ensureZoneDataset(spec)
        assert.strictEqual(zone.origin, origin)
        assert.strictEqual(zone.quota, 32 * MiB)
        assert.strictEqual(yield* files.read(`${zone.mountpoint}/hello`), "image")
        assert.deepStrictEqual((yield* engine.ensureZoneDataset(spec)).properties, zone.properties)
        const root = yield* engine.ensureZoneRoot({ zone: spec.zone, uid: "u-1", name: "app", origin })
        assert.strictEqual(yield* files.read(`${root.mountpoint}/hello`), "image")
        assert.deepStrictEqual(yield* engine.ensureZoneRoot({ zone: spec.zone, uid: "u-1", name: "app", origin }), root)
        const app = { zone: spec.zone, uid: "u-1", name: "app" }
        yield* engine.renewZoneRoot(app)
        yield* files.write(`${root.mountpoint}/own`, "written before")
        const beginning = yield* engine.keepRootBeginning(app)
        yield* files.write(`${root.mountpoint}/own`, "changed")
        assert.strictEqual(yield* engine.keepRootBeginning(app), beginning)
        assert.deepStrictEqual(yield* engine.ensureZoneRoot({ ...app, origin }), { ...root, beginning })
        // Whatever else was kept of it meanwhile, by others.
        yield* zfs.snapshot(DatasetName.snapshot(root.dataset, "daily"))
        yield* engine.renewZoneRoot(app)
        assert.strictEqual(yield* files.read(`${root.mountpoint}/own`), "written before")
        assert.deepStrictEqual(yield* engine.ensureZoneRoot({ ...app, origin }), root)
        assert.strictEqual(yield* tagOf(engine.renewZoneRoot({ ...app, uid: "u-2" })), "DatasetNotOwned")
        yield* engine.keepRootBeginning(app)
        const doomed = yield* engine.ensureZoneRoot({ zone: spec.zone, uid: "u-1", name: "old", origin, properties: { image: "app@sha256:1" } })
        const names = Effect.map(engine.listZoneRoots({ zone: spec.zone, uid: "u-1" }), (roots) => roots.map(({ dataset, name, origin, properties }) => [name, dataset, origin, properties["image"]]))
        assert.sameDeepMembers(yield* names, [["app", root.dataset, origin, undefined], ["old", doomed.dataset, origin, "app@sha256:1"]])
        yield* engine.destroyZoneRoot({ zone: spec.zone, uid: "u-1", name: "old" })
        yield* engine.destroyZoneRoot({ zone: spec.zone, uid: "u-1", name: "old" })
        assert.deepStrictEqual(yield* names, [["app", root.dataset, origin, undefined]])
        const later = yield* engine.ensureZoneRoot({ zone: spec.zone, uid: "u-1", name: "debug", origin, folder: "later" })
        assert.strictEqual(later.mountpoint, `${zone.mountpoint}/later/debug`)
        const moved = yield* engine.ensureZoneRoot({ zone: spec.zone, uid: "u-1", name: "moved", origin })
        assert.strictEqual((yield* engine.ensureZoneRoot({ zone: spec.zone, uid: "u-1", name: "moved", origin, folder: "later" })).mountpoint, `${zone.mountpoint}/later/moved`)
        assert.strictEqual(yield* files.read(`${zone.mountpoint}/later/moved/hello`), "image")
        assert.strictEqual(moved.mountpoint, `${zone.mountpoint}/root-moved`)
        assert.strictEqual(yield* files.read(`${later.mountpoint}/hello`), "image")
        assert.deepStrictEqual(yield* engine.ensureZoneRoot({ zone: spec.zone, uid: "u-1", name: "debug", origin, folder: "later" }), later)
        assert.strictEqual(yield* tagOf(engine.ensureZoneRoot({ zone: spec.zone, uid: "u-1", name: "x", origin, folder: "../x" })), "PropertyRejected")
        const delegated = yield* engine.ensureDelegated({ zone: spec.zone, uid: "u-1", name: "db", mountpoint: "/data", quota: MiB })
        const state = Effect.map(zfs.get(delegated, ["zoned", "mounted", "mountpoint"]), (found) => ["zoned", "mounted", "mountpoint"].map((name) => found.get(name)?.value))
        assert.deepStrictEqual(yield* state, ["on", "no", "/data"])
        yield* engine.reclaimDelegated(delegated)
        assert.deepStrictEqual(yield* state, ["off", "no", "none"])
        yield* engine.ensureDelegated({ zone: spec.zone, uid: "u-1", name: "db", mountpoint: "/data" })
        assert.deepStrictEqual(yield* state, ["on", "no", "/data"])

        assert.strictEqual(yield* tagOf(engine.ensureZoneDataset({ ...spec, uid: "u-2" })), "DatasetNotOwned")
        assert.strictEqual(yield* tagOf(engine.ensureZoneRoot({ zone: spec.zone, uid: "u-2", name: "app", origin })), "DatasetNotOwned")
        assert.strictEqual(yield* tagOf(engine.destroyVolume("../zones/default-web-1", "u-1")), "PropertyRejected")
        yield* engine.ensureZoneDataset({ zone: "default-web-2", uid: "u-2" })
        assert.strictEqual(yield* tagOf(engine.ensureZoneDataset({ zone: "default-web-2", uid: "u-2", origin })), "DatasetExists")
        yield* zfs.create(DatasetName.child(engine.layout.zones, "stranger"))
        const orphans = yield* engine.orphans(new Set(["u-1"]))
        assert.deepStrictEqual(orphans.map(({ dataset, removable, uid }) => [dataset.split("/").at(-1), removable, uid]), [["default-web-2", true, "u-2"], ["stranger", false, undefined]])
        assert.strictEqual(yield* tagOf(Effect.forEach(orphans.toReversed(), engine.removeOrphan)), "DatasetNotOwned")
        yield* Effect.forEach(orphans.filter((orphan) => orphan.removable), engine.removeOrphan)
        assert.deepStrictEqual((yield* engine.listOwned).map((owned) => owned.zone), ["default-web-1"])
        assert.deepStrictEqual(yield* engine.listOwners, (yield* engine.listOwned).map(({ dataset, properties, uid, zone }) => ({ dataset, zone, uid, properties })))
        yield* engine.destroyZoneDataset("default-web-1")
        yield* engine.destroyZoneDataset("default-web-1")
        assert.deepStrictEqual(yield* engine.listOwned, [])
        assert.strictEqual(yield* tagOf(engine.destroyZoneDataset("stranger")), "DatasetNotOwned")
        const usage = yield* engine.poolUsage
        assert.strictEqual(usage.health, "ONLINE")
        assert.isAbove(usage.available, 100 * MiB)
        const health = yield* engine.poolHealth
        assert.deepStrictEqual([health.state, health.usable, health.atRisk, health.devices[0]?.state], ["ONLINE", true, false, "ONLINE"])
      }), 60_000)

    it.scoped.skipIf(off)("engine: volumes with limits, owners, snapshots and clones", () =>
      Effect.gen(function*() {
        const zfs = yield* Zfs.Zfs
        const files = yield* TestZfs
        const { run } = yield* CommandRunner.CommandRunner
        const { base, folder } = yield* place("volumes")
        const engine = yield* withEngine(base, folder)
        yield* engine.ensureDatasets
        const spec = { name: "pvc-1", owner: "pv-1", quota: 20 * MiB, reservation: 5 * MiB, access: { uid: 1000, gid: 2000, mode: 0o2770 }, properties: { claim: "default/data" } }
        const volume = yield* engine.ensureVolume(spec)
        assert.deepStrictEqual([volume.quota, volume.reservation, volume.owner, volume.properties["claim"]], [20 * MiB, 5 * MiB, "pv-1", "default/data"])
        yield* files.write(`${volume.mountpoint}/file`, "kept")
        assert.strictEqual(yield* tagOf(engine.ensureVolume({ ...spec, owner: "pv-2" })), "DatasetNotOwned")
        // Whoever uses the volume may change its top folder: a second look does not undo that.
        yield* run({ program: "/usr/bin/chmod", args: ["0700", volume.mountpoint] })
        const again = yield* engine.ensureVolume({ ...spec, quota: 40 * MiB, reservation: 30 * MiB })
        assert.deepStrictEqual([again.quota, again.reservation], [40 * MiB, 30 * MiB])
        const smaller = yield* engine.ensureVolume({ ...spec, quota: 10 * MiB, reservation: undefined })
        assert.deepStrictEqual([smaller.quota, smaller.reservation], [10 * MiB, undefined])
        const snapshot = yield* engine.snapshotVolume("pvc-1", "daily")
        assert.strictEqual(yield* engine.snapshotVolume("pvc-1", "daily"), snapshot)
        yield* files.write(`${volume.mountpoint}/file`, "changed")
        const clone = yield* engine.ensureVolume({ name: "pvc-2", owner: "pv-2", from: snapshot })
        assert.strictEqual(yield* files.read(`${clone.mountpoint}/file`), "kept")
        assert.strictEqual(clone.origin, snapshot)
        yield* engine.rollbackVolume("pvc-1", "daily")
        assert.strictEqual(yield* files.read(`${volume.mountpoint}/file`), "kept")
        assert.strictEqual(yield* tagOf(engine.destroyVolume("pvc-1", "pv-1")), "DatasetHasClones")
        yield* engine.destroyVolumeSnapshot("pvc-1", "daily")
        assert.strictEqual((yield* engine.volumeSnapshots("pvc-1")).length, 1)
        yield* engine.destroyVolume("pvc-2", "pv-2")
        assert.deepStrictEqual(yield* engine.volumeSnapshots("pvc-1"), [])
        assert.deepStrictEqual((yield* engine.listVolumes).map(({ name, owner }) => [name, owner]), [["pvc-1", "pv-1"]])
        assert.strictEqual(yield* tagOf(engine.destroyVolume("pvc-1", "pv-2")), "DatasetNotOwned")
        yield* engine.destroyVolume("pvc-1", "pv-1")
        yield* engine.destroyVolume("pvc-1", "pv-1")
        assert.strictEqual(yield* tagOf(zfs.get(volume.dataset, ["type"])), "DatasetNotFound")
      }), 60_000)

    it.scoped.skipIf(off || !backend.features.has("volumes"))("engine: block volumes grow and never shrink", () =>
      Effect.gen(function*() {
        const { base, folder } = yield* place("blocks")
        const engine = yield* withEngine(base, folder)
        yield* engine.ensureDatasets
        const spec = { name: "disk-1", owner: "vm-1", size: 10 * MiB + 1, sparse: true }
        const disk = yield* engine.ensureBlockVolume(spec)
        assert.isAbove(disk.size, 10 * MiB)
        assert.strictEqual(disk.rawDevice, `/dev/zvol/rdsk/${disk.dataset}`)
        assert.strictEqual((yield* engine.ensureBlockVolume(spec)).size, disk.size)
        assert.strictEqual((yield* engine.ensureBlockVolume({ ...spec, size: 20 * MiB })).size, 20 * MiB)
        assert.strictEqual(yield* tagOf(engine.ensureBlockVolume(spec)), "PropertyRejected")
        yield* engine.destroyVolume("disk-1", "vm-1")
      }), 60_000)

    it.scoped.skipIf(off)("engine: volumes pass from one engine to another, whole and by what changed", () =>
      Effect.gen(function*() {
        const files = yield* TestZfs
        const { base, folder } = yield* place("transfer")
        const source = yield* withEngine(base, folder, "here")
        const target = yield* withEngine(base, folder, "there")
        yield* source.ensureDatasets
        yield* target.ensureDatasets
        const volume = yield* source.ensureVolume({ name: "v", owner: "pv-1" })
        yield* files.write(`${volume.mountpoint}/a`, random(MiB))
        yield* source.snapshotVolume("v", "1")
        const options = { source, target, volume: "v", owner: "pv-9" }
        const cut = yield* Effect.flip(target.receiveVolume({ name: "v", owner: "pv-9" }, source.sendVolume("v", "1").pipe(cutAt(500_000))))
        assert.strictEqual(cut, "cut")
        assert.strictEqual(yield* tagOf(target.volumeSnapshots("v")), "DatasetNotFound")
        const arrival = yield* target.arrival("v")
        assert.strictEqual(arrival !== undefined, backend.features.has("resume"))
        assert.strictEqual((yield* target.orphans(new Set())).length, arrival === undefined ? 0 : 1)
        const how = yield* VolumeReplication.replicate({ ...options, snapshot: "1" })
        assert.strictEqual(how, arrival === undefined ? "full" : "resumed")
        assert.strictEqual(yield* VolumeReplication.replicate({ ...options, snapshot: "1" }), "present")
        yield* files.write(`${volume.mountpoint}/b`, "second")
        yield* source.snapshotVolume("v", "2")
        assert.strictEqual(yield* VolumeReplication.replicate({ ...options, snapshot: "2", discardChanges: true }), "incremental")
        const [copy] = yield* target.listVolumes
        assert.deepStrictEqual([copy?.name, copy?.owner], ["v", "pv-9"])
        assert.strictEqual(yield* files.read(`${copy?.mountpoint}/b`), "second")
        assert.strictEqual(yield* files.read(`${copy?.mountpoint}/a`), yield* files.read(`${volume.mountpoint}/a`))
        assert.strictEqual(yield* tagOf(VolumeReplication.replicate({ ...options, snapshot: "9" })), "DatasetNotFound")
        assert.isUndefined(yield* target.arrival("v"))
      }), 60_000)
  })
}
