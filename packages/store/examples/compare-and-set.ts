import { ObjectStore } from "@reddwarf/store"
import { Console, Effect } from "effect"

const key = "/core/configmaps/default/settings"

// The revision that the write will get is known while it is encoded, so that it can be part of the object.
const encode = (color: string) => (revision: number): ObjectStore.Encoded => {
  const object = { metadata: { name: "settings", resourceVersion: String(revision) }, data: { color } }
  return { bytes: new TextEncoder().encode(JSON.stringify(object)), object }
}

const seen: Array<string> = []

const program = Effect.gen(function*() {
  const store = yield* ObjectStore.ObjectStore
  yield* store.subscribe((changes) => {
    for (const change of changes) seen.push(`${change.type} at ${change.revision}`)
  })

  const created = yield* store.create(key, encode("red"))
  const updated = yield* store.update(key, created.revision, encode("green"))

  // A writer that has read an older version learns so instead of overwriting the newer one.
  const conflict = yield* Effect.flip(store.update(key, created.revision, encode("blue")))
  yield* Console.log(conflict.message)

  const past = yield* store.range({ prefix: "/core/configmaps/", revision: created.revision })
  yield* Console.log(new TextDecoder().decode(past.items[0]?.bytes))

  yield* store.delete(key, updated.revision, encode("green"))
  yield* Console.log(seen.join(", "))
})

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(ObjectStore.layerMemory)))
