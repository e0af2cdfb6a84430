import { NodeContext } from "@effect/platform-node"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { BlobStore, ExtendedAttributes, ImageConfig, ImageStore, LayerStore, Platform, ZoneCapture } from "@reddwarf/images"
import { DatasetName, Zfs } from "@reddwarf/storage-zfs"
import { Console, Effect, Layer } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const work = mkdtempSync(join(tmpdir(), "images-"))
mkdirSync(join(work, "root"))
writeFileSync(join(work, "root", "motd"), "hello\n")

// A simulated host; on a real one give CommandRunner.layer, and no realPath.
const images = DatasetName.make("rpool/images")
const realPath = (path: string) => join(work, "host", "root", path)
const store = ImageStore.layer({ images, directory: join(work, "record") }).pipe(
  Layer.provideMerge(LayerStore.layerZfs({ images, realPath })),
  Layer.provide(Layer.mergeAll(Zfs.layer, ExtendedAttributes.layer, BlobStore.layer({ directory: join(work, "blobs") }))),
  Layer.provide(SimulatedHost.layer({ directory: join(work, "host") })),
  Layer.provide(NodeContext.layer)
)

const program = Effect.gen(function*() {
  const store = yield* ImageStore.ImageStore
  const config = ImageConfig.make({ os: "linux", architecture: "amd64" }, [], { cmd: ["/bin/sh"] })
  const image = yield* ZoneCapture.fromFolder(join(work, "root"), { config, references: ["hello:1"] })
  yield* Console.log(`${image.references.join()} for ${Platform.format(image.platform)}`)

  // What a pod does: its root is a clone of this snapshot.
  const snapshot = yield* store.use(image.id, "pod-1")
  yield* Console.log(snapshot.endsWith("@layer"))

  const refused = yield* Effect.flip(store.remove("hello:1"))
  yield* Console.log(refused.message)

  yield* store.release("pod-1")
  const { removed } = yield* store.prune({ all: true })
  yield* Console.log(`${removed.length} image removed`)
})

await program.pipe(Effect.provide(store), Effect.ensuring(Effect.sync(() => rmSync(work, { recursive: true }))), Effect.runPromise)
