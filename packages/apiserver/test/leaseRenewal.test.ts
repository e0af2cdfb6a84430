/** Renewals of leases, which go a shorter way than other writes: they leave what the usual way leaves. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import * as ApiServer from "../src/ApiServer.js"
import { admin, call, layerApi } from "./support/api.js"

const url = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1"
const timeOf = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, "0")}.000000Z`
const lease = (second: number, resourceVersion?: string, spec: object = {}) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: "n1", namespace: "kube-node-lease", ...(resourceVersion === undefined ? {} : { resourceVersion }) },
  spec: { holderIdentity: "n1", leaseDurationSeconds: 40, renewTime: timeOf(second), ...spec }
})

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** As a port gives it to the API: the body is there. `usual`: written so that it goes the usual way. */
const put = Effect.fn(function*(body: unknown, { agent = "agent/1", usual = false }: { readonly agent?: string; readonly usual?: boolean } = {}) {
  const api = yield* ApiServer.ApiServer
  const text = typeof body === "string" ? body : JSON.stringify(body, null, usual ? 1 : 0)
  const response = yield* api.handle({
    method: "PUT",
    url,
    headers: { "content-type": "application/json", "user-agent": agent },
    body: Effect.succeed(encoder.encode(text)),
    user: admin
  })
  assert.instanceOf(response.body, Uint8Array)
  const json = JSON.parse(decoder.decode(response.body))
  return { status: response.status, json, version: json.metadata.resourceVersion as string }
})

type Lease = Readonly<Record<string, unknown>> & { readonly metadata: Readonly<Record<string, unknown>> & { readonly managedFields: ReadonlyArray<{ readonly time: string }> } }

const withoutVersions = ({ metadata: { creationTimestamp: _, resourceVersion: __, uid: ___, ...metadata }, ...rest }: Lease) => ({ ...rest, metadata })

/** Renews some times, as told, and gives all answers without what no two leases share. */
const renewals = (usual: boolean, echo: boolean) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(0)
    let last = yield* put(lease(1), { usual })
    const answers = [withoutVersions(last.json)]
    for (let second = 2; second < 8; second++) {
      yield* TestClock.adjust("10 seconds")
      const body = echo ? { ...last.json, spec: { ...last.json.spec, renewTime: timeOf(second) } } : lease(second, last.version)
      last = yield* put(body, { usual })
      assert.strictEqual(last.status, 200)
      answers.push(withoutVersions(last.json))
      assert.deepStrictEqual((yield* call("GET", url)).json, last.json)
    }
    return answers
  }).pipe(Effect.provide(layerApi))

describe("renewals", () => {
  it.effect("leave what other writes leave, owners and their times too", () =>
    Effect.gen(function*() {
      for (const echo of [false, true]) {
        const answers = yield* renewals(false, echo)
        assert.deepStrictEqual(answers, yield* renewals(true, echo))
        const times = answers.map(({ metadata }) => metadata.managedFields[0]?.time)
        assert.strictEqual(new Set(times).size, answers.length)
      }
    }))

  it.effect("conflict when they name another version, whatever came in between", () =>
    Effect.gen(function*() {
      const first = yield* put(lease(1))
      const second = yield* put(lease(2, first.version))
      assert.strictEqual((yield* put(lease(3, first.version))).status, 409)
      yield* call("PATCH", url, { type: "application/merge-patch+json", body: { metadata: { labels: { a: "1" } } } })
      assert.strictEqual((yield* put(lease(3, second.version))).status, 409)
      const current = (yield* call("GET", url)).json
      const third = yield* put(lease(3, current.metadata.resourceVersion))
      // A PUT replaces: what the patch has added is gone.
      assert.strictEqual(third.status, 200)
      assert.isUndefined(third.json.metadata.labels)
      yield* call("DELETE", url)
      assert.strictEqual((yield* put(lease(4, third.version))).status, 404)
    }).pipe(Effect.provide(layerApi)))

  it.effect("are refused as other writes are, and leave what else they change to the usual way", () =>
    Effect.gen(function*() {
      const first = yield* put(lease(1))
      const second = yield* put(lease(2, first.version))
      assert.strictEqual((yield* put(JSON.stringify(lease(3, second.version)).replace(timeOf(3), "yesterday"))).status, 400)
      assert.strictEqual((yield* put(lease(3, second.version, { leaseDurationSeconds: -1 }))).status, 422)
      const other = yield* put(lease(3, second.version, { holderIdentity: "n2" }))
      assert.strictEqual(other.json.spec.holderIdentity, "n2")
      // Another manager takes the field over.
      const taken = yield* put(lease(4, other.version, { holderIdentity: "n2" }), { agent: "other/1" })
      const owners: ReadonlyArray<{ readonly manager: string; readonly fieldsV1: { readonly "f:spec"?: Record<string, unknown> } }> = taken.json.metadata.managedFields
      assert.deepStrictEqual(owners.filter(({ fieldsV1 }) => fieldsV1["f:spec"]?.["f:renewTime"] !== undefined).map(({ manager }) => manager), ["other"])
      const again = yield* put(lease(5, taken.version, { holderIdentity: "n2" }))
      assert.strictEqual(again.status, 200)
      assert.strictEqual(again.json.spec.renewTime, timeOf(5))
      // A field of that name elsewhere is none.
      const strange = JSON.stringify({ ...lease(6, again.version, { holderIdentity: "n2" }), metadata: { ...lease(6, again.version).metadata, annotations: { renewTime: timeOf(6) } } })
      assert.deepStrictEqual((yield* put(strange)).json.metadata.annotations, { renewTime: timeOf(6) })
    }).pipe(Effect.provide(layerApi)))
})
