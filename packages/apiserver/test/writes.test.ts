/** Rules of patches, deletes and scales: what stays as it is, who owns what, what becomes of dependents. */
import { Kind, Kinds } from "@reddwarf/api-types"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { call, configMap, configMaps, layerApi, merge, pod, pods } from "./support/api.js"

const apps = "/apis/apps/v1/namespaces/default"
const deployment = (name: string, replicas = 1) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "c", image: "nginx:1" }] } }
  }
})

const job = (name: string) => ({
  apiVersion: "batch/v1",
  kind: "Job",
  metadata: { name },
  spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "nginx:1" }] } } }
})

describe("patches", () => {
  it.effect("leave alone what they do not touch, and fill in again the defaults that they take away", () =>
    Effect.gen(function*() {
      const patch = (url: string, body: object) => call("PATCH", url, { type: merge, body })
      yield* call("POST", pods, { body: pod("web") })
      const before = (yield* call("GET", `${pods}/web`)).json
      const after = (yield* patch(`${pods}/web`, { metadata: { annotations: { a: "1" } } })).json
      assert.deepStrictEqual([after.spec, after.status, after.metadata.annotations], [before.spec, before.status, { a: "1" }])
      assert.deepStrictEqual((yield* call("GET", `${pods}/web`)).json, after)

      yield* call("POST", `${apps}/deployments`, { body: deployment("web") })
      const { spec } = (yield* call("GET", `${apps}/deployments/web`)).json
      const emptied = yield* patch(`${apps}/deployments/web`, { metadata: { annotations: { a: "1" } }, spec: { strategy: null, replicas: null } })
      assert.deepStrictEqual(emptied.json.spec, spec)

      // A job without labels has those of its pods.
      const jobs = "/apis/batch/v1/namespaces/default/jobs"
      yield* call("POST", jobs, { body: { ...job("once"), metadata: { name: "once", labels: { own: "1" } } } })
      const unlabelled = (yield* patch(`${jobs}/once`, { metadata: { labels: null } })).json
      assert.deepStrictEqual(unlabelled.metadata.labels, unlabelled.spec.template.metadata.labels)
    }).pipe(Effect.provide(layerApi)))
})

describe("scale", () => {
  it.effect("owns the replicas, by update and by apply", () =>
    Effect.gen(function*() {
      yield* call("POST", `${apps}/deployments?fieldManager=one`, { body: deployment("web") })
      yield* call("PATCH", `${apps}/deployments/web/scale?fieldManager=two`, { type: merge, body: { spec: { replicas: 3 } } })
      const entries = (yield* call("GET", `${apps}/deployments/web`)).json.metadata.managedFields
      assert.deepInclude(entries.map(({ time: _, ...entry }: { time: string }) => entry), {
        manager: "two",
        operation: "Update",
        apiVersion: "apps/v1",
        fieldsType: "FieldsV1",
        fieldsV1: { "f:spec": { "f:replicas": {} } },
        subresource: "scale"
      })
      const apply = (query: string) =>
        call("PATCH", `${apps}/deployments/web/scale?${query}`, {
          type: "application/apply-patch+yaml",
          body: { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "web" }, spec: { replicas: 4 } }
        })
      const refused = yield* apply("fieldManager=three")
      assert.strictEqual(
        refused.json.message,
        "Apply failed with 1 conflict: conflict with \"two\" with subresource \"scale\" using apps/v1: .spec.replicas"
      )
      const forced = yield* apply("fieldManager=three&force=true")
      assert.deepStrictEqual([forced.status, forced.json.kind, forced.json.spec.replicas], [200, "Scale", 4])
      const after = (yield* call("GET", `${apps}/deployments/web`)).json
      assert.strictEqual(after.spec.replicas, 4)
      assert.strictEqual(after.metadata.generation, 3)
    }).pipe(Effect.provide(layerApi)))
})

describe("deletion", () => {
  const remove = (url: string, body: object = {}) => call("DELETE", url, { body: { kind: "DeleteOptions", apiVersion: "v1", ...body } })

  it.effect("keeps an object for the collector of its dependents, as the last request says", () =>
    Effect.gen(function*() {
      yield* call("POST", configMaps, { body: { ...configMap("cm"), metadata: { name: "cm", finalizers: ["a/b"] } } })
      const url = `${configMaps}/cm`
      const foreground = yield* remove(url, { propagationPolicy: "Foreground" })
      assert.deepStrictEqual(foreground.json.metadata.finalizers, ["a/b", "foregroundDeletion"])
      assert.strictEqual(foreground.json.metadata.deletionGracePeriodSeconds, 0)
      const again = yield* remove(url)
      assert.strictEqual(again.json.metadata.resourceVersion, foreground.json.metadata.resourceVersion)
      const orphan = yield* remove(url, { propagationPolicy: "Orphan" })
      assert.deepStrictEqual(orphan.json.metadata.finalizers, ["a/b", "orphan"])
      assert.strictEqual(orphan.json.metadata.deletionTimestamp, foreground.json.metadata.deletionTimestamp)
      const background = yield* remove(url, { propagationPolicy: "Background" })
      assert.deepStrictEqual(background.json.metadata.finalizers, ["a/b"])
      const freed = yield* call("PATCH", url, { type: merge, body: { metadata: { finalizers: null } } })
      assert.notProperty(freed.json.metadata, "finalizers")
      assert.strictEqual((yield* call("GET", url)).status, 404)
    }).pipe(Effect.provide(layerApi)))

  it.effect("of a job without a policy leaves its pods, and says so", () =>
    Effect.gen(function*() {
      const jobs = "/apis/batch/v1/namespaces/default/jobs"
      yield* call("POST", jobs, { body: job("one") })
      const orphaned = yield* remove(`${jobs}/one`)
      assert.deepStrictEqual(orphaned.json.metadata.finalizers, ["orphan"])
      assert.include(String(orphaned.headers["warning"]), "child pods are preserved by default when jobs are deleted")
      yield* call("POST", jobs, { body: job("two") })
      const background = yield* remove(`${jobs}/two`, { propagationPolicy: "Background" })
      assert.deepStrictEqual([background.json.kind, background.headers["warning"]], ["Status", undefined])
    }).pipe(Effect.provide(layerApi)))

  it.effect("refuses policies that do not exist, contradict each other, or preconditions that are not met", () =>
    Effect.gen(function*() {
      const { json } = yield* call("POST", configMaps, { body: configMap("cm") })
      const url = `${configMaps}/cm`
      const say = (body: object) => Effect.map(remove(url, body), (answer) => [answer.status, answer.json.message])
      assert.deepStrictEqual(yield* say({ propagationPolicy: "Never" }), [
        422,
        "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Never\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\""
      ])
      assert.strictEqual((yield* say({ propagationPolicy: "Orphan", orphanDependents: true }))[0], 422)
      assert.deepStrictEqual(yield* say({ preconditions: { uid: "x" } }), [
        409,
        `Operation cannot be fulfilled on configmaps "cm": Precondition failed: UID in precondition: x, UID in object meta: ${json.metadata.uid}`
      ])
      assert.strictEqual((yield* say({ preconditions: { resourceVersion: "1" } }))[0], 409)
      assert.strictEqual((yield* say({ preconditions: { resourceVersion: json.metadata.resourceVersion } }))[0], 200)
    }).pipe(Effect.provide(layerApi)))

  it.effect("of a collection takes selectors, a limit and a policy", () =>
    Effect.gen(function*() {
      for (const name of ["a", "b", "c", "d"]) {
        yield* call("POST", configMaps, { body: configMap(name, {}, { half: name < "c" ? "first" : "second" }) })
      }
      const names = Effect.map(call("GET", configMaps), ({ json }) => json.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name))
      const some = yield* call("DELETE", `${configMaps}?labelSelector=half%3Dsecond&limit=1`)
      assert.deepStrictEqual([some.status, some.json.kind, some.json.items.length], [200, "ConfigMapList", 1])
      assert.notInclude(yield* names, "c")
      const kept = yield* call("DELETE", `${configMaps}?fieldSelector=metadata.name%3Dd&propagationPolicy=Foreground`)
      assert.deepStrictEqual(kept.json.items[0].metadata.finalizers, ["foregroundDeletion"])
      yield* call("DELETE", `${configMaps}?labelSelector=half%3Dfirst&dryRun=All`)
      assert.deepStrictEqual(yield* names, ["a", "b", "d"])
    }).pipe(Effect.provide(layerApi)))
})

describe("updates", () => {
  const pathOf = (kind: Kind.Kind, name: string) =>
    `/${kind.group === "" ? "api" : `apis/${kind.group}`}/${kind.version}${kind.namespaced ? "/namespaces/default" : ""}/${kind.plural}/${name}`

  it.effect("of a missing object create it where the kind says so", () =>
    Effect.gen(function*() {
      for (const kind of Kinds.all.filter(({ verbs }) => verbs.includes("update"))) {
        const body = { apiVersion: Kind.apiVersion(kind), kind: kind.kind, metadata: { name: "some.name" } }
        const { json, status } = yield* call("PUT", pathOf(kind, "some.name"), { body })
        if (kind.allowCreateOnUpdate) assert.notStrictEqual(status, 404, kind.kind)
        else assert.strictEqual(json.message, `${Kind.qualifiedResource(kind)} "some.name" not found`)
      }
    }).pipe(Effect.provide(layerApi)))

  it.effect("without a version are refused where the kind says so", () =>
    Effect.gen(function*() {
      const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" }, spec: {} }
      const url = "/apis/coordination.k8s.io/v1/namespaces/default/leases/l"
      assert.strictEqual((yield* call("PUT", url, { body: lease })).status, 201)
      const refused = yield* call("PUT", url, { body: lease })
      assert.deepStrictEqual([refused.status, refused.json.message], [
        422,
        "leases.coordination.k8s.io \"l\" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update"
      ])
      yield* call("POST", configMaps, { body: configMap("cm") })
      assert.strictEqual((yield* call("PUT", `${configMaps}/cm`, { body: configMap("cm", { a: "1" }) })).status, 200)
    }).pipe(Effect.provide(layerApi)))

  it("are refused without a version for these kinds, and create these", () => {
    const names = (all: ReadonlyArray<Kind.Kind>) => [...new Set(all.map(({ kind }) => kind))].sort()
    assert.includeMembers(names(Kinds.all.filter(({ allowUnconditionalUpdate }) => !allowUnconditionalUpdate)), ["Lease"])
    assert.includeMembers(names(Kinds.all.filter(({ allowCreateOnUpdate }) => allowCreateOnUpdate)), ["Event", "Lease", "Service"])
    assert.notIncludeMembers(names(Kinds.all.filter(({ allowCreateOnUpdate }) => allowCreateOnUpdate)), ["Pod"])
  })
})

describe("patches", () => {
  it.effect("write nothing when nothing changes, whoever sends them", () =>
    Effect.gen(function*() {
      const { json } = yield* call("POST", `${pods}?fieldManager=one`, { body: pod("p") })
      for (const body of [{}, { metadata: { labels: {} } }, { spec: { restartPolicy: "Always" } }, { metadata: { resourceVersion: json.metadata.resourceVersion } }]) {
        const patched = yield* call("PATCH", `${pods}/p?fieldManager=two`, { type: merge, body })
        assert.deepStrictEqual([patched.status, patched.json.metadata], [200, json.metadata])
      }
    }).pipe(Effect.provide(layerApi)))

  it.effect("of a strategic merge say what is wrong with them", () =>
    Effect.gen(function*() {
      yield* call("POST", pods, { body: pod("p") })
      const say = (body: object) =>
        Effect.map(call("PATCH", `${pods}/p`, { type: "application/strategic-merge-patch+json", body }), ({ json, status }) => [status, json.message])
      assert.deepStrictEqual(yield* say({ spec: { containers: [{ image: "x" }] } }), [
        500,
        "map: map[image:x] does not contain declared merge key: name"
      ])
      assert.deepStrictEqual(yield* say({ spec: { $retainKeys: ["hostname"], nodeName: "x" } }), [400, "invalid patch format of retainKeys"])
      assert.deepStrictEqual(yield* say({ spec: { "$setElementOrder/containers": [{ name: "other" }], containers: [{ name: "c" }] } }), [
        500,
        "The order in patch list:\n[map[name:c]]\n doesn't match $setElementOrder list:\n[map[name:other]]\n"
      ])
      assert.deepStrictEqual(yield* say({ metadata: { $deleteFromPrimitiveList: ["x"] } }), [400, "invalid patch format of primitive list"])
    }).pipe(Effect.provide(layerApi)))
})
