import { CommandRunner } from "@reddwarf/runtime-illumos"
import { DatasetName, StorageEngine } from "@reddwarf/storage-zfs"
import { Console, Effect, Layer } from "effect"

// A host without the pool; with CommandRunner.layer the same program works on a real one.
const host = CommandRunner.layerTest(() =>
  CommandRunner.result({ exitCode: 1, stderr: "cannot open 'rpool': no such pool\n" })
)

const engine = StorageEngine.layerZfs({ root: DatasetName.make("rpool/reddwarf") })
const GiB = 1024 ** 3

const program = Effect.gen(function*() {
  const storage = yield* StorageEngine.StorageEngine
  yield* Console.log(`zones below ${storage.layout.zones}, volumes below ${storage.layout.volumes}`)
  yield* storage.ensureDatasets

  // A zone whose root is a clone of an image, with a volume beside it.
  const origin = DatasetName.snapshot(DatasetName.child(storage.layout.images, "web"), "base")
  const zone = yield* storage.ensureZoneDataset({ zone: "web-1", uid: "5b0a", quota: 10 * GiB, origin })
  const data = yield* storage.ensureVolume({
    name: "web-data",
    owner: "77c1",
    quota: 20 * GiB,
    access: { uid: 1000, gid: 1000, mode: 0o770 }
  })
  yield* storage.snapshotVolume("web-data", "before-upgrade")
  yield* Console.log(`${zone.zonepath} and ${data.mountpoint}`)

  // Whatever belongs to neither: reported first, removed only on request.
  const orphans = yield* storage.orphans(new Set(["5b0a", "77c1"]))
  for (const orphan of orphans) yield* Console.log(`${orphan.dataset}: ${orphan.reason}`)
}).pipe(
  Effect.catchTag("PoolUnavailable", (error) => Console.log(error.message))
)

await program.pipe(Effect.provide(Layer.provide(engine, host)), Effect.runPromise)
