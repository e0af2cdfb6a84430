import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ApiError, FieldError, Kinds, Status } from "../src/index.js"

const shown = ({ code, details, message, reason }: Status.Status) => [code, reason, message, details]

describe("Status", () => {
  it("names resources in the plural, with their group", () => {
    assert.deepStrictEqual(Status.notFound(Kinds.pod, "nope"), {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'pods "nope" not found',
      reason: "NotFound",
      details: { name: "nope", kind: "pods" },
      code: 404
    })
    assert.deepStrictEqual(shown(Status.notFound(Kinds.lease, "l")), [
      404, "NotFound", 'leases.coordination.k8s.io "l" not found', { name: "l", group: "coordination.k8s.io", kind: "leases" }
    ])
    assert.deepStrictEqual(shown(Status.alreadyExists(Kinds.configMap, "cm1")), [
      409, "AlreadyExists", 'configmaps "cm1" already exists', { name: "cm1", kind: "configmaps" }
    ])
    assert.deepStrictEqual(shown(Status.conflict(Kinds.configMap, "cm1")), [
      409,
      "Conflict",
      'Operation cannot be fulfilled on configmaps "cm1": the object has been modified; please apply your changes to the latest version and try again',
      { name: "cm1", kind: "configmaps" }
    ])
  })

  it("names kinds when an object is invalid, each message once, each cause", () => {
    const bad = FieldError.required("metadata.name", "name or generateName is required")
    assert.deepStrictEqual(shown(Status.invalid(Kinds.pod, "", [bad])), [
      422,
      "Invalid",
      'Pod "" is invalid: metadata.name: Required value: name or generateName is required',
      { kind: "Pod", causes: [{ reason: "FieldValueRequired", message: "Required value: name or generateName is required", field: "metadata.name" }] }
    ])
    const other = FieldError.invalid("spec.x", -1, "must be greater than 0")
    const two = Status.invalid(Kinds.lease, "l", [bad, bad, other])
    assert.strictEqual(
      two.message,
      'Lease.coordination.k8s.io "l" is invalid: [metadata.name: Required value: name or generateName is required, spec.x: Invalid value: -1: must be greater than 0]'
    )
    assert.lengthOf(two.details?.causes ?? [], 3)
    assert.strictEqual(
      Status.invalid(Kinds.configMap, "big", [FieldError.tooLong("[]", 1_048_576)]).message,
      'ConfigMap "big" is invalid: []: Too long: may not be more than 1048576 bytes'
    )
  })

  it.each<readonly [Status.Status, number, string, string, unknown]>([
    [Status.badRequest("text"), 400, "BadRequest", "text", undefined],
    [Status.unauthorized(), 401, "Unauthorized", "Unauthorized", undefined],
    [Status.forbidden(Kinds.pod, "", 'User "dev" cannot list'), 403, "Forbidden", 'pods is forbidden: User "dev" cannot list', { kind: "pods" }],
    [Status.forbidden(Kinds.node, "x", "no"), 403, "Forbidden", 'nodes "x" is forbidden: no', { name: "x", kind: "nodes" }],
    [Status.forbiddenPath('User "dev" cannot get path "/metrics"'), 403, "Forbidden", 'forbidden: User "dev" cannot get path "/metrics"', {}],
    [Status.resourceNotFound(), 404, "NotFound", "the server could not find the requested resource", {}],
    [Status.methodNotAllowed(), 405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}],
    [Status.notAcceptable(["application/json"]), 406, "NotAcceptable", "406: Not Acceptable\n\nAvailable representations: application/json", {}],
    [Status.expired("old"), 410, "Expired", "old", undefined],
    [Status.tooOldResourceVersion(1, 299), 410, "Expired", "too old resource version: 1 (299)", undefined],
    [Status.requestEntityTooLarge(), 413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728", undefined],
    [Status.unsupportedMediaType(), 415, "UnsupportedMediaType", "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf", undefined],
    [Status.unsupportedMediaType([]), 415, "UnsupportedMediaType", "415: Unsupported Media Type", undefined],
    [Status.tooManyRequests(), 429, "TooManyRequests", "too many requests, please try again later", { retryAfterSeconds: 1 }],
    [Status.internalError("boom"), 500, "InternalError", "Internal error occurred: boom", { causes: [{ message: "boom" }] }],
    [Status.timeout("slow"), 504, "Timeout", "Timeout: slow", {}],
    [Status.tooLargeResourceVersion(99_999_999, 542), 504, "Timeout", "Timeout: Too large resource version: 99999999, current: 542", {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1
    }]
  ])("%#", (status, code, reason, message, details) => {
    assert.deepStrictEqual(shown(status), [code, reason, message, details])
  })

  it("success has neither reason nor message", () => {
    assert.deepStrictEqual(Status.success({ name: "p", kind: "pods", uid: "u" }), {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "p", kind: "pods", uid: "u" }
    })
  })
})

describe("ApiError", () => {
  it.effect("carries the status to whoever handles it", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ApiError.fail(Status.conflict(Kinds.pod, "p", "because")))
      assert.strictEqual(error._tag, "ApiError")
      assert.strictEqual(error.code, 409)
      assert.strictEqual(error.reason, "Conflict")
      assert.strictEqual(error.message, 'Operation cannot be fulfilled on pods "p": because')
      assert.isTrue(ApiError.isConflict(error))
      assert.isFalse(ApiError.isNotFound(error))
      assert.isFalse(ApiError.isRetryable(error))
      const busy = ApiError.make(Status.tooManyRequests())
      assert.isTrue(ApiError.isRetryable(busy))
      assert.strictEqual(ApiError.retryAfterSeconds(busy), 1)
      assert.isTrue(ApiError.isExpired(ApiError.make(Status.tooOldResourceVersion(1, 2))))
    }))

  it("recognises a status among JSON values", () => {
    assert.isTrue(Status.isStatus(Status.badRequest("x")))
    assert.isTrue(Status.isStatus({ kind: "Status", metadata: {} }))
    for (const value of [null, 1, "Status", {}, { kind: "Pod", metadata: {} }, { kind: "Status", metadata: [] }]) assert.isFalse(Status.isStatus(value))
  })
})
