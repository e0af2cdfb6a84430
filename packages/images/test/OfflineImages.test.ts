/** Images from files: layouts, archives, root file systems. */
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { BlobStore, Digest, ImageArchive, ImageManifest, ImagePull, MediaType, OciLayout, Platform, RootTarball } from "../src/index.js"
import { archive, illumos, linux, noise, temporaryDirectory, testImage, type TestImage } from "./support/testImages.js"

const services = Layer.unwrapScoped(Effect.map(temporaryDirectory, (directory) =>
  Layer.provideMerge(BlobStore.layer({ directory }), NodeFileSystem.layer)))

const hello = testImage({ layers: [{ "etc/motd": noise(100_000) }, { "app/run": "x" }], process: { cmd: ["/app/run"] } })
const native = testImage({ layers: [{ "etc/release": "illumos" }], platform: illumos, packing: "zstd" })

const blobFiles = (...images: ReadonlyArray<TestImage>): Record<string, Uint8Array> =>
  Object.fromEntries(images.flatMap((image) =>
    [...image.blobs, [image.document.digest, image.document.bytes] as const].map(([digest, bytes]) => [`blobs/sha256/${Digest.hex(digest)}`, bytes])))

const layoutFiles = (index: ImageManifest.ManifestDocument, ...images: ReadonlyArray<TestImage>): Record<string, string | Uint8Array> => ({
  "oci-layout": "{\"imageLayoutVersion\":\"1.0.0\"}",
  "index.json": index.bytes,
  ...blobFiles(...images)
})

const named = (image: TestImage, name: string, platform = linux): ImageManifest.Descriptor => ({
  ...ImageManifest.descriptorOf(image.document, platform),
  annotations: { "org.opencontainers.image.ref.name": name }
})

const pull = (image: OciLayout.OfflineImage | undefined, brand = "lx") =>
  image === undefined ? Effect.dieMessage("no image") : ImagePull.pull(image.source, { image: "test", wanted: Platform.forBrand(brand) })

/** What `docker save` writes: configs and layers under names of their own. */
const dockerFiles = (images: ReadonlyArray<readonly [TestImage, ReadonlyArray<string>]>) => {
  const files: Record<string, string | Uint8Array> = {}
  const manifest = images.map(([image, tags]) => {
    const config = `${Digest.hex(image.manifest.config.digest)}.json`
    files[config] = image.blobs.get(image.manifest.config.digest) ?? ""
    return {
      Config: config,
      RepoTags: tags,
      Layers: image.manifest.layers.map(({ digest }) => {
        const path = `${Digest.hex(digest)}/layer.tar`
        files[path] = image.blobs.get(digest) ?? ""
        files[`${Digest.hex(digest)}/VERSION`] = "1.0"
        return path
      })
    }
  })
  return { "manifest.json": JSON.stringify(manifest), ...files }
}

const write = (folder: string, files: Readonly<Record<string, string | Uint8Array>>): void => {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

const fromBytes = (bytes: Uint8Array) => ImageArchive.fromStream("test.tar", Stream.fromIterable(
  Array.from({ length: Math.ceil(bytes.length / 10_007) }, (_, index) => bytes.subarray(index * 10_007, (index + 1) * 10_007))
))

describe("images without a registry", () => {
  it.scopedLive("an OCI layout in a folder", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      write(folder, layoutFiles(ImageManifest.fromIndex({ manifests: [named(hello, "one"), named(hello, "two"), named(native, "native", illumos)] }), hello, native))
      const images = yield* OciLayout.open(folder)
      assert.deepStrictEqual(images.map(({ names }) => names), [["one", "two"], ["native"]])
      const pulled = yield* pull(images[0])
      assert.strictEqual(pulled.digest, hello.document.digest)
      assert.strictEqual((yield* Effect.flip(pull(images[1])))._tag, "UnsupportedPlatform")
      assert.strictEqual((yield* pull(images[1], "sparse")).id, native.manifest.config.digest)
    }).pipe(Effect.provide(services)))

  it.scopedLive("a layout of one image for several platforms", () =>
    Effect.gen(function*() {
      const index = ImageManifest.fromIndex({ manifests: [ImageManifest.descriptorOf(hello.document, linux), ImageManifest.descriptorOf(native.document, illumos)] })
      const images = yield* fromBytes(archive(layoutFiles(index, hello, native)))
      assert.strictEqual(images.length, 1)
      assert.strictEqual((yield* pull(images[0], "lx")).id, hello.manifest.config.digest)
      assert.strictEqual((yield* pull(images[0], "pkgsrc")).id, native.manifest.config.digest)
    }).pipe(Effect.provide(services)))

  for (const [packing, pack] of [["plain", (bytes: Uint8Array) => bytes], ["gzip", gzipSync], ["zstd", zstdCompressSync]] as const) {
    it.scopedLive(`what docker save writes, ${packing}: several images with several tags`, () =>
      Effect.gen(function*() {
        const saved = archive(dockerFiles([[hello, ["registry.example.com/hello:1", "hello:latest"]], [native, []]]))
        const images = yield* fromBytes(new Uint8Array(pack(saved)))
        assert.deepStrictEqual(images.map(({ names }) => names), [["registry.example.com/hello:1", "hello:latest"], []])
        const pulled = yield* pull(images[0])
        assert.deepStrictEqual(pulled.config, hello.config)
        assert.deepStrictEqual(pulled.layers.map(({ blob }) => blob.mediaType), [MediaType.ociLayerGzip, MediaType.ociLayerGzip])
        assert.strictEqual((yield* pull(images[1], "ipkg")).layers[0]?.blob.mediaType, MediaType.ociLayerZstd)
        assert.deepStrictEqual(yield* Effect.map(fromBytes(saved), ([image]) => image?.names), ["registry.example.com/hello:1", "hello:latest"])
      }).pipe(Effect.provide(services)))
  }

  it.scopedLive("the same archive always gives the same image", () =>
    Effect.gen(function*() {
      const saved = archive(dockerFiles([[hello, ["a:1"]]]))
      const digest = Effect.flatMap(fromBytes(saved), ([image]) => Effect.map(pull(image), ({ digest }) => digest))
      assert.strictEqual(yield* Effect.provide(digest, services), yield* Effect.provide(digest, services))
    }))

  it.scopedLive("refuses archives that are none, damaged, cut off or something else, and keeps nothing half-done", () =>
    Effect.gen(function*() {
      const store = yield* BlobStore.BlobStore
      const saved = archive(dockerFiles([[hello, ["a:1"]]]))
      const layer = hello.manifest.layers[0]?.digest ?? Digest.of("")
      const wrong = { ...blobFiles(hello), [`blobs/sha256/${Digest.hex(layer)}`]: "changed" }
      const cases: ReadonlyArray<readonly [Uint8Array, string]> = [
        [noise(5000), "image archive"],
        [saved.subarray(0, saved.length >> 1), "cut off"],
        [new Uint8Array(gzipSync(saved).subarray(0, 5000)), "unexpected end of file"],
        [archive({ "etc/passwd": "root", "usr/bin/x": "" }), "it is a root file system and has to be imported as one"],
        [archive({ "README": "hello" }), "neither manifest.json nor index.json"],
        [archive({ "manifest.json": "[{\"Config\":\"x.json\",\"RepoTags\":null,\"Layers\":[]}]" }), "it names the file x.json, which is not in the archive"],
        [archive({ "manifest.json": "{" }), "manifest.json"],
        [archive({ "index.json": "{\"schemaVersion\":2}" }), "index.json"],
        [archive({ "index.json": "{}", ...wrong }), "instead of"],
        [Buffer.concat([Buffer.from([0xfd]), Buffer.from("7zXZ\0"), noise(5000)]), "packing by xz is not supported"]
      ]
      for (const [bytes, reason] of cases) {
        const error = yield* Effect.flip(Effect.scoped(fromBytes(bytes)))
        assert.include(error.message, reason)
      }
      assert.strictEqual((yield* store.usage).partial, 0)
    }).pipe(Effect.provide(services)))

  for (const [packing, pack] of [["plain", (bytes: Uint8Array) => bytes], ["gzip", gzipSync], ["zstd", zstdCompressSync]] as const) {
    it.scopedLive(`a root file system, ${packing}`, () =>
      Effect.gen(function*() {
        const folder = yield* temporaryDirectory
        const root = archive({ "etc/alpine-release": "3.20", "bin/sh": noise(50_000) })
        const file = join(folder, "root.tar")
        writeFileSync(file, pack(root))
        const source = yield* RootTarball.open(file, { platform: linux, process: { entrypoint: ["/sbin/init"] } })
        const image = yield* ImagePull.pull(source, { image: "alpine", wanted: Platform.forBrand("lx") })
        assert.deepStrictEqual(image.config.process.entrypoint, ["/sbin/init"])
        assert.deepStrictEqual(image.config.rootfs.diffIds, [Digest.of(root)])
        const again = yield* RootTarball.open(file, { platform: linux, process: { entrypoint: ["/sbin/init"] } })
        assert.strictEqual((yield* again.root).digest, image.digest)
      }).pipe(Effect.provide(services)))
  }

  it.scopedLive("refuses a root file system that is none", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const cases = [[noise(3000), "invalid root file system"], [new Uint8Array(1024), "it is empty"], [Buffer.from("BZh91AY"), "packing by bzip2 is not supported"]] as const
      for (const [bytes, reason] of cases) {
        writeFileSync(join(folder, "root.tar"), bytes)
        assert.include((yield* Effect.flip(RootTarball.open(join(folder, "root.tar"), { platform: linux }))).message, reason)
      }
      assert.strictEqual((yield* Effect.flip(RootTarball.open(join(folder, "none.tar"), { platform: linux })))._tag, "StorageFailed")
      assert.strictEqual((yield* Effect.flip(OciLayout.open(folder)))._tag, "InvalidManifest")
    }).pipe(Effect.provide(services)))
})
