import { assert, layer } from "@effect/vitest"
import { DatasetName, Zfs } from "@reddwarf/storage-zfs"
import { Effect, Layer } from "effect"
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import * as BlobStore from "../src/BlobStore.js"
import * as ExtendedAttributes from "../src/ExtendedAttributes.js"
import * as ImageStore from "../src/ImageStore.js"
import * as LayerStore from "../src/LayerStore.js"
import * as ZoneArchive from "../src/ZoneArchive.js"
import { imageOf, linux } from "./support/images.js"
import { file, folder, hardlink, symlink } from "./support/tarBytes.js"
import * as zfsFuse from "./support/zfsFuse.js"

const unavailable = zfsFuse.missing !== undefined
if (unavailable) process.stderr.write(`images: tests against real ZFS are skipped: ${zfsFuse.missing}\n`)

const directory = mkdtempSync(join(tmpdir(), "reddwarf-images-zfs-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
const images = DatasetName.make("tpool/images")

layer(zfsFuse.layer, { excludeTestServices: true, timeout: "20 seconds" })("images on real ZFS", (it) => {
  it.effect.skipIf(unavailable)("are stacked, shared, used, collected, sent and received", () =>
    Effect.gen(function*() {
      const { mountpoints, root } = yield* zfsFuse.ZfsNamespace
      const realPath = (path: string) => `${root}${path}`
      const place = { images, realPath }
      const store = ImageStore.layer({ images, directory: join(directory, "data") }).pipe(
        Layer.provideMerge(LayerStore.layerZfs(place)),
        Layer.provideMerge(Layer.mergeAll(Zfs.layer, ExtendedAttributes.layerNone, BlobStore.layer({ directory: join(directory, "blobs") })))
      )
      const base = [
        folder("bin", { mode: 0o755 }),
        file("bin/su", "su", { mode: 0o4755, uid: 3, gid: 4, mtime: 1_600_000_000 }),
        hardlink("bin/sudo", "bin/su"),
        symlink("sbin", "bin"),
        folder("data"),
        file("data/old", "x".repeat(100_000))
      ]
      const first = imageOf([base, [file("sbin/new", "through the link"), file("data/.wh..wh..opq", ""), file("data/new", "y")]])
      const second = imageOf([base, [file("only", "second")]])
      const rootOf = (snapshot: string) => realPath(`${mountpoints}/images/layers/${snapshot.slice(snapshot.lastIndexOf("/") + 1, snapshot.indexOf("@"))}/root`)

      yield* Effect.gen(function*() {
        const zfs = yield* Zfs.Zfs
        yield* zfs.create(images, { mountpoint: `${mountpoints}/images` })
        const store = yield* ImageStore.ImageStore
        const layers = yield* LayerStore.LayerStore
        const pull = (image: ReturnType<typeof imageOf>, name: string) =>
          Effect.map(store.pull({ image: name, wanted: linux, open: () => Effect.succeed(image.source) }), ({ image }) => image)
        const one = yield* pull(first, "web:1")
        const two = yield* pull(second, "web:2")
        const files = rootOf(one.snapshot)
        assert.deepStrictEqual(readdirSync(files).sort(), ["bin", "data", "sbin"])
        assert.deepStrictEqual(readdirSync(join(files, "bin")).sort(), ["new", "su", "sudo"])
        assert.deepStrictEqual(readdirSync(join(files, "data")), ["new"])
        const su = lstatSync(join(files, "bin/su"))
        assert.deepStrictEqual([su.mode & 0o7777, su.uid, su.gid, su.nlink, su.mtimeMs], [0o4755, 3, 4, 2, 1_600_000_000_000])
        assert.strictEqual((yield* layers.list).length, 3)
        assert.isAbove(one.size, 1000)

        // ZFS itself keeps what is in use.
        const snapshot = yield* store.use(one.id, "pod-1")
        assert.strictEqual((yield* Effect.flip(zfs.destroy(snapshot)))._tag, "DatasetBusy")
        yield* zfs.clone(two.snapshot, DatasetName.make("tpool/pod"), { mountpoint: `${mountpoints}/pod` })
        assert.strictEqual(readFileSync(realPath(`${mountpoints}/pod/root/only`), "utf8"), "second")
        const kept = yield* store.collect({ highPercent: 0, lowPercent: 0, minAge: 0 })
        assert.deepStrictEqual([kept.removed.length, kept.kept.join()], [0, String(two.id)])

        // As a stream, to another pool's place: here the same pool, after the image has gone.
        const path = join(directory, "web.zar")
        const top = (yield* layers.list).find(({ chainId }) => chainId === one.chainId)
        if (top === undefined) throw new Error("no top layer")
        yield* ZoneArchive.write({ path, config: one.config, references: ["web:1"], kind: "zfs", content: layers.send(top) })
        yield* store.release("pod-1")
        yield* store.remove("web:1")
        const archive = yield* ZoneArchive.open(path)
        const received = yield* store.create({ kind: "zfs", config: archive.manifest.config, layers: [archive.layer], references: ["web:1"], origin: "archive" })
        const again = lstatSync(join(rootOf(received.snapshot), "bin/su"))
        assert.deepStrictEqual([again.mode & 0o7777, again.uid, again.nlink], [0o4755, 3, 2])

        yield* Effect.retry(zfs.destroy(DatasetName.make("tpool/pod")), { times: 20, while: (error) => error._tag === "DatasetBusy" })
        const all = yield* store.prune({ all: true })
        assert.strictEqual(all.removed.length, 2)
        assert.deepStrictEqual(yield* layers.list, [])
      }).pipe(Effect.provide(store))
    }), 120_000)
})
