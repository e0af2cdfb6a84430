import { ObjectStore } from "@reddwarf/store"
import { Console, Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reddwarf-example-"))
const path = NodePath.join(directory, "store.db")

const write = Effect.gen(function*() {
  const store = yield* ObjectStore.ObjectStore
  // Concurrent writers share a transaction; each is answered when it is on disk.
  yield* Effect.forEach(
    ["a", "b", "c"],
    (name) => store.create(`/core/pods/default/${name}`, () => ({ bytes: new TextEncoder().encode(name) })),
    { concurrency: "unbounded" }
  )
})

const read = Effect.gen(function*() {
  const store = yield* ObjectStore.ObjectStore
  const page = yield* store.range({ prefix: "/core/pods/default/", limit: 2 })
  yield* Console.log(`revision ${page.revision}: ${page.items.map((item) => item.key).join(", ")} and ${page.remaining} more`)
})

// Two lives of one store.
await Effect.runPromise(
  Effect.provide(write, ObjectStore.layerSqlite({ path })).pipe(
    Effect.zipRight(Effect.provide(read, ObjectStore.layerSqlite({ path }))),
    Effect.ensuring(Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
  )
)
