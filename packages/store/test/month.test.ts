import { assert, describe, it } from "@effect/vitest"
import { Compaction, ObjectStore } from "@reddwarf/store"
import { Effect, Layer, TestClock } from "effect"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { body, temporaryDirectory } from "./support/stores.js"

const nodes = 100
const days = 30
const beatsPerDay = 6
const filler = "x".repeat(500)

describe("a month of heartbeats", () => {
  it.scoped("leaves the database as large as it was after some days", () =>
    Effect.gen(function*() {
      const path = NodePath.join(yield* temporaryDirectory, "store.db")
      const store = ObjectStore.layerSqlite({ path, writeBehind: { prefixes: ["/leases/", "/events/"], interval: "1 hour" } })
      yield* Effect.gen(function*() {
        const store = yield* ObjectStore.ObjectStore
        const leases: Array<number> = []
        const pods: Array<number> = []
        const reports: Array<ObjectStore.Committed> = []
        for (let i = 0; i < nodes; i++) {
          leases.push((yield* store.create(`/leases/${i}`, body(filler))).revision)
          pods.push((yield* store.create(`/pods/${i}`, body(filler))).revision)
        }
        const size = () => NodeFs.statSync(path).size + NodeFs.statSync(`${path}-wal`).size
        const atOnce = { concurrency: "unbounded", discard: true } as const
        const sizes: Array<number> = []
        for (let beat = 0; beat < days * beatsPerDay; beat++) {
          for (let i = 0; i < nodes; i++) leases[i] = (yield* store.update(`/leases/${i}`, leases[i] ?? 0, body(filler))).revision
          for (let i = 0; i < 10; i++) reports.push(yield* store.create(`/events/${beat}-${i}`, body(filler)))
          for (const { key, revision } of reports.splice(0, reports.length - 50)) yield* store.delete(key, revision, body(""))
          // Durable changes, of which a history is kept.
          yield* Effect.forEach(pods.keys(), (i) =>
            Effect.map(
              store.update(`/pods/${i}`, pods[i] ?? 0, body(filler), {
                origin: { at: 0, user: "ada", verb: "update", ...(beat % 4 === 0 ? {} : { subresource: "status" }) }
              }),
              ({ revision }) => {
                pods[i] = revision
              }
            ), atOnce)
          yield* TestClock.adjust("4 hours")
          if (beat % beatsPerDay === beatsPerDay - 1) sizes.push(size())
        }
        const page = yield* store.range({ prefix: "/leases/" })
        assert.strictEqual(page.items.length, nodes)
        assert.strictEqual((yield* store.range({ prefix: "/events/" })).items.length, 50)
        // The history of pods is full after some days; what comes then takes the place of what goes.
        const early = Math.max(...sizes.slice(3, 10))
        const late = Math.max(...sizes.slice(-7))
        assert.isAtMost(late, early * 1.1, sizes.map((bytes) => Math.round(bytes / 1024)).join(" "))
      }).pipe(Effect.provide(Layer.provideMerge(Compaction.layer({ interval: "1 hour" }), store)))
    }), { timeout: 60_000 })
})
