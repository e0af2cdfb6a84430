import { Kinds } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope, TestClock } from "effect"

const createObject = Effect.flatMap(ApiClient.ApiClient, (client) =>
  client.create(Kinds.configMap, { metadata: { name: "thing", namespace: "default" } }))

const settle = TestClock.adjust("1 millis")

describe("EventRecorder", () => {
  it.scoped("writes an Event that names its object, and counts repetitions", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      const object = yield* createObject
      const recorder = yield* EventRecorder.make({ component: "tester", host: "n1" })
      yield* recorder.event(object, "Warning", "Broken", "it does not work")
      yield* TestClock.adjust("5 seconds")
      yield* recorder.event(object, "Warning", "Broken", "it does not work")
      yield* recorder.event(object, "Normal", "Fixed", "it works")
      yield* settle
      const [broken, fixed] = server.list(Kinds.event).toSorted((a, b) => (a.reason ?? "").localeCompare(b.reason ?? ""))
      assert.match(broken?.metadata.name ?? "", /^thing\.[0-9a-f]+$/)
      assert.deepStrictEqual(
        [broken?.count, broken?.type, broken?.message, broken?.involvedObject.uid, broken?.source, broken?.firstTimestamp, broken?.lastTimestamp],
        [2, "Warning", "it does not work", object.metadata.uid, { component: "tester", host: "n1" }, "1970-01-01T00:00:00Z", "1970-01-01T00:00:05Z"]
      )
      assert.strictEqual(fixed?.count, 1)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("reports as several components, each counted for itself", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      const object = yield* createObject
      const say = Effect.flatMap(EventRecorder.EventRecorder, (recorder) => recorder.event(object, "Normal", "Seen", "it is there"))
      yield* Effect.zipRight(say, EventRecorder.as("other")(Effect.zipRight(say, say)))
      yield* settle
      const found = server.list(Kinds.event).map(({ count, reportingComponent, source }) => [source?.component, reportingComponent, count])
      assert.sameDeepMembers(found, [["tester", "tester", 1], ["other", "other", 2]])
    }).pipe(Effect.provide(EventRecorder.layer({ component: "tester" }).pipe(Layer.provideMerge(FakeApi.layer())))))

  it.scoped("combines many similar messages into one event", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      const object = yield* createObject
      const recorder = yield* EventRecorder.make({ component: "tester" })
      for (let n = 0; n < 15; n++) yield* recorder.event(object, "Normal", "Counted", `number ${n}`)
      yield* settle
      const events = server.list(Kinds.event)
      assert.strictEqual(events.length, 11)
      const combined = events.find((event) => event.message?.startsWith("(combined from similar events): "))
      assert.deepStrictEqual([combined?.count, combined?.message], [5, "(combined from similar events): number 14"])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("lets 25 events of one object through at once, then one in five minutes", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      const object = yield* createObject
      const recorder = yield* EventRecorder.make({ component: "tester" })
      const burst = Effect.forEach(Array.from({ length: 40 }), () => recorder.event(object, "Normal", "Again", "and again"), { discard: true })
      const writes = () => server.requests().filter((request) => request.path.includes("/events")).length
      yield* burst
      yield* settle
      assert.strictEqual(writes(), 25)
      yield* TestClock.adjust("5 minutes")
      yield* burst
      yield* settle
      assert.strictEqual(writes(), 26)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("begins a new Event when the old one has expired", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      const server = yield* FakeApi.FakeApi
      const object = yield* createObject
      const recorder = yield* EventRecorder.make({ component: "tester" })
      yield* recorder.event(object, "Normal", "Again", "and again")
      yield* settle
      yield* client.deleteCollection(Kinds.event, { namespace: "default" })
      yield* recorder.event(object, "Normal", "Again", "and again")
      yield* settle
      assert.deepStrictEqual(server.list(Kinds.event).map((event) => event.count), [1])
      yield* recorder.event(object, "Normal", "Again", "and again")
      yield* settle
      assert.deepStrictEqual(server.list(Kinds.event).map((event) => event.count), [2])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.effect("neither blocks nor fails when the server is away, keeps what fits, and writes it when the server is back", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      const object = yield* createObject
      const scope = yield* Scope.make()
      const recorder = yield* Scope.extend(EventRecorder.make({ component: "tester", capacity: 3 }), scope)
      server.injectFaults(() => ({ type: "fail" }))
      yield* recorder.event(object, "Normal", "First", "taken by the writer")
      yield* TestClock.adjust("1 second")
      for (let n = 0; n < 10; n++) yield* recorder.event(object, "Normal", `Reason${n}`, "queued")
      server.injectFaults(() => undefined)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(server.list(Kinds.event).map((event) => event.reason ?? "").sort(), ["First", "Reason0", "Reason1", "Reason2"])
      yield* Scope.close(scope, Exit.void)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.effect("writes what is waiting when its scope closes, but does not wait for a dead server", () =>
    Effect.gen(function*() {
      const server = yield* FakeApi.FakeApi
      const object = yield* createObject
      yield* Effect.scoped(Effect.flatMap(EventRecorder.make({ component: "tester" }), (recorder) => recorder.event(object, "Normal", "Last", "words")))
      assert.deepStrictEqual(server.list(Kinds.event).map((event) => event.reason), ["Last"])
      server.injectFaults(() => ({ type: "fail" }))
      const closing = yield* Effect.fork(Effect.scoped(
        Effect.flatMap(EventRecorder.make({ component: "tester" }), (recorder) => recorder.event(object, "Normal", "Lost", "words"))
      ))
      yield* TestClock.adjust("6 seconds")
      yield* closing.await
      assert.strictEqual(server.list(Kinds.event).length, 1)
    }).pipe(Effect.provide(FakeApi.layer())))
})
