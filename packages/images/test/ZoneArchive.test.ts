import { assert, describe, it } from "@effect/vitest"
import { CommandLine, CommandRunner, ZoneName } from "@reddwarf/runtime-illumos"
import { Effect, Stream } from "effect"
import { chmodSync, linkSync, lchownSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as ImageConfig from "../src/ImageConfig.js"
import { ImageStore } from "../src/ImageStore.js"
import { LayerStore } from "../src/LayerStore.js"
import * as ZoneArchive from "../src/ZoneArchive.js"
import * as ZoneCapture from "../src/ZoneCapture.js"
import { host, imageOf, images, linux } from "./support/images.js"
import { file } from "./support/tarBytes.js"

const work = mkdtempSync(join(tmpdir(), "reddwarf-zar-"))
const made: Array<string> = [work]
afterAll(() => made.forEach((directory) => rmSync(directory, { recursive: true, force: true })))
const fresh = () => {
  const built = host()
  made.push(built.directory)
  return built
}
const asRoot = process.getuid?.() === 0
let serial = 0

/** A root with everything that can be kept, its files made in one order or the other. */
const rootFolder = (reversed = false) => {
  const root = join(work, `root-${serial++}`)
  mkdirSync(root)
  const steps = [
    () => writeFileSync(join(root, "zz"), "last"),
    () => {
      mkdirSync(join(root, "bin"))
      writeFileSync(join(root, "bin/su"), "su")
      if (asRoot) lchownSync(join(root, "bin/su"), 3, 4)
      chmodSync(join(root, "bin/su"), 0o4755)
    },
    () => symlinkSync("../bin/su", join(root, "link")),
    () => writeFileSync(join(root, "ü".repeat(80)), "long and not ASCII"),
    () => {
      mkdirSync(join(root, "dev"))
      writeFileSync(join(root, "dev/null"), "not part of an image")
    }
  ]
  for (const step of reversed ? steps.toReversed() : steps) step()
  linkSync(join(root, "bin/su"), join(root, "bin/sudo"))
  for (const name of ["zz", "bin/su", "ü".repeat(80), "dev", "bin", ""]) utimesSync(join(root, name), 1_600_000_000, 1_600_000_000)
  return root
}

const config = ImageConfig.make({ os: "illumos", architecture: "amd64" }, [], { cmd: ["/bin/su"], env: ["A=é"] })
const write = (path: string, root: string, more: Partial<ZoneArchive.WriteOptions> = {}) =>
  ZoneArchive.write({ path, brand: "sparse", references: ["web:2", "web:1"], config, kind: "tar", content: ZoneArchive.fromFolder(root), ...more })

describe("ZoneArchive", () => {
  for (const compression of ["none", "gzip", "zstd"] as const) {
    it.live(`is the same file for the same files (${compression}), and becomes an image with everything kept`, () => {
      const { store } = fresh()
      const path = join(work, `same-${compression}.zar`)
      return Effect.gen(function*() {
        const manifest = yield* write(path, rootFolder(), { compression })
        yield* write(`${path}.2`, rootFolder(true), { compression, references: ["web:1", "web:2"] })
        assert.isTrue(readFileSync(path).equals(readFileSync(`${path}.2`)))
        const archive = yield* ZoneArchive.open(path)
        assert.deepStrictEqual(archive.manifest, manifest)
        assert.deepStrictEqual(archive.manifest.references, ["web:1", "web:2"])

        const images = yield* ImageStore
        const image = yield* images.create({ config: archive.manifest.config, layers: [archive.layer], references: archive.manifest.references, brand: "sparse", origin: "archive" })
        const layers = yield* LayerStore
        const stored = (yield* layers.list)[0]
        const root = stored === undefined ? "" : yield* layers.files(stored)
        assert.deepStrictEqual(readdirSync(root).sort(), ["bin", "dev", "link", "zz", "ü".repeat(80)].sort())
        assert.deepStrictEqual(readdirSync(join(root, "dev")), [])
        const su = lstatSync(join(root, "bin/su"))
        assert.deepStrictEqual([su.mode & 0o7777, su.nlink, su.mtimeMs], [0o4755, 2, 1_600_000_000_000])
        if (asRoot) assert.deepStrictEqual([su.uid, su.gid], [3, 4])
        assert.strictEqual(readlinkSync(join(root, "link")), "../bin/su")
        assert.deepStrictEqual(image.config.process.env, ["A=é"])
        assert.strictEqual(image.brand, "sparse")
      }).pipe(Effect.provide(store()))
    })
  }

  it.live("can be read by any tar, the manifest first", () => {
    const path = join(work, "plain.zar")
    return Effect.gen(function*() {
      yield* write(path, rootFolder(), { compression: "none" })
      const { list } = yield* Effect.promise(() => import("tar"))
      const names: Array<string> = []
      list({ file: path, sync: true, onReadEntry: (entry) => void names.push(entry.path) })
      assert.deepStrictEqual(names, ["manifest.json", "root.tar"])
    })
  })

  it.live("refuses what is cut off, changed, or carries something else", () => {
    const { store } = fresh()
    const path = join(work, "bad.zar")
    return Effect.gen(function*() {
      const manifest = yield* write(path, rootFolder(), { compression: "none" })
      const good = readFileSync(path)
      const tagAfter = (change: (bytes: Buffer) => void) =>
        Effect.suspend(() => {
          const bytes = Buffer.from(good)
          change(bytes)
          writeFileSync(path, bytes)
          return Effect.flip(Effect.flatMap(ZoneArchive.open(path), ({ layer }) => Stream.runDrain(layer.bytes)))
        }).pipe(Effect.map(({ _tag }) => _tag))
      assert.strictEqual(yield* tagAfter((bytes) => void (bytes[good.length - 3000] = (bytes[good.length - 3000] ?? 0) ^ 1)), "DigestMismatch")
      assert.strictEqual(yield* tagAfter((bytes) => void bytes.write("x", 0)), "InvalidManifest")
      assert.strictEqual(yield* tagAfter((bytes) => void bytes.write("\"version\":9", bytes.indexOf("\"version\":1"))), "InvalidManifest")
      assert.strictEqual(yield* tagAfter((bytes) => void bytes.write("other.tar", bytes.indexOf("root.tar"))), "InvalidManifest")
      // Another digest in the config than that of the payload.
      assert.strictEqual(yield* tagAfter((bytes) => void bytes.write("0000", bytes.indexOf("diff_ids") + 20)), "InvalidManifest")
      writeFileSync(path, good)
      truncateSync(path, good.length - 4096)
      assert.strictEqual((yield* Effect.flip(ZoneArchive.open(path)))._tag, "InvalidManifest")

      // A digest that is right for the bytes, and a content that is not the one of the diff id.
      writeFileSync(path, good)
      const archive = yield* ZoneArchive.open(path)
      const wrong = { ...archive.layer, bytes: ZoneArchive.fromFolder(join(work, "root-0")) }
      writeFileSync(join(work, "root-0", "zz"), "other")
      const refused = yield* Effect.flatMap(ImageStore, (images) =>
        Effect.flip(images.create({ config: manifest.config, layers: [wrong], references: [], origin: "archive" }))).pipe(Effect.provide(store()))
      assert.strictEqual(refused._tag, "DigestMismatch")
    })
  })

  it.live("leaves the old file when writing fails", () => {
    const path = join(work, "kept.zar")
    return Effect.gen(function*() {
      writeFileSync(path, "old")
      const failed = yield* Effect.flip(write(path, join(work, "nowhere")))
      assert.strictEqual(failed._tag, "StorageFailed")
      assert.strictEqual(readFileSync(path, "utf8"), "old")
      assert.deepStrictEqual(readdirSync(work).filter((name) => name.startsWith("kept.zar")), ["kept.zar"])
    })
  })

  it.live("carries an image as a stream of zfs send", () => {
    const first = fresh()
    const second = fresh()
    const path = join(work, "stream.zar")
    const image = imageOf([[file("a", "below")], [file("b", "above", { mode: 0o600 })]])
    return Effect.gen(function*() {
      yield* Effect.gen(function*() {
        const images = yield* ImageStore
        const layers = yield* LayerStore
        const { image: pulled } = yield* images.pull({ image: "web:1", wanted: linux, open: () => Effect.succeed(image.source) })
        const top = (yield* layers.list).find(({ chainId }) => chainId === pulled.chainId)
        if (top === undefined) throw new Error("no top layer")
        yield* ZoneArchive.write({ path, config: pulled.config, references: ["web:1"], kind: "zfs", content: layers.send(top) })
      }).pipe(Effect.provide(first.store()))
      const open = () => ZoneArchive.open(path)
      yield* Effect.gen(function*() {
        const images = yield* ImageStore
        const layers = yield* LayerStore
        const { layer, manifest } = yield* open()
        const create = images.create({ kind: "zfs", config: manifest.config, layers: [layer], references: manifest.references, origin: "archive" })
        const received = yield* create
        const again = yield* create
        assert.strictEqual(again.id, received.id)
        const stored = (yield* layers.list)[0]
        const root = stored === undefined ? "" : yield* layers.files(stored)
        assert.deepStrictEqual(readdirSync(root).sort(), ["a", "b"])
        assert.strictEqual(lstatSync(join(root, "b")).mode & 0o777, 0o600)
        yield* images.remove("web:1")

        const garbage = yield* Effect.flip(layers.receive({ diffId: layer.diffId, bytes: Stream.make(new TextEncoder().encode("this is no stream of zfs send")) }))
        assert.strictEqual(garbage._tag, "InvalidManifest")
        const cut = yield* Effect.flip(layers.receive({ diffId: layer.diffId, bytes: Stream.fail("cut") }))
        assert.strictEqual(cut, "cut")
        assert.deepStrictEqual(yield* layers.list, [])
      }).pipe(Effect.provide(second.store()))
    })
  })
})

describe("ZoneCapture", () => {
  it.live("makes an image of an installed zone, which stays as it is", () => {
    const { realPath, store } = fresh()
    return Effect.gen(function*() {
      const runner = yield* CommandRunner.CommandRunner
      const images$ = yield* ImageStore
      const run = (program: string, ...args: ReadonlyArray<string>) => runner.run(CommandLine.make(`/usr/sbin/${program}`, ...args))
      assert.strictEqual((yield* run("zfs", "create", "-o", "mountpoint=/zones", "rpool/zones")).exitCode, 0)
      assert.strictEqual((yield* run("zonecfg", "-z", "golden", "create -b; set brand=sparse; set zonepath=/zones/golden; set ip-type=exclusive")).exitCode, 0)
      const zone = ZoneName.ZoneName.make("golden")
      const options: ZoneCapture.Options = { zone, references: ["golden:1"], process: { cmd: ["/opt/web"] }, images, realPath }
      const early = yield* Effect.flip(ZoneCapture.capture(runner, options))
      assert.include(early.message, "install it first")
      assert.strictEqual((yield* run("zoneadm", "-z", "golden", "install")).exitCode, 0)
      mkdirSync(realPath("/zones/golden/root/opt"), { recursive: true })
      writeFileSync(realPath("/zones/golden/root/opt/web"), "configured", { mode: 0o755 })

      const before = (yield* run("zfs", "list", "-H", "-o", "name", "-t", "all", "-r", "rpool/zones")).stdout
      const image = yield* ZoneCapture.capture(runner, { ...options, detach: true })
      assert.strictEqual(image.brand, "sparse")
      assert.strictEqual(image.platform.os, "illumos")
      assert.deepStrictEqual(image.references, ["docker.io/library/golden:1"])
      assert.deepStrictEqual(image.config.process.cmd, ["/opt/web"])
      const root = realPath(`/${image.snapshot.split("@")[0]}/root`)
      assert.strictEqual(readFileSync(join(root, "opt/web"), "utf8"), "configured")
      // Nothing is left of the way it was made, and the zone is attached again.
      assert.strictEqual((yield* run("zfs", "list", "-H", "-o", "name", "-t", "all", "-r", "rpool/zones")).stdout, before)
      assert.notInclude((yield* run("zfs", "list", "-H", "-o", "name", "-r", String(images))).stdout, "golden-")
      assert.include((yield* run("zoneadm", "list", "-cp")).stdout, "golden:installed")
      // The same root is the same image.
      const again = yield* ZoneCapture.capture(runner, options)
      assert.strictEqual(again.id, image.id)
      assert.strictEqual((yield* images$.list).length, 1)
      yield* run("zoneadm", "-z", "golden", "boot")
      assert.include((yield* Effect.flip(ZoneCapture.capture(runner, options))).message, "halt it first")
      yield* run("zoneadm", "-z", "golden", "halt")
    }).pipe(Effect.provide(store()))
  })
})
