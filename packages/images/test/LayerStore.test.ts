import { assert, describe, it } from "@effect/vitest"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { DatasetName, Zfs } from "@reddwarf/storage-zfs"
import { Deferred, Effect, Exit, Fiber, Option, Stream } from "effect"
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as ChainId from "../src/ChainId.js"
import * as Digest from "../src/Digest.js"
import { LayerStore } from "../src/LayerStore.js"
import { host, images } from "./support/images.js"
import { file, folder, tar } from "./support/tarBytes.js"

const made: Array<string> = []
afterAll(() => made.forEach((directory) => rmSync(directory, { recursive: true, force: true })))
const fresh = () => {
  const built = host()
  made.push(built.directory)
  return built
}

const blob = (bytes: Buffer, reads: { count: number } = { count: 0 }) => ({
  diffId: Digest.of(bytes),
  bytes: Stream.suspend(() => {
    reads.count += 1
    return Stream.make(new Uint8Array(bytes))
  })
})

const base = tar([folder("etc"), file("etc/motd", "base", { mode: 0o640, uid: 5 }), file("gone", "x")])
const upper = tar([file(".wh.gone", ""), file("etc/more", "upper", { mode: 0o4755 })])

describe("LayerStore", () => {
  it.live("stacks layers as clones; what is there is not read again", () => {
    const { realPath, store } = fresh()
    return Effect.gen(function*() {
      const layers = yield* LayerStore
      const reads = { count: 0 }
      const lower = yield* layers.ensure(ChainId.empty, blob(base, reads))
      const top = yield* layers.ensure(lower.chainId, blob(upper, reads))
      assert.strictEqual(lower.chainId, Digest.of(base))
      assert.strictEqual(top.chainId, Digest.of(`${Digest.of(base)} ${Digest.of(upper)}`))
      assert.strictEqual(top.parent, lower.chainId)
      const root = yield* layers.files(top)
      assert.strictEqual(root, realPath(`/${top.dataset}/root`))
      assert.deepStrictEqual(readdirSync(root), ["etc"])
      assert.strictEqual(readFileSync(join(root, "etc/motd"), "utf8"), "base")
      assert.strictEqual(lstatSync(join(root, "etc/motd")).mode & 0o7777, 0o640)
      assert.strictEqual(lstatSync(join(root, "etc/more")).mode & 0o7777, 0o4755)
      if (process.getuid?.() === 0) assert.strictEqual(lstatSync(join(root, "etc/motd")).uid, 5)
      assert.strictEqual(readFileSync(join(yield* layers.files(lower), "gone"), "utf8"), "x")

      assert.deepStrictEqual(yield* layers.ensure(lower.chainId, blob(upper, reads)), top)
      assert.strictEqual(reads.count, 2)
      assert.deepStrictEqual((yield* layers.list).map(({ chainId }) => chainId).sort(), [lower.chainId, top.chainId].sort())
      const zfs = yield* Zfs.Zfs
      const parent = yield* zfs.get(DatasetName.child(images, "layers"), ["exec", "setuid", "devices"])
      assert.deepStrictEqual([...parent.values()].map(({ value }) => value), ["off", "off", "off"])
    }).pipe(Effect.provide(store()))
  })

  it.live("makes a layer once for all who ask at the same time", () => {
    const { store } = fresh()
    return Effect.gen(function*() {
      const layers = yield* LayerStore
      const reads = { count: 0 }
      const all = yield* Effect.all(Array.from({ length: 8 }, () => layers.ensure(ChainId.empty, blob(base, reads))), { concurrency: "unbounded" })
      assert.strictEqual(reads.count, 1)
      assert.strictEqual(new Set(all.map(({ snapshot }) => snapshot)).size, 1)
    }).pipe(Effect.provide(store()))
  })

  it.live("leaves nothing of a layer that is not what it should be", () => {
    const { realPath, store } = fresh()
    return Effect.gen(function*() {
      const layers = yield* LayerStore
      const wrong = yield* Effect.flip(layers.ensure(ChainId.empty, { ...blob(base), diffId: Digest.of("something else") }))
      assert.strictEqual(wrong._tag, "DigestMismatch")
      const hostile = tar([file("fine", "x"), file("../../../out", "x")])
      const refused = yield* Effect.flip(layers.ensure(ChainId.empty, blob(hostile)))
      assert.strictEqual(refused._tag, "InvalidManifest")
      assert.include(refused.message, "'..'")
      const broken = yield* Effect.flip(layers.ensure(ChainId.empty, { diffId: Digest.of(base), bytes: Stream.concat(Stream.make(new Uint8Array(base.subarray(0, 700))), Stream.fail("cut")) }))
      assert.strictEqual(broken, "cut")
      const damaged = yield* Effect.flip(layers.ensure(ChainId.empty, { diffId: Digest.of(base), bytes: Stream.make(new Uint8Array([0x1f, 0x8b, 1, 2, 3, 4, 5])) }))
      assert.strictEqual(damaged._tag, "InvalidManifest")
      assert.deepStrictEqual(yield* layers.list, [])
      assert.deepStrictEqual(readdirSync(realPath(`/${images}/layers`)), [])
      assert.isFalse(existsSync(realPath("/out")))
      // It can be made afterwards.
      yield* layers.ensure(ChainId.empty, blob(base))
    }).pipe(Effect.provide(store()))
  })

  it.live("removes what an interruption or a crash left half done", () => {
    const { realPath, store } = fresh()
    return Effect.gen(function*() {
      const layers = yield* LayerStore
      const begun = yield* Deferred.make<void>()
      const endless = Stream.concat(
        Stream.make(new Uint8Array(base.subarray(0, 1024))),
        Stream.unwrap(Effect.as(Deferred.succeed(begun, undefined), Stream.never))
      )
      const fiber = yield* Effect.fork(layers.ensure(ChainId.empty, { diffId: Digest.of(base), bytes: endless }))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(readdirSync(realPath(`/${images}/layers`)), [])

      // As a kill leaves it: a dataset with files and marks, and no snapshot.
      const zfs = yield* Zfs.Zfs
      const half = DatasetName.child(images, "layers", Digest.hex(Digest.of(base)))
      yield* zfs.create(half, { "reddwarf:chain-id": Digest.of(base), "reddwarf:diff-id": Digest.of(base) })
      mkdirSync(realPath(`/${half}/root`))
      writeFileSync(realPath(`/${half}/root/rubbish`), "x")
      assert.isTrue(Option.isNone(yield* layers.find(Digest.of(base))))
      const lower = yield* layers.ensure(ChainId.empty, blob(base))
      assert.isFalse(existsSync(join(yield* layers.files(lower), "rubbish")))

      yield* zfs.create(DatasetName.child(images, "layers", "a".repeat(64)))
      assert.deepStrictEqual(yield* layers.recover, [DatasetName.child(images, "layers", "a".repeat(64))])
      assert.deepStrictEqual(yield* layers.list, [lower])
    }).pipe(Effect.provide(store()))
  })

  it.live("waits while a dataset is only just busy", () => {
    const { store } = fresh()
    return Effect.gen(function*() {
      const layers = yield* LayerStore
      const sim = yield* SimulatedHost.SimulatedHost
      const lower = yield* layers.ensure(ChainId.empty, blob(base))
      yield* sim.inject({ kind: "datasetBusy", dataset: lower.dataset, times: 2 })
      yield* layers.remove(lower.chainId)
      assert.deepStrictEqual(yield* layers.list, [])
      yield* layers.remove(lower.chainId)
    }).pipe(Effect.provide(store()))
  })

  it.live("refuses to remove what others stand on", () => {
    const { store } = fresh()
    return Effect.gen(function*() {
      const layers = yield* LayerStore
      const lower = yield* layers.ensure(ChainId.empty, blob(base))
      const top = yield* layers.ensure(lower.chainId, blob(upper))
      assert.strictEqual((yield* Effect.flip(layers.remove(lower.chainId)))._tag, "ImageInUse")
      const runner = yield* CommandRunner.CommandRunner
      const clone = yield* runner.run(CommandLine.make("/usr/sbin/zfs", "clone", top.snapshot, "rpool/pod"))
      assert.strictEqual(clone.exitCode, 0)
      assert.strictEqual((yield* Effect.flip(layers.remove(top.chainId)))._tag, "ImageInUse")
      yield* runner.run(CommandLine.make("/usr/sbin/zfs", "destroy", "rpool/pod"))
      yield* layers.remove(top.chainId)
      yield* layers.remove(lower.chainId)
      assert.deepStrictEqual(yield* layers.list, [])
    }).pipe(Effect.provide(store()))
  })

  it.live("says so when the pool is full, and works again when it is not", () => {
    const { store } = fresh()
    return Effect.gen(function*() {
      const layers = yield* LayerStore
      const sim = yield* SimulatedHost.SimulatedHost
      const lower = yield* layers.ensure(ChainId.empty, blob(base))
      yield* sim.inject({ kind: "outOfSpace", pool: "rpool" })
      const full = yield* Effect.exit(layers.ensure(lower.chainId, blob(upper)))
      assert.isTrue(Exit.isFailure(full) && full.cause._tag === "Fail" && full.cause.error._tag === "DiskFull")
      yield* sim.clearFaults
      yield* layers.ensure(lower.chainId, blob(upper))
    }).pipe(Effect.provide(store()))
  })
})
