import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { BlobStore, Digest, ImageConfig, ImageError, ImageManifest, ImagePull, MediaType, Platform, PullBackOff, PullEvent } from "../src/index.js"
import { illumos, imageSource, linux, temporaryDirectory, testImage } from "./support/testImages.js"

const services = Layer.unwrapScoped(Effect.map(temporaryDirectory, (directory) => Layer.provide(BlobStore.layer({ directory }), NodeFileSystem.layer)))
const hello = testImage({ layers: [{ a: "1" }, { b: "2" }] })
const native = testImage({ layers: [{ c: "3" }], platform: illumos })

const pull = (source: ReturnType<typeof imageSource>, brand = "lx", options: Partial<ImagePull.Options> = {}) =>
  ImagePull.pull(source, { image: "hello:1", wanted: Platform.forBrand(brand), ...options })

describe("ImagePull", () => {
  it.scopedLive("tells what happens, in the order of kubectl's events", () =>
    Effect.gen(function*() {
      const events: Array<PullEvent.PullEvent> = []
      yield* pull(imageSource([hello]), "lx", { onEvent: (event) => Effect.sync(() => void events.push(event)) })
      assert.deepStrictEqual(events.flatMap((event) => PullEvent.kubernetesEvent(event)?.reason ?? []), ["Pulling", "Pulled"])
      const failed: Array<PullEvent.PullEvent> = []
      yield* Effect.flip(pull(imageSource([]), "lx", { onEvent: (event) => Effect.sync(() => void failed.push(event)) }))
      assert.deepStrictEqual(failed.map((event) => PullEvent.kubernetesEvent(event)?.message), [
        "Pulling image \"hello:1\"",
        "Failed to pull image \"hello:1\": test: manifest not found in memory; check the name and the tag, and that the image was pushed"
      ])
    }).pipe(Effect.provide(services)))

  it.scopedLive("keeps what it brought from being removed, as long as its scope is open", () =>
    Effect.gen(function*() {
      const store = yield* BlobStore.BlobStore
      yield* Effect.scoped(Effect.gen(function*() {
        yield* pull(imageSource([hello]))
        for (const { digest } of yield* store.list) assert.isFalse(yield* store.remove(digest))
      }))
      for (const { digest } of yield* store.list) assert.isTrue(yield* store.remove(digest))
    }).pipe(Effect.provide(services)))

  it.scopedLive("finds the image through nested indexes, not too deep, and past proofs of origin", () =>
    Effect.gen(function*() {
      const index = (...manifests: ReadonlyArray<ImageManifest.Descriptor>) => ImageManifest.fromIndex({ manifests })
      const proof = ImageManifest.descriptorOf(testImage({ layers: [] }).document, { os: "unknown", architecture: "unknown" })
      const inner = index(ImageManifest.descriptorOf(hello.document, linux), ImageManifest.descriptorOf(native.document, illumos), proof)
      let outer = inner
      const layers = [inner]
      for (let depth = 0; depth < 4; depth++) {
        outer = index(ImageManifest.descriptorOf(outer))
        layers.push(outer)
      }
      const source = (root: ImageManifest.ManifestDocument) => ({
        ...imageSource([hello, native], root),
        document: (wanted: ImageManifest.Descriptor) => {
          const found = [...layers, hello.document, native.document].find(({ digest }) => digest === wanted.digest)
          return found === undefined ? Effect.dieMessage("no document") : Effect.succeed(found)
        }
      })
      assert.strictEqual((yield* pull(source(layers[2] ?? inner))).id, hello.manifest.config.digest)
      assert.strictEqual((yield* pull(source(inner), "sparse")).id, native.manifest.config.digest)
      const deep = yield* Effect.flip(pull(source(outer)))
      assert.include(deep.message, "nested more than 3 levels deep")
      const error = yield* Effect.flip(pull(source(index(ImageManifest.descriptorOf(native.document, illumos), proof))))
      assert.strictEqual(error._tag, "UnsupportedPlatform")
      assert.include(error.message, "it exists for illumos/amd64: choose the brand that fits")
    }).pipe(Effect.provide(services)))

  it.scopedLive("believes the config about the platform, not the index", () =>
    Effect.gen(function*() {
      const lying = ImageManifest.fromIndex({ manifests: [ImageManifest.descriptorOf(native.document, linux)] })
      assert.strictEqual((yield* Effect.flip(pull(imageSource([native], lying))))._tag, "UnsupportedPlatform")
      const branded = testImage({ layers: [{ c: "3" }], platform: illumos, process: { labels: { [Platform.brandAnnotation]: "pkgsrc" } } })
      assert.strictEqual((yield* pull(imageSource([branded]), "pkgsrc")).digest, branded.document.digest)
      assert.strictEqual((yield* Effect.flip(pull(imageSource([branded]), "ipkg")))._tag, "UnsupportedPlatform")
    }).pipe(Effect.provide(services)))

  it.scopedLive("refuses images whose parts do not fit, are too large or cannot be read", () =>
    Effect.gen(function*() {
      const changed = (change: Partial<ImageManifest.ImageManifest>) => imageSource([hello], ImageManifest.fromManifest({ ...hello.manifest, ...change }))
      assert.include((yield* Effect.flip(pull(changed({ layers: hello.manifest.layers.slice(1) })))).message, "its manifest has 1 layers, its config 2")
      const encrypted = hello.manifest.layers.map((layer) => ({ ...layer, mediaType: `${MediaType.ociLayerGzip}+encrypted` }))
      assert.strictEqual((yield* Effect.flip(pull(changed({ layers: encrypted }))))._tag, "UnsupportedMedia")
      assert.strictEqual((yield* Effect.flip(pull(imageSource([hello]), "lx", { maxImageBytes: 100 })))._tag, "SizeMismatch")
      const text = new TextEncoder().encode("not a config")
      const broken = { ...hello, blobs: new Map([...hello.blobs, [Digest.of(text), text]]) }
      const source = imageSource([broken], ImageManifest.fromManifest({ ...hello.manifest, config: { mediaType: MediaType.ociConfig, digest: Digest.of(text), size: text.length } }))
      assert.strictEqual((yield* Effect.flip(pull(source)))._tag, "InvalidManifest")
      assert.strictEqual(ImageConfig.make(linux, []).process.cmd.length, 0)
    }).pipe(Effect.provide(services)))
})

describe("what kubectl users see", () => {
  const digest = Digest.of("x")
  it.each([
    [PullEvent.PullEvent.Pulled({ image: "a", digest, size: 12_345, duration: 1500, waited: 300 }), "Pulled", "Successfully pulled image \"a\" in 1.2s (1.5s including waiting). Image size: 12345 bytes."],
    [PullEvent.PullEvent.Pulled({ image: "a", digest, size: 1, duration: 83_042, waited: 0 }), "Pulled", "Successfully pulled image \"a\" in 1m23.042s (1m23.042s including waiting). Image size: 1 bytes."],
    [PullEvent.PullEvent.Pulled({ image: "a", digest, size: 1, duration: 12, waited: 0 }), "Pulled", "Successfully pulled image \"a\" in 12ms (12ms including waiting). Image size: 1 bytes."],
    [PullEvent.PullEvent.Present({ image: "a" }), "Pulled", "Container image \"a\" already present on machine"],
    [PullEvent.PullEvent.BackOff({ image: "a", remaining: 1 }), "BackOff", "Back-off pulling image \"a\""],
    [PullEvent.PullEvent.Failed({ image: "a", error: new ImageError.NeverPull({ reference: "a" }) }), "ErrImageNeverPull", "Container image \"a\" is not present with pull policy of Never; import it on the node or change imagePullPolicy"],
    [
      PullEvent.PullEvent.Failed({ image: "A", error: new ImageError.InvalidReference({ reference: "A", reason: "r" }) }),
      "InspectFailed",
      "Failed to apply default image tag \"A\": couldn't parse image name \"A\": invalid reference format: r"
    ]
  ])("%j", (event, reason, message) => {
    const seen = PullEvent.kubernetesEvent(event)
    assert.strictEqual(seen?.reason, reason)
    assert.strictEqual(seen?.message, message)
  })

  it("has the reasons of a kubelet for a container that waits", () => {
    const cases: ReadonlyArray<readonly [ImageError.ImageError, string, boolean]> = [
      [new ImageError.InvalidReference({ reference: "A", reason: "r" }), "InvalidImageName", false],
      [new ImageError.NeverPull({ reference: "a" }), "ErrImageNeverPull", false],
      [new ImageError.NotFound({ reference: "a", what: "manifest", source: "s" }), "ErrImagePull", false],
      [new ImageError.Unreachable({ reference: "a", source: "s", detail: "d" }), "RegistryUnavailable", true],
      [new ImageError.RegistryFailed({ reference: "a", source: "s", status: 502, detail: "d" }), "RegistryUnavailable", true],
      [new ImageError.RegistryFailed({ reference: "a", source: "s", status: 418, detail: "d" }), "ErrImagePull", false],
      [new ImageError.TooManyRequests({ reference: "a", source: "s" }), "ErrImagePull", true],
      [new ImageError.DiskFull({ path: "p", detail: "d" }), "ErrImagePull", true]
    ]
    for (const [error, reason, transient] of cases) {
      assert.strictEqual(PullEvent.waitingState("a", error, false).reason, reason)
      assert.strictEqual(ImageError.isTransient(error), transient, error._tag)
      assert.deepStrictEqual(PullEvent.waitingState("a", error, true), { reason: "ImagePullBackOff", message: `Back-off pulling image "a": ${reason}: ${error.message}` })
    }
  })

  it.effect("backs off 10 s, doubling to 5 minutes, and starts anew after a quiet time", () =>
    Effect.gen(function*() {
      const backOff = PullBackOff.make({ capacity: 2 })
      assert.strictEqual(yield* backOff.remaining("a"), 0)
      const delays: Array<number> = []
      for (let failure = 0; failure < 7; failure++) {
        const delay = yield* backOff.failed("a")
        assert.strictEqual(yield* backOff.remaining("a"), delay)
        delays.push(delay / 1000)
        yield* TestClock.adjust(delay)
        assert.strictEqual(yield* backOff.remaining("a"), 0)
      }
      assert.deepStrictEqual(delays, [10, 20, 40, 80, 160, 300, 300])
      yield* TestClock.adjust("11 minutes")
      assert.strictEqual(yield* backOff.failed("a"), 10_000)
      yield* backOff.forget("a")
      assert.strictEqual(yield* backOff.remaining("a"), 0)
      for (const key of ["a", "b", "c"]) yield* backOff.failed(key)
      assert.strictEqual(yield* backOff.remaining("a"), 0)
      assert.strictEqual(yield* backOff.remaining("c"), 10_000)
    }))
})
