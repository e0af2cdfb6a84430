import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { BlobStore, ImageArchive, ImagePull, ImageReference, Keyring, Platform, PullEvent, RegistryClient } from "@reddwarf/images"
import { Console, Effect, Layer, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const work = mkdtempSync(join(tmpdir(), "pull-"))

const pull = (image: string) =>
  Effect.gen(function*() {
    const client = yield* RegistryClient.RegistryClient
    const reference = yield* ImageReference.parse(image)
    const keyring = Keyring.basic("registry.example.com", "robot", Redacted.make("secret"))
    return yield* ImagePull.pull(client.source(reference, keyring), {
      image,
      wanted: Platform.forBrand("lx"),
      onEvent: (event) => Console.log(PullEvent.kubernetesEvent(event)?.message.split(": ")[0] ?? event._tag)
    })
  })

const program = Effect.gen(function*() {
  yield* Console.log(ImageReference.format(yield* ImageReference.parse("nginx")))

  // Nobody listens at this port: what went wrong, and what kubectl calls it.
  const error = yield* Effect.flip(pull("127.0.0.1:1/team/app:1"))
  yield* Console.log(PullEvent.waitingState("app", error, false).reason)

  // What `docker save` wrote is read from a file in the same way.
  const missing = yield* Effect.flip(ImageArchive.open(join(work, "app.tar")))
  yield* Console.log(missing._tag)
})

const services = RegistryClient.layer({ attempts: 2, retryDelay: "10 millis" }).pipe(
  Layer.merge(BlobStore.layer({ directory: join(work, "blobs") })),
  Layer.provideMerge(NodeFileSystem.layer)
)

await program.pipe(Effect.scoped, Effect.provide(services), Effect.ensuring(Effect.sync(() => rmSync(work, { recursive: true }))), Effect.runPromise)
