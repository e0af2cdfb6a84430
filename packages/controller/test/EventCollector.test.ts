import { Kinds } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, FakeApi } from "@reddwarf/client"
import { EventCollector } from "@reddwarf/controller"
import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"

const object = { kind: "ConfigMap", apiVersion: "v1", namespace: "default", name: "thing" }

const reasons = Effect.map(FakeApi.FakeApi, (server) => server.list(Kinds.event).map((event) => event.reason ?? "").sort())

describe("EventCollector", () => {
  it.scoped("removes events an hour after they last happened", () =>
    Effect.gen(function*() {
      const recorder = yield* EventRecorder.make({ component: "tester" })
      yield* recorder.event(object, "Normal", "Once", "it happened")
      yield* recorder.event(object, "Normal", "Again", "it happened")
      yield* EventCollector.run()
      yield* TestClock.adjust("50 minutes")
      yield* recorder.event(object, "Normal", "Again", "it happened")
      yield* TestClock.adjust("15 minutes")
      assert.deepStrictEqual(yield* reasons, ["Again"])
      yield* TestClock.adjust("50 minutes")
      assert.deepStrictEqual(yield* reasons, [])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("removes a bounded number in each pass", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      for (let n = 0; n < 30; n++) {
        yield* client.create(Kinds.event, { metadata: { name: `e${n}`, namespace: "default" }, involvedObject: object, reason: "Old", message: "", type: "Normal" })
      }
      yield* TestClock.adjust("2 hours")
      yield* EventCollector.run({ maxRemovals: 20 })
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* reasons).length, 10)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* reasons).length, 0)
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("keeps no more events than it may, and those that happened last", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      for (let n = 0; n < 12; n++) {
        yield* client.create(Kinds.event, { metadata: { name: `e${n}`, namespace: "default" }, involvedObject: object, reason: `R${n}`, message: "", type: "Normal" })
        yield* TestClock.adjust("10 seconds")
      }
      yield* EventCollector.run({ maxEvents: 3 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* reasons, ["R10", "R11", "R9"])
    }).pipe(Effect.provide(FakeApi.layer())))

  it.scoped("keeps so many of one namespace that the others have room", () =>
    Effect.gen(function*() {
      const client = yield* ApiClient.ApiClient
      for (let n = 1; n <= 6; n++) {
        const namespace = n <= 4 ? "default" : "kube-system"
        const object = { kind: "Pod", namespace, name: "p" }
        yield* client.create(Kinds.event, { metadata: { name: `e${n}`, namespace }, involvedObject: object, reason: `R${n}`, message: "", type: "Normal" })
        yield* TestClock.adjust("10 seconds")
      }
      yield* EventCollector.run({ maxPerNamespace: 2 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* reasons, ["R3", "R4", "R5", "R6"])
    }).pipe(Effect.provide(FakeApi.layer())))
})
