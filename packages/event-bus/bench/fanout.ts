/** Prints how fast changes reach watchers, and what lists cost. Run: `pnpm --filter @reddwarf/event-bus bench`. */
import { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore } from "@reddwarf/store"
import { Console, Effect, Layer } from "effect"

const bytes = new TextEncoder().encode(JSON.stringify({ metadata: { name: "pod" }, fill: "x".repeat(1810) }))
const line = (event: WatchCache.CacheEvent): Uint8Array => event.encoded("json", () => event.entry.bytes)

const services = Effect.all({ store: ObjectStore.ObjectStore, cache: WatchCache.WatchCache, clock: Effect.clock })
const layer = WatchCache.layer.pipe(Layer.provideMerge(ObjectStore.layerMemory))

const fanOut = (watchers: number, events: number) =>
  Effect.scoped(Effect.gen(function*() {
    const { store, cache, clock } = yield* services
    let delivered = 0
    const follow = (watcher: WatchCache.Watcher) =>
      Effect.whileLoop({
        while: () => true,
        body: () => watcher.takeAll,
        step: (batch) => {
          for (const event of batch) if (line(event).length > 0) delivered++
        }
      })
    for (let i = 0; i < watchers; i++) {
      yield* Effect.forkScoped(follow(yield* cache.watch({ prefix: "/core/pods/", capacity: events })))
    }
    yield* Effect.yieldNow()
    const started = clock.unsafeCurrentTimeNanos()
    const writers = 64
    yield* Effect.forEach(
      Array.from({ length: writers }, (_, i) => i),
      (writer) =>
        Effect.forEach(
          Array.from({ length: events / writers }, (_, i) => i),
          (i) => store.create(`/core/pods/default/${writer}-${i}`, () => ({ bytes })),
          { discard: true }
        ),
      { concurrency: writers, discard: true }
    )
    yield* Effect.whileLoop({ while: () => delivered < watchers * events, body: () => Effect.yieldNow(), step: () => {} })
    const seconds = Number(clock.unsafeCurrentTimeNanos() - started) / 1e9
    yield* Console.log(
      `${String(watchers).padStart(5)} watchers: ${(events / seconds).toFixed(0).padStart(7)} changes/s, ` +
        `${(delivered / seconds / 1e6).toFixed(2)} million deliveries/s`
    )
  })).pipe(Effect.provide(layer))

const lists = (entries: number) =>
  Effect.gen(function*() {
    const { store, cache, clock } = yield* services
    const micros = (body: () => void, times: number) =>
      Effect.sync(() => {
        const started = clock.unsafeCurrentTimeNanos()
        for (let i = 0; i < times; i++) body()
        return (Number(clock.unsafeCurrentTimeNanos() - started) / 1e3 / times).toFixed(1)
      })
    const started = clock.unsafeCurrentTimeNanos()
    yield* Effect.forEach(
      Array.from({ length: entries }, (_, i) => i),
      // Scattered over 100 namespaces and in no order.
      (i) => store.create(`/core/pods/ns-${i % 100}/${(i * 7919) % entries}`, () => ({ bytes })),
      { concurrency: 64, discard: true }
    )
    const fill = (Number(clock.unsafeCurrentTimeNanos() - started) / 1e3 / entries).toFixed(1)
    yield* Console.log(
      `${String(entries).padStart(6)} entries: fill ${fill} us each; list all ${yield* micros(() => cache.list("/core/pods/"), 20)} us, ` +
        `one namespace of ${cache.count("/core/pods/ns-7/")}: ${yield* micros(() => cache.list("/core/pods/ns-7/"), 1_000)} us, ` +
        `get ${yield* micros(() => cache.get("/core/pods/ns-7/7"), 100_000)} us`
    )
  }).pipe(Effect.provide(layer))

await Effect.runPromise(Effect.gen(function*() {
  yield* fanOut(100, 6_400)
  yield* fanOut(1_000, 1_280)
  yield* lists(10_000)
  yield* lists(150_000)
}))
