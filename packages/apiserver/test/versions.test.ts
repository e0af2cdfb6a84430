/** Kinds that are served in several versions: one set of objects, shown in each. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { call, layerApi, merge, table, watch } from "./support/api.js"

const v1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
const v2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers"
const target = { apiVersion: "apps/v1", kind: "Deployment", name: "web" }

describe("HorizontalPodAutoscaler", () => {
  it.effect("of autoscaling/v1 is one of autoscaling/v2 with a metric for CPU", () =>
    Effect.gen(function*() {
      const body = { metadata: { name: "web" }, spec: { scaleTargetRef: target, maxReplicas: 5, targetCPUUtilizationPercentage: 60 } }
      const created = yield* call("POST", v1, { body })
      assert.strictEqual(created.status, 201, created.text)
      assert.strictEqual(created.json.apiVersion, "autoscaling/v1")
      assert.strictEqual(created.json.spec.minReplicas, 1)
      const newer = (yield* call("GET", `${v2}/web`)).json
      assert.strictEqual(newer.apiVersion, "autoscaling/v2")
      assert.strictEqual(newer.metadata.uid, created.json.metadata.uid)
      assert.strictEqual(newer.metadata.resourceVersion, created.json.metadata.resourceVersion)
      assert.deepStrictEqual(newer.spec.metrics, [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } } }
      ])
      assert.strictEqual((yield* call("GET", `${v1}/web`)).json.spec.targetCPUUtilizationPercentage, 60)
      const patched = yield* call("PATCH", `${v1}/web`, { type: merge, body: { spec: { targetCPUUtilizationPercentage: 70 } } })
      assert.strictEqual(patched.status, 200, patched.text)
      assert.strictEqual(patched.json.metadata.generation, 2)
      const list = (yield* call("GET", v2)).json
      assert.strictEqual(list.items[0].spec.metrics[0].resource.target.averageUtilization, 70)
      const rows = (yield* call("GET", v1, { accept: table })).json.rows
      assert.deepStrictEqual(rows[0].cells.slice(0, 6), ["web", "Deployment/web", "cpu: <unknown>/70%", "1", 5, 0])
      assert.strictEqual((yield* call("DELETE", `${v1}/web`)).status, 200)
      assert.strictEqual((yield* call("GET", `${v2}/web`)).status, 404)
    }).pipe(Effect.provide(layerApi)))

  it.effect("keeps other metrics through the old version", () =>
    Effect.gen(function*() {
      const metrics = [
        { type: "Pods", pods: { metric: { name: "packets" }, target: { type: "AverageValue", averageValue: "1k" } } }
      ]
      const body = { metadata: { name: "web" }, spec: { scaleTargetRef: target, maxReplicas: 5, metrics, behavior: { scaleDown: { selectPolicy: "Min" } } } }
      assert.strictEqual((yield* call("POST", v2, { body })).status, 201)
      const patched = yield* call("PATCH", `${v1}/web`, { type: merge, body: { spec: { maxReplicas: 6 } } })
      assert.strictEqual(patched.status, 200, patched.text)
      const { spec } = (yield* call("GET", `${v2}/web`)).json
      assert.strictEqual(spec.maxReplicas, 6)
      assert.deepStrictEqual(spec.metrics, metrics)
      assert.strictEqual(spec.behavior.scaleDown.selectPolicy, "Min")
    }).pipe(Effect.provide(layerApi)))
})

describe("lists in another version", () => {
  it.effect("go on from page to page, also in a state of the past", () =>
    Effect.gen(function*() {
      for (const name of ["a", "b", "c"]) {
        yield* call("POST", v2, { body: { metadata: { name }, spec: { scaleTargetRef: target, maxReplicas: 5 } } })
      }
      const first = (yield* call("GET", `${v1}?limit=2`)).json
      assert.strictEqual(first.kind, "HorizontalPodAutoscalerList")
      assert.strictEqual(first.apiVersion, "autoscaling/v1")
      yield* call("PATCH", `${v2}/c`, { type: merge, body: { spec: { maxReplicas: 9 } } })
      const second = (yield* call("GET", `${v1}?limit=2&continue=${first.metadata.continue}`)).json
      const items = [...first.items, ...second.items]
      assert.deepStrictEqual(items.map(({ metadata, spec }) => [metadata.name, spec.maxReplicas, spec.targetCPUUtilizationPercentage]), [
        ["a", 5, 80],
        ["b", 5, 80],
        ["c", 5, 80]
      ])
      const applied = yield* call("PATCH", `${v1}/a?fieldManager=m`, {
        type: "application/apply-patch+yaml",
        body: { apiVersion: "autoscaling/v1", kind: "HorizontalPodAutoscaler", metadata: { name: "a" }, spec: { scaleTargetRef: target, maxReplicas: 7 } }
      })
      assert.strictEqual(applied.status, 409, applied.text)
    }).pipe(Effect.provide(layerApi)))
})

describe("Event", () => {
  const core = "/api/v1/namespaces/default/events"
  const group = "/apis/events.k8s.io/v1/namespaces/default/events"
  const body = {
    metadata: { name: "e1" },
    eventTime: "2026-01-01T00:00:00.000001Z",
    reportingController: "example.com/agent",
    reportingInstance: "agent-1",
    action: "Binding",
    reason: "Scheduled",
    regarding: { kind: "Pod", name: "p", namespace: "default" },
    note: "text",
    type: "Normal"
  }

  it.scoped("is the same object in both groups", () =>
    Effect.gen(function*() {
      const seen = yield* watch(`${group}?watch=1&resourceVersion=0`)
      const created = yield* call("POST", group, { body })
      assert.strictEqual(created.status, 201, created.text)
      const other = (yield* call("GET", `${core}/e1`)).json
      assert.strictEqual(other.apiVersion, "v1")
      assert.strictEqual(other.message, "text")
      assert.deepStrictEqual(other.involvedObject, body.regarding)
      assert.strictEqual(other.reportingComponent, "example.com/agent")
      const old = { metadata: { name: "e2" }, involvedObject: body.regarding, message: "m", reason: "R", type: "Warning", count: 3, firstTimestamp: "2026-01-01T00:00:00Z" }
      assert.strictEqual((yield* call("POST", core, { body: old })).status, 201)
      const events = yield* seen.until(2)
      assert.deepStrictEqual(events.map(({ object, type }) => [type, object.apiVersion, object.note]), [
        ["ADDED", "events.k8s.io/v1", "text"],
        ["ADDED", "events.k8s.io/v1", "m"]
      ])
      assert.strictEqual(events[1]?.object.deprecatedCount, 3)
      assert.isNull(events[1]?.object.eventTime)
      const found = (yield* call("GET", `${group}?fieldSelector=regarding.name%3Dp,type%3DNormal`)).json
      assert.lengthOf(found.items, 1)
      assert.strictEqual((yield* call("GET", `${group}?fieldSelector=involvedObject.name%3Dp`)).status, 400)
    }).pipe(Effect.provide(layerApi)))

  it.effect("keeps the stricter rules of the newer group", () =>
    Effect.gen(function*() {
      const { eventTime: _, ...without } = body
      const refused = yield* call("POST", group, { body: without })
      assert.strictEqual(refused.status, 422)
      assert.match(refused.json.message, /eventTime: Required value/)
      assert.strictEqual((yield* call("POST", group, { body: { ...body, deprecatedCount: 2 } })).status, 422)
    }).pipe(Effect.provide(layerApi)))
})

describe("discovery", () => {
  it.effect("names the preferred version first", () =>
    Effect.gen(function*() {
      const { json } = yield* call("GET", "/apis/autoscaling")
      assert.deepStrictEqual(json.versions.map(({ version }: { readonly version: string }) => version), ["v2", "v1"])
      assert.strictEqual(json.preferredVersion.version, "v2")
    }).pipe(Effect.provide(layerApi)))
})
