import { assert, describe, it } from "@effect/vitest"
import { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore } from "@reddwarf/store"
import { Effect, Layer } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

const temporary = Effect.acquireRelease(
  Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reddwarf-cache-"))),
  (directory) => Effect.sync(() => NodeFs.rmSync(directory, { recursive: true, force: true }))
)

const body = (revision: number) => ({ bytes: new TextEncoder().encode(JSON.stringify({ revision })) })

const open = (path: string) =>
  Layer.provideMerge(WatchCache.layer, ObjectStore.layerSqlite({ path, writeBehind: { prefixes: ["/core/leases/"] } }))

describe("a cache after a restart", () => {
  it.scoped("lets watches of durable keys go on, and those of keys written behind begin anew", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const [path, copy] = [NodePath.join(directory, "store.db"), NodePath.join(directory, "copy.db")]
      yield* Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        const pod = yield* store.create("/core/pods/default/a", body)
        const lease = yield* store.create("/core/leases/default/a", body)
        yield* store.update("/core/pods/default/a", pod.revision, body)
        // Seen by watchers, and lost when the process is killed now.
        const seen = yield* store.update("/core/leases/default/a", lease.revision, body)
        for (const suffix of ["", "-wal"]) NodeFs.copyFileSync(`${path}${suffix}`, `${copy}${suffix}`)

        yield* Effect.gen(function*() {
          const cache = yield* WatchCache.WatchCache
          const next = yield* ObjectStore.ObjectStore
          // A client may ask for a state that is as new as what it has seen.
          assert.isAtLeast(cache.revision(), seen.revision)
          yield* cache.waitFor(yield* next.revision)

          const pods = yield* cache.watch({ prefix: "/core/pods/", after: pod.revision })
          assert.deepStrictEqual((yield* pods.takeAll).map((event) => [event.type, event.revision]), [["MODIFIED", 3]])
          for (const prefix of ["/core/leases/", "/core/leases/default/", "/core/", "/"]) {
            const error = yield* Effect.flip(cache.watch({ prefix, after: seen.revision }))
            assert.strictEqual(error._tag, "WatchExpired", prefix)
          }
          const leases = yield* cache.watch({ prefix: "/core/leases/", after: cache.revision() })
          const again = yield* next.create("/core/leases/default/b", body)
          assert.isAbove(again.revision, seen.revision)
          assert.deepStrictEqual((yield* leases.takeAll).map((event) => event.revision), [again.revision])
        }).pipe(Effect.scoped, Effect.provide(open(copy)))
      }).pipe(Effect.provide(open(path)))
    }))

  it.scoped("reads a large state page by page, with what is written meanwhile", () =>
    Effect.gen(function*() {
      const path = NodePath.join(yield* temporary, "store.db")
      const store = Layer.fresh(ObjectStore.layerSqlite({ path }))
      const many = Array.from({ length: 5000 }, (_, i) => `/core/pods/default/${i}`)
      yield* Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        yield* Effect.forEach(many, (key) => store.create(key, body), { concurrency: 500, discard: true })
      }).pipe(Effect.provide(store))
      yield* Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        const [cache] = yield* Effect.all([
          Effect.map(Layer.build(Layer.provide(WatchCache.layer, Layer.succeed(ObjectStore.ObjectStore, store))), (context) => context),
          Effect.forEach(Array.from({ length: 50 }, (_, i) => i), (i) => store.create(`/core/pods/other/${i}`, body), { discard: true })
        ], { concurrency: 2 })
        yield* Effect.map(WatchCache.WatchCache, (loaded) => {
          assert.strictEqual(loaded.count("/core/pods/default/"), 5000)
          assert.strictEqual(loaded.count("/core/pods/other/"), 50)
          assert.strictEqual(loaded.revision(), 5050)
        }).pipe(Effect.provide(cache))
      }).pipe(Effect.scoped, Effect.provide(store))
    }))
})
