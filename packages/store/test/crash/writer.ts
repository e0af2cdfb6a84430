/**
 * The process that is killed: many writers against one database, and a line on standard output for every write that was
 * acknowledged: `writer <database>`.
 */
import { ObjectStore } from "@reddwarf/store"
import { Effect, Random } from "effect"
import { createHash } from "node:crypto"
import * as NodeFs from "node:fs"

const encoder = new TextEncoder()
const writers = 32
const keysPerWriter = 8

// Written at once and whole: a line that the parent has read was acknowledged, and one it has not read may be lost.
const say = (line: string) => Effect.sync(() => NodeFs.writeSync(1, `${line}\n`))

const encodeWith = (key: string, fill: string): ObjectStore.Encode => (revision) => ({
  bytes: encoder.encode(JSON.stringify({ key, revision, fill, sum: createHash("sha1").update(fill).digest("hex") }))
})

const acknowledged = (type: string, version: ObjectStore.Committed) =>
  say(`ack ${type} ${version.revision} ${version.key} ${createHash("sha1").update(version.bytes).digest("hex")}`)

const step = (key: string) =>
  Effect.gen(function*() {
    const store = yield* ObjectStore.ObjectStore
    const encode = encodeWith(key, "x".repeat(yield* Random.nextIntBetween(0, 6_000)))
    const current = yield* store.get(key)
    if (current._tag === "None") return yield* acknowledged("create", yield* store.create(key, encode))
    const remove = (yield* Random.nextIntBetween(0, 5)) === 0
    const { revision } = current.value
    return remove
      ? yield* acknowledged("delete", yield* store.delete(key, revision, encode))
      : yield* acknowledged("update", yield* store.update(key, revision, encode))
  })

const writer = (id: number) =>
  Effect.forever(Effect.flatMap(Random.nextIntBetween(0, keysPerWriter), (i) => step(`/core/pods/ns-${id}/pod-${i}`)))

/** Heartbeats between the others: written behind. */
const heart = Effect.forever(
  Effect.zipRight(Effect.flatMap(Random.nextIntBetween(0, 50), (i) => step(`/leases/node-${i}`)), Effect.sleep("1 millis"))
)

const compactor = Effect.gen(function*() {
  const store = yield* ObjectStore.ObjectStore
  const now = yield* store.revision
  if (now - (yield* store.compactedRevision) > 1_500) yield* store.compact(now - 500)
  yield* Effect.sleep("5 millis")
}).pipe(Effect.forever)

const program = Effect.gen(function*() {
  const store = yield* ObjectStore.ObjectStore
  yield* say(`ready ${yield* store.revision}`)
  yield* Effect.all([compactor, heart, ...Array.from({ length: writers }, (_, id) => writer(id))], { concurrency: "unbounded" })
})

await Effect.runPromise(
  program.pipe(
    // A fault of the disk ends the process with what the store has said about it.
    Effect.catchTag("StoreError", (error) => say(`fault ${error.reason} ${error.message}`)),
    Effect.provide(ObjectStore.layerSqlite({ path: process.argv[2] ?? "", writeBehind: { prefixes: ["/leases/"], interval: "20 millis" } }))
  )
)
