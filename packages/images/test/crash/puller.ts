/** Pulls an image into a folder, as a program of its own that can be killed. Arguments: folder, reference. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { BlobStore, ImagePull, ImageReference, Platform, RegistryClient } from "@reddwarf/images"
import { Console, Effect, Layer } from "effect"

const [, , directory = "", name = ""] = process.argv

const program = Effect.gen(function*() {
  const reference = yield* ImageReference.parse(name)
  const client = yield* RegistryClient.RegistryClient
  const image = yield* ImagePull.pull(client.source(reference), { image: name, wanted: Platform.forBrand("lx") })
  yield* Console.log(image.digest)
})

const services = Layer.merge(RegistryClient.layer(), Layer.provide(BlobStore.layer({ directory }), NodeFileSystem.layer))

await program.pipe(Effect.scoped, Effect.provide(services), Effect.runPromise)
