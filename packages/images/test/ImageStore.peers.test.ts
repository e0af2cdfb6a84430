/** From a real registry to layers on a simulated host. Needs REDDWARF_PEERS to name a folder with bin/docker-registry. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Layer } from "effect"
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { ImageReference, ImageStore, LayerStore, Platform, PullEvent, RegistryClient } from "../src/index.js"
import { registryMissing, skippedUnless, startRegistry } from "./support/dockerRegistry.js"
import { host as simulated } from "./support/images.js"
import { imageSource, noise, testImage } from "./support/testImages.js"

const reference = (text: string) => Either.getOrThrow(ImageReference.parse(text))

describe.skipIf(registryMissing)(`images from a real registry (${skippedUnless})`, () => {
  it.scopedLive("become layers, of which those that are there are not fetched", () =>
    Effect.gen(function*() {
      const { host } = yield* startRegistry()
      const { directory, realPath, store } = simulated()
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(directory, { recursive: true, force: true })))
      const lower = { "etc/motd": "hello\n", "bin/data": noise(300_000) }
      const first = testImage({ layers: [lower, { "app/run": "one" }], process: { entrypoint: ["/app/run"] } })
      const second = testImage({ layers: [lower, { "app/run": "two" }], process: { entrypoint: ["/app/run"] } })
      yield* Effect.gen(function*() {
        const client = yield* RegistryClient.RegistryClient
        const images = yield* ImageStore.ImageStore
        for (const [tag, image] of [["1", first], ["2", second]] as const) {
          yield* client.push(reference(`${host}/web:${tag}`), { documents: [image.document], blobs: imageSource([image]) })
        }
        const fetched: Array<string> = []
        const pull = (tag: string) =>
          images.pull({
            image: `${host}/web:${tag}`,
            wanted: Platform.forBrand("lx"),
            open: (reference) => Effect.succeed(client.source(reference)),
            onEvent: (event) => Effect.sync(() => void (PullEvent.PullEvent.$is("BlobReady")(event) && event.transferred && fetched.push(event.digest)))
          })
        const one = yield* pull("1")
        assert.strictEqual(fetched.length, 2)
        const two = yield* pull("2")
        assert.strictEqual(fetched.length, 3)
        const root = (snapshot: string) => realPath(`/${snapshot.split("@")[0]}/root`)
        assert.strictEqual(readFileSync(join(root(one.image.snapshot), "app/run"), "utf8"), "one")
        assert.strictEqual(readFileSync(join(root(two.image.snapshot), "app/run"), "utf8"), "two")
        assert.strictEqual(readFileSync(join(root(two.image.snapshot), "etc/motd"), "utf8"), "hello\n")
        assert.strictEqual((yield* (yield* LayerStore.LayerStore).list).length, 3)
        const gone = yield* Effect.flip(pull("3"))
        assert.strictEqual(gone._tag, "NotFound")
      }).pipe(Effect.provide(Layer.merge(RegistryClient.layer(), store())))
    }), 60_000)
})
