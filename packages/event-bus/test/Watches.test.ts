import { assert, describe, it } from "@effect/vitest"
import { EventBusMetrics, type WatchCache } from "@reddwarf/event-bus"
import { Effect, Exit, FastCheck, Fiber, Metric, Scope } from "effect"
import { effect, json, layer, pod, services, shown } from "./support/cache.js"

describe("watches", () => {
  effect(
    "show what happens from now on under their prefix",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const before = yield* store.create(pod("a"), json("a"))
      const inDefault = yield* cache.watch({ prefix: "/core/pods/default/" })
      const ofPods = yield* cache.watch({ prefix: "/core/pods/" })
      const ofNodes = yield* cache.watch({ prefix: "/core/nodes/" })
      const ofAll = yield* cache.watch({ prefix: "/" })
      yield* store.create(pod("b", "other"), json("b"))
      yield* store.create("/core/nodes/n1", json("n1"))
      const updated = yield* store.update(pod("a"), before.revision, json("a"))
      yield* store.delete(pod("a"), updated.revision, json("a"))
      const events = yield* inDefault.takeAll
      assert.deepStrictEqual(shown(events), [`MODIFIED ${pod("a")} 4`, `DELETED ${pod("a")} 5`])
      assert.deepStrictEqual(events.map((event) => event.previous?.revision), [1, 4])
      assert.deepStrictEqual(events[1]?.entry.object, { name: "a", resourceVersion: "5" })
      assert.strictEqual((yield* ofPods.takeAll).length, 3)
      assert.deepStrictEqual(shown(yield* ofNodes.takeAll), ["ADDED /core/nodes/n1 3"])
      assert.strictEqual((yield* ofAll.takeAll).length, 4)
    })
  )

  effect(
    "go on after a revision, from history into the live events",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      for (const name of ["a", "b", "c"]) yield* store.create(pod(name), json(name))
      yield* store.create("/core/nodes/n1", json("n1"))
      const watcher = yield* cache.watch({ prefix: "/core/pods/", after: 1 })
      const group = yield* cache.watch({ prefix: "/core/", after: 2 })
      yield* store.create(pod("d"), json("d"))
      assert.deepStrictEqual(shown(yield* watcher.takeAll), [`ADDED ${pod("b")} 2`, `ADDED ${pod("c")} 3`])
      assert.deepStrictEqual(shown(yield* watcher.takeAll), [`ADDED ${pod("d")} 5`])
      assert.deepStrictEqual(shown(yield* group.takeAll), [`ADDED ${pod("c")} 3`, "ADDED /core/nodes/n1 4"])
    })
  )

  effect(
    "wait for the next event when history has none for them",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      yield* store.create("/core/nodes/n1", json("n1"))
      const watcher = yield* cache.watch({ prefix: "/core/pods/", after: 0 })
      const taken = yield* Effect.fork(watcher.takeAll)
      yield* store.create(pod("a"), json("a"))
      assert.deepStrictEqual(shown(yield* Fiber.join(taken)), [`ADDED ${pod("a")} 2`])
    })
  )

  effect(
    "can begin with the current entries, whatever their number",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      for (const name of ["c", "a", "b"]) yield* store.create(pod(name), json(name))
      const watcher = yield* cache.watch({ prefix: "/core/pods/", initial: true, capacity: 1 })
      const empty = yield* cache.watch({ prefix: "/core/nodes/", initial: true })
      yield* store.create(pod("d"), json("d"))
      assert.strictEqual(watcher.startRevision, 3)
      assert.deepStrictEqual(shown(yield* watcher.takeAll), [`ADDED ${pod("a")} 2`, `ADDED ${pod("b")} 3`, `ADDED ${pod("c")} 1`])
      assert.deepStrictEqual(shown(yield* watcher.takeAll), [`ADDED ${pod("d")} 4`])
      assert.deepStrictEqual(yield* empty.takeAll, [])
    })
  )

  effect(
    "are refused when history does not reach back, or the revision lies ahead",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      for (let i = 0; i < 10; i++) yield* store.create(pod(`${i}`), json("x"))
      assert.strictEqual(cache.oldestRevision(), 7)
      const expired = yield* Effect.flip(cache.watch({ prefix: "/core/pods/", after: 6 }))
      assert.deepInclude(expired, { _tag: "WatchExpired", requested: 6, oldest: 7, reason: "History" })
      assert.strictEqual(expired.message, "too old resource version: 6 (7)")
      const watcher = yield* cache.watch({ prefix: "/core/pods/", after: 7 })
      assert.strictEqual((yield* watcher.takeAll).length, 3)
      const ahead = yield* Effect.flip(cache.watch({ prefix: "/core/pods/", after: 11 }))
      assert.deepInclude(ahead, { _tag: "RevisionTooLarge", requested: 11, current: 10 })
    }),
    { historyEvents: 3 }
  )

  effect(
    "share one encoding per event, whose bytes count towards the history",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const first = yield* cache.watch({ prefix: "/" })
      const second = yield* cache.watch({ prefix: "/core/" })
      yield* store.create(pod("a"), () => ({ bytes: new Uint8Array(100) }))
      let made = 0
      const make = () => {
        made++
        return new Uint8Array(600)
      }
      const bytes = [...yield* first.takeAll, ...yield* second.takeAll].map((event) => event.encoded("json", make))
      assert.strictEqual(made, 1)
      assert.strictEqual(bytes[0], bytes[1])
      assert.strictEqual(cache.oldestRevision(), 0)
      yield* store.create(pod("b"), () => ({ bytes: new Uint8Array(400) }))
      assert.strictEqual(cache.oldestRevision(), 1)
    }),
    { historyBytes: 1000 }
  )

  effect(
    "take only what their filter lets through",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      yield* store.create(pod("a1"), json("a"))
      const filter = (event: WatchCache.CacheEvent) => event.key.includes("/a")
      const live = yield* cache.watch({ prefix: "/core/pods/", filter, capacity: 1 })
      const replay = yield* cache.watch({ prefix: "/core/pods/", filter, after: 0 })
      for (const name of ["b", "c", "a2"]) yield* store.create(pod(name), json(name))
      assert.deepStrictEqual(shown(yield* live.takeAll), [`ADDED ${pod("a2")} 4`])
      assert.deepStrictEqual(shown(yield* replay.takeAll), [`ADDED ${pod("a1")} 1`])
    })
  )

  effect(
    "end with the defect of their filter, which does not reach the writer",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const defect = new Error("bug of a filter")
      const watcher = yield* cache.watch({
        prefix: "/",
        filter: () => {
          throw defect
        }
      })
      yield* store.create(pod("a"), json("a"))
      assert.deepStrictEqual(yield* Effect.exit(watcher.takeAll), Exit.die(defect))
    })
  )

  effect(
    "tell which revision may be bookmarked",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      yield* store.create(pod("a"), json("a"))
      yield* store.create(pod("b"), json("b"))
      const watcher = yield* cache.watch({ prefix: "/core/pods/", after: 0 })
      const initial = yield* cache.watch({ prefix: "/core/pods/", initial: true })
      assert.strictEqual(watcher.bookmark(), 0)
      assert.strictEqual(initial.bookmark(), 0)
      yield* watcher.takeAll
      yield* initial.takeAll
      assert.strictEqual(watcher.bookmark(), 2)
      // Others' changes move the bookmark of a watcher that has nothing waiting.
      yield* store.create("/core/nodes/n1", json("n1"))
      assert.deepStrictEqual([watcher.bookmark(), initial.bookmark()], [3, 3])
      yield* store.create(pod("c"), json("c"))
      yield* store.create("/core/nodes/n2", json("n2"))
      assert.deepStrictEqual([watcher.bookmark(), initial.bookmark()], [2, 2])
      yield* watcher.takeAll
      assert.strictEqual(watcher.bookmark(), 5)
    })
  )

  effect(
    "can be taken without an effect",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const scope = yield* Scope.make()
      const watcher = yield* Scope.extend(cache.watch({ prefix: "/core/pods/" }), scope)
      let calls = 0
      const forget = watcher.whenReady(() => calls++)
      assert.deepStrictEqual([watcher.takeNow(), watcher.ended()], [[], undefined])
      yield* store.create(pod("a"), json("a"))
      yield* store.create(pod("b"), json("b"))
      assert.strictEqual(calls, 1)
      // There is something to take, so the answer comes at once.
      watcher.whenReady(() => calls++)
      assert.strictEqual(calls, 2)
      assert.deepStrictEqual(shown(watcher.takeNow()), [`ADDED ${pod("a")} 1`, `ADDED ${pod("b")} 2`])
      assert.deepStrictEqual(watcher.takeNow(), [])
      forget()
      watcher.whenReady(() => calls++)()
      yield* store.create(pod("c"), json("c"))
      assert.strictEqual(calls, 2)
      watcher.takeNow()
      watcher.whenReady(() => calls++)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(calls, 3)
      assert.isTrue(Exit.isInterrupted(watcher.ended() ?? Exit.void))
    })
  )

  effect(
    "can be looked at, and taken in parts",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      for (const name of ["a", "b"]) yield* store.create(pod(name), json(name))
      const initial = yield* cache.watch({ prefix: "/core/pods/", initial: true })
      const watcher = yield* cache.watch({ prefix: "/core/pods/" })
      for (const name of ["c", "d", "e"]) yield* store.create(pod(name), json(name))
      assert.deepStrictEqual(shown(watcher.waiting()), ["c", "d", "e"].map((name, i) => `ADDED ${pod(name)} ${i + 3}`))
      assert.deepStrictEqual(shown(watcher.takeNow(2)), [`ADDED ${pod("c")} 3`, `ADDED ${pod("d")} 4`])
      assert.deepStrictEqual([watcher.bookmark(), watcher.waiting().length], [4, 1])
      assert.deepStrictEqual(shown(watcher.takeNow(2)), [`ADDED ${pod("e")} 5`])
      assert.deepStrictEqual([watcher.bookmark(), watcher.waiting()], [5, []])
      // The current state is in no order: nobody can go on from within it.
      assert.deepStrictEqual(shown(initial.takeNow(1)), [`ADDED ${pod("a")} 1`])
      assert.strictEqual(initial.bookmark(), 0)
      assert.deepStrictEqual(shown(initial.takeNow(1)), [`ADDED ${pod("b")} 2`])
      assert.strictEqual(initial.bookmark(), 2)
      assert.strictEqual(initial.takeNow().length, 3)
    })
  )

  effect(
    "end with their scope",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const scope = yield* Scope.make()
      const watcher = yield* Scope.extend(cache.watch({ prefix: "/" }), scope)
      yield* Scope.close(scope, Exit.void)
      yield* store.create(pod("a"), json("a"))
      assert.isTrue(Exit.isInterrupted(yield* Effect.exit(watcher.takeAll)))
    })
  )
})

describe("a slow watcher", () => {
  effect(
    "is ended, while a thousand others get every event",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const capacity = 16
      const stalled = yield* cache.watch({ prefix: "/core/pods/", capacity })
      const others = yield* Effect.replicateEffect(cache.watch({ prefix: "/core/pods/", capacity }), 1_000)
      const received = others.map(() => 0)
      for (let i = 0; i < 40; i++) {
        yield* store.create(pod(`${i}`), json("x"))
        for (const [at, watcher] of others.entries()) received[at] = (received[at] ?? 0) + (yield* watcher.takeAll).length
      }
      assert.isTrue(received.every((count) => count === 40))
      // What was queued before is still given out, without a gap; then comes the reason.
      const events = yield* stalled.takeAll
      assert.deepStrictEqual(events.map((event) => event.revision), Array.from({ length: capacity }, (_, i) => i + 1))
      const error = yield* Effect.flip(stalled.takeAll)
      assert.deepInclude(error, { _tag: "WatchExpired", requested: capacity, oldest: 0, reason: "Slow" })
      // It may go on where it was cut off.
      const again = yield* cache.watch({ prefix: "/core/pods/", after: error.requested, capacity })
      assert.strictEqual((yield* again.takeAll).length, 40 - capacity)
    })
  )
})

describe("any watcher", () => {
  const write = FastCheck.record({ key: FastCheck.constantFrom(pod("a"), pod("b"), pod("a", "x"), "/core/nodes/n"), remove: FastCheck.boolean() })
  const open = FastCheck.record({
    prefix: FastCheck.constantFrom("/", "/core/", "/core/pods/", "/core/pods/default/"),
    at: FastCheck.nat({ max: 40 }),
    back: FastCheck.nat({ max: 20 }),
    initial: FastCheck.boolean()
  })

  it.effect.prop("sees each change under its prefix once, in order, and ends with the state of the cache", [
    FastCheck.array(write, { maxLength: 40 }),
    FastCheck.array(open, { maxLength: 6 })
  ], ([writes, opens]) =>
    Effect.scoped(Effect.gen(function*() {
      const { store, cache } = yield* services
      const watchers: Array<{ readonly open: (typeof opens)[number]; readonly watcher: WatchCache.Watcher; readonly from: number }> = []
      for (let i = 0; i <= writes.length; i++) {
        for (const open of opens.filter((open) => Math.min(open.at, writes.length) === i)) {
          const from = open.initial ? cache.revision() : Math.max(0, cache.revision() - open.back)
          const start = open.initial ? { initial: true } : { after: from }
          watchers.push({ open, from, watcher: yield* cache.watch({ prefix: open.prefix, ...start }) })
        }
        const write = writes[i]
        if (write === undefined) continue
        const current = cache.get(write.key)
        if (current === undefined) yield* store.create(write.key, json("x"))
        else if (write.remove) yield* store.delete(write.key, current.revision, json("x"))
        else yield* store.update(write.key, current.revision, json("x"))
      }
      const changes = yield* store.changesAfter(0)
      for (const { open, watcher, from } of watchers) {
        const initial = open.initial ? yield* watcher.takeAll : []
        const expected = changes.filter((change) => change.revision > from && change.key.startsWith(open.prefix))
        const events: Array<WatchCache.CacheEvent> = []
        while (events.length < expected.length) events.push(...yield* watcher.takeAll)
        assert.deepStrictEqual(events.map((event) => event.revision), expected.map((change) => change.revision))
        assert.strictEqual(watcher.bookmark(), cache.revision())
        if (!open.initial) continue
        const state = new Map(initial.map((event) => [event.key, event.revision]))
        for (const event of events) {
          if (event.type === "DELETED") state.delete(event.key)
          else state.set(event.key, event.revision)
        }
        const listed = new Map(cache.list(open.prefix).map((entry) => [entry.key, entry.revision]))
        assert.deepStrictEqual(Object.fromEntries(state), Object.fromEntries(listed))
      }
    })).pipe(Effect.provide(layer())), { fastCheck: { numRuns: 150 } })
})

describe("metrics", () => {
  effect(
    "count what goes through the cache",
    Effect.gen(function*() {
      const { store, cache } = yield* services
      const events = (yield* Metric.value(EventBusMetrics.events)).count
      const expired = (yield* Metric.value(EventBusMetrics.expired)).count
      yield* cache.watch({ prefix: "/core/pods/", capacity: 1 })
      yield* cache.watch({ prefix: "/core/pods/", capacity: 2 })
      assert.strictEqual((yield* Metric.value(EventBusMetrics.watchers)).value, 2)
      for (const name of ["a", "b"]) yield* store.create(pod(name), json(name))
      assert.strictEqual((yield* Metric.value(EventBusMetrics.events)).count, events + 2)
      assert.strictEqual((yield* Metric.value(EventBusMetrics.expired)).count, expired + 1)
      assert.strictEqual((yield* Metric.value(EventBusMetrics.watchers)).value, 1)
    })
  )
})
