import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import * as waiting from "vitest-config/waiting"
import * as ServerRecords from "../src/ServerRecords.js"
import { call, layerApi, merge } from "./support/api.js"

const leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
const config = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"

const layer = Layer.provideMerge(ServerRecords.layer({ clientAuthority: "PEM", host: "olive" }), layerApi)

/** Waits until an answer is as it should be. */
const until = (url: string, holds: (json: Record<string, Record<string, unknown>>) => boolean) =>
  waiting.until(url, Effect.map(call("GET", url), (answer) => answer.status === 200 && holds(answer.json) && answer))

describe("a server", () => {
  it.effect("says that it is alive, and whose certificates are good", () =>
    Effect.gen(function*() {
      const name = ServerRecords.identityOf("olive")
      assert.match(name, /^apiserver-[a-z2-7]{26}$/)
      const first = yield* until(`${leases}/${name}`, () => true)
      assert.strictEqual(first.json.metadata.labels["apiserver.kubernetes.io/identity"], "kube-apiserver")
      assert.match(first.json.spec.holderIdentity, new RegExp(`^${name}_`))
      assert.strictEqual(first.json.spec.leaseDurationSeconds, 3600)
      yield* TestClock.adjust("10 seconds")
      yield* until(`${leases}/${name}`, (json) => json["spec"]?.["renewTime"] !== first.json.spec.renewTime)
      yield* until(config, (json) => json["data"]?.["client-ca-file"] === "PEM")
      yield* call("PATCH", config, { type: merge, body: { data: { "client-ca-file": "wrong" } } })
      yield* TestClock.adjust("10 seconds")
      yield* until(config, (json) => json["data"]?.["client-ca-file"] === "PEM")
    }).pipe(Effect.provide(layer)))
})
