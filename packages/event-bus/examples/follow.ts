import { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore } from "@reddwarf/store"
import { Console, Effect, Layer } from "effect"

const encode = (name: string): ObjectStore.Encode => (revision) => ({
  bytes: new TextEncoder().encode(JSON.stringify({ metadata: { name, resourceVersion: String(revision) } }))
})

const program = Effect.gen(function*() {
  const store = yield* ObjectStore.ObjectStore
  const cache = yield* WatchCache.WatchCache

  const a = yield* store.create("/core/pods/default/a", encode("a"))
  yield* store.create("/core/pods/other/b", encode("b"))
  yield* Console.log(cache.list("/core/pods/default/").map((entry) => entry.key))

  // Every event after a revision, first from history, then as they come.
  const watcher = yield* cache.watch({ prefix: "/core/pods/", after: a.revision })
  yield* store.delete("/core/pods/default/a", a.revision, encode("a"))
  for (let taken = 0; taken < 2;) {
    const events = yield* watcher.takeAll
    taken += events.length
    for (const event of events) {
      // Encoded for the first watcher that asks, shared with all others.
      const line = event.encoded("name", () => new TextEncoder().encode(`${event.type} ${event.key}`))
      yield* Console.log(new TextDecoder().decode(line))
    }
  }
  yield* Console.log(`nothing was missed up to revision ${watcher.bookmark()}`)
})

const layer = WatchCache.layer.pipe(Layer.provideMerge(ObjectStore.layerMemory))

await Effect.runPromise(Effect.scoped(program).pipe(Effect.provide(layer)))
