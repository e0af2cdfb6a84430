import { ObjectStore } from "@reddwarf/store"
import { Effect, Layer } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

/** A directory that goes with the scope. */
export const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reddwarf-store-"))),
  (directory) => Effect.sync(() => NodeFs.rmSync(directory, { recursive: true, force: true }))
)

export type Options = Omit<ObjectStore.SqliteOptions, "path">

/** Each of these makes a new, empty store whenever it is built. */
export const layers: ReadonlyArray<readonly [name: string, make: (options: Options) => Layer.Layer<ObjectStore.ObjectStore>]> = [
  ["layerMemory", (options) => Layer.fresh(ObjectStore.layerMemoryWith(options))],
  [
    "layerSqlite",
    (options) =>
      Layer.unwrapScoped(Effect.map(
        temporaryDirectory,
        (directory) => ObjectStore.layerSqlite({ ...options, path: NodePath.join(directory, "store.db") })
      )).pipe(Layer.orDie)
  ]
]

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** An encode whose bytes name the revision that they were written at. */
export const body = (value: string): ObjectStore.Encode => (revision) => ({ bytes: encoder.encode(`${value}@${revision}`) })

export const textOf = (version: { readonly bytes: Uint8Array }): string => decoder.decode(version.bytes)
