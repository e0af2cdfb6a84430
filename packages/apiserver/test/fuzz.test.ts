import { assert, describe, layer } from "@effect/vitest"
import { Data, Effect, FastCheck, Runtime } from "effect"
import { call, layerApi } from "./support/api.js"

const segment = FastCheck.oneof(
  FastCheck.constantFrom(
    "api", "apis", "v1", "namespaces", "default", "pods", "configmaps", "nodes", "leases", "coordination.k8s.io", "events",
    "a", "status", "log", "binding", "bindings", "eviction", "finalize", "watch", "secrets", "openapi", "v3", "healthz", "version", "..", "%2e%2e", "%00", "%ff", "", "__proto__", "constructor"
  ),
  FastCheck.string({ maxLength: 12 }).map((text) => text.replaceAll(/[#? ]/g, "-"))
)

const parameter = FastCheck.tuple(
  FastCheck.constantFrom(
    "limit", "continue", "resourceVersion", "resourceVersionMatch", "labelSelector", "fieldSelector", "dryRun", "fieldValidation",
    "fieldManager", "pretty", "timeoutSeconds", "includeObject", "gracePeriodSeconds", "propagationPolicy", "orphanDependents", "tailLines", "container", "force", "allowWatchBookmarks"
  ),
  FastCheck.oneof(FastCheck.constantFrom("", "0", "1", "-1", "true", "All", "Strict", "a=b", "a in (", "metadata.name=a", "Exact", "NotOlderThan", "9007199254740993", "1e9"), FastCheck.string({ maxLength: 10 }))
)

const value = FastCheck.oneof(
  FastCheck.jsonValue({ maxDepth: 3 }),
  FastCheck.record({
    apiVersion: FastCheck.constantFrom("v1", "v2", "", null, 1),
    kind: FastCheck.constantFrom("ConfigMap", "Pod", "Binding", "Eviction", "DeleteOptions", "Namespace", "Node", "Secret", 3),
    metadata: FastCheck.oneof(
      FastCheck.jsonValue({ maxDepth: 2 }),
      FastCheck.record({
        name: FastCheck.oneof(FastCheck.constantFrom("a", "b", "Bad"), FastCheck.jsonValue()),
        namespace: FastCheck.constantFrom("default", "x", 1, null),
        finalizers: FastCheck.oneof(FastCheck.constant(["a/b"]), FastCheck.jsonValue()),
        labels: FastCheck.oneof(FastCheck.constant({ a: "b" }), FastCheck.jsonValue())
      }, { requiredKeys: [] })
    ),
    spec: FastCheck.oneof(
      FastCheck.jsonValue({ maxDepth: 3 }),
      FastCheck.record({ containers: FastCheck.array(FastCheck.record({ name: FastCheck.string(), image: FastCheck.jsonValue() }), { maxLength: 2 }), nodeName: FastCheck.jsonValue() }, { requiredKeys: [] })
    ),
    data: FastCheck.jsonValue({ maxDepth: 2 }),
    target: FastCheck.jsonValue({ maxDepth: 2 })
  }, { requiredKeys: [] }),
  FastCheck.array(FastCheck.record({ op: FastCheck.constantFrom("add", "remove", "test", "copy", "nope"), path: FastCheck.constantFrom("/metadata", "/spec/x", "", "x"), value: FastCheck.jsonValue(), from: FastCheck.constantFrom("", "/metadata") }, { requiredKeys: [] }), { maxLength: 3 })
)

const body = FastCheck.oneof(
  value.map((found) => JSON.stringify(found)),
  FastCheck.string({ maxLength: 40 }),
  FastCheck.uint8Array({ maxLength: 40 }),
  FastCheck.uint8Array({ maxLength: 40 }).map((bytes) => Uint8Array.from([0x6b, 0x38, 0x73, 0, ...bytes]))
)

const request = FastCheck.record({
  method: FastCheck.constantFrom("GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"),
  segments: FastCheck.oneof(
    FastCheck.array(segment, { maxLength: 8 }),
    FastCheck.tuple(FastCheck.constantFrom("configmaps", "pods", "secrets", "events", "services", "serviceaccounts"), FastCheck.array(segment, { maxLength: 3 }))
      .map(([plural, rest]) => ["api", "v1", "namespaces", "default", plural, ...rest]),
    FastCheck.tuple(FastCheck.constantFrom("nodes", "namespaces"), FastCheck.array(segment, { maxLength: 3 }))
      .map(([plural, rest]) => ["api", "v1", plural, ...rest])
  ),
  query: FastCheck.array(parameter, { maxLength: 3 }),
  type: FastCheck.constantFrom(undefined, "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml", "x/y"),
  accept: FastCheck.constantFrom(undefined, "application/json", "application/yaml", "*/*", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "image/png"),
  body
})

class NoAnswer extends Data.TaggedError("NoAnswer")<{ readonly method: string; readonly url: string }> {
  override get message(): string {
    return `no answer to ${this.method} ${this.url}`
  }
}

const statuses = new Set([200, 201, 204, 301, 304, 400, 403, 404, 405, 406, 409, 410, 413, 415, 422, 429, 504])

describe("whatever is sent", () => {
  layer(layerApi, { excludeTestServices: true })((it) => {
    it.effect("there is a well-formed answer, and the server goes on", () =>
      Effect.gen(function*() {
        const runtime = yield* Effect.runtime<Effect.Effect.Context<ReturnType<typeof call>>>()
        yield* Effect.promise(() =>
          FastCheck.assert(
            FastCheck.asyncProperty(request, async ({ accept, body, method, query, segments, type }) => {
              const parameters = new URLSearchParams(query.filter(([name, given]) => name !== "resourceVersion" || given.length < 4)).toString()
              const url = `/${segments.join("/")}${parameters === "" ? "" : `?${parameters}`}`
              const answer = await Runtime.runPromise(runtime)(
                call(method, url, { body, ...(type === undefined ? {} : { type }), ...(accept === undefined ? {} : { accept }) }).pipe(
                  Effect.timeoutFail({ duration: "10 seconds", onTimeout: () => new NoAnswer({ method, url }) })
                )
              )
              assert.isTrue(statuses.has(answer.status), `${method} ${url}: ${answer.status} ${answer.text}`)
              if (answer.headers["content-type"] === "application/json") {
                assert.isDefined(answer.json, `${method} ${url}: ${answer.text}`)
                if (answer.status >= 400 && answer.json.paths === undefined) {
                  assert.strictEqual(answer.json.kind, "Status")
                  assert.strictEqual(answer.json.code, answer.status)
                }
              }
            }),
            { numRuns: 2500 }
          )
        )
        const health = yield* call("GET", "/readyz?verbose")
        assert.strictEqual(health.status, 200)
      }), 60_000)
  })
})
