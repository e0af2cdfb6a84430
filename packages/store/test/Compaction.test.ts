import { assert, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { Compaction, ObjectStore } from "../src/index.js"

const settle = Effect.repeatN(Effect.yieldNow(), 50)

it.effect("drops superseded versions when they are older than the retention, and never younger ones", () =>
  Effect.gen(function*() {
    const store = yield* ObjectStore.ObjectStore
    const encode = (revision: number) => ({ bytes: new TextEncoder().encode(String(revision)) })
    let revision = (yield* store.create("/core/configmaps/default/a", encode)).revision
    for (let minute = 0; minute < 20; minute++) {
      revision = (yield* store.update("/core/configmaps/default/a", revision, encode)).revision
      yield* TestClock.adjust("1 minute")
      yield* settle
      const compacted = yield* store.compactedRevision
      // One write a minute: at least the last five and at most the last seven minutes are there.
      assert.isAtMost(compacted, Math.max(0, revision - 5))
      assert.isAtLeast(compacted, Math.max(0, revision - 7))
    }
    assert.lengthOf((yield* store.range({ prefix: "/" })).items, 1)
  }).pipe(Effect.provide(Compaction.layer({ retention: "5 minutes", interval: "1 minute" }).pipe(Layer.provideMerge(ObjectStore.layerMemory)))))
