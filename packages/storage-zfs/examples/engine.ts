import { CommandRunner } from "@reddwarf/runtime-illumos"
import { DatasetName, StorageEngine } from "@reddwarf/storage-zfs"
import { Console, Effect, Layer } from "effect"

// A host without the pool; with CommandRunner.layer the same program works on a real one.
const host = CommandRunner.layerTest(() =>
  CommandRunner.result({ exitCode: 1, stderr: "cannot open 'rpool': no such pool\n" })
)

const engine = StorageEngine.layerZfs({ root: DatasetName.make("rpool/reddwarf") })

const program = Effect.gen(function*() {
  const storage = yield* StorageEngine.StorageEngine
  yield* storage.ensureDatasets
  const zone = yield* storage.ensureZoneDataset({ zone: "web-1", uid: "5b0a", quota: 10 * 1024 ** 3 })
  yield* Console.log(zone.zonepath)
}).pipe(
  Effect.catchTag("PoolUnavailable", (error) => Console.log(error.message))
)

await program.pipe(Effect.provide(Layer.provide(engine, host)), Effect.runPromise)
