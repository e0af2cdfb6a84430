import { assert, describe, it } from "@effect/vitest"
import { FakeApi } from "@reddwarf/client"
import { Effect, HashMap, Logger } from "effect"
import { Scheduler } from "../src/index.js"
import * as fake from "./support/fakeCluster.js"
import { node, pod } from "./support/objects.js"

const forbidden = { status: 403, headers: { "content-type": "application/json" }, body: new TextEncoder().encode("{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"Forbidden\",\"code\":403}") }

describe("a scheduler that starts", () => {
  it.effect("places nothing before it knows the cluster, and says what it misses", () =>
    Effect.gen(function*() {
      const api = yield* FakeApi.FakeApi
      const said: Array<string> = []
      const logger = Logger.make(({ annotations, message }) => {
        if (String(message).startsWith("no pod is placed yet")) said.push(String(HashMap.unsafeGet(annotations, "missing")))
      })
      yield* fake.createNode(node("n"))
      let denied = true
      api.injectFaults(({ method, path }) =>
        denied && method === "GET" && /\/(namespaces|services)\?/.test(path) ? { type: "response", response: forbidden } : undefined)
      const scheduler = yield* Effect.provide(Scheduler.make(), Logger.add(logger))
      yield* fake.createPod(pod("p"))
      yield* fake.pass(25)
      assert.deepStrictEqual(said, [])
      yield* fake.pass(10)
      assert.deepStrictEqual(said, ["namespaces, services"])
      assert.isUndefined((yield* fake.stored("p"))?.spec?.nodeName)
      assert.strictEqual(scheduler.explain("default/p")._tag, "NotReady")
      denied = false
      yield* fake.pass(45)
      assert.strictEqual(yield* fake.nodeOf("p"), "n")
      assert.isAtMost(said.length, 2)
    }).pipe(Effect.scoped, Effect.provide(FakeApi.layer())))
})
