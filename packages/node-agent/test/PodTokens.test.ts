import { assert, describe, it } from "@effect/vitest"
import { ApiError, type CoreV1, Status, Timestamp } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import { PodRemoval, PodTokens } from "@reddwarf/node-agent"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"

const pod: CoreV1.Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", uid: "u1" },
  spec: {
    serviceAccountName: "web",
    containers: [],
    volumes: [{ name: "api", projected: { sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 3607 } }] } }]
  }
}

/** A client of which only what a test uses is there; anything else fails it. */
const clientWith = (parts: Partial<ApiClient.Service>) =>
  new Proxy({} as ApiClient.Service, {
    get: (_, name) => Reflect.get(parts, name) ?? (() => Effect.dieMessage(`${String(name)} was not expected`))
  })

const issuer = () => {
  const requests: Array<{ readonly name: string; readonly subresource: string; readonly body: unknown }> = []
  let broken = false
  const client = clientWith({
    createSubresource: (_, { name }, subresource, body) =>
      Effect.gen(function*() {
        if (broken) return yield* ApiError.fail(Status.serviceUnavailable("try later"))
        requests.push({ name, subresource, body })
        const now = yield* Clock.currentTimeMillis
        return { status: { token: `t${requests.length}`, expirationTimestamp: Timestamp.secondsFromMillis(now + 3_607_000) } }
      })
  })
  return { requests, tokens: PodTokens.make(client), setBroken: (value: boolean) => { broken = value } }
}

describe("PodTokens", () => {
  it.effect("asks once for a token that is bound to the pod, and again after four fifths of its life", () =>
    Effect.gen(function*() {
      const { requests, tokens } = issuer()
      assert.isTrue(yield* tokens.isDue(pod))
      assert.deepStrictEqual([...(yield* tokens.obtain(pod)).values()], ["t1"])
      assert.deepStrictEqual(requests, [{
        name: "web",
        subresource: "token",
        body: {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: { expirationSeconds: 3607, boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "web", uid: "u1" } }
        }
      }])
      yield* TestClock.adjust("48 minutes")
      assert.isFalse(yield* tokens.isDue(pod))
      assert.deepStrictEqual([...(yield* tokens.obtain(pod)).values()], ["t1"])
      yield* TestClock.adjust("1 minute")
      assert.isTrue(yield* tokens.isDue(pod))
      assert.deepStrictEqual([...(yield* tokens.obtain(pod)).values()], ["t2"])
      tokens.forget("u1")
      assert.isTrue(yield* tokens.isDue(pod))
    }))

  it.effect("keeps a token that cannot be renewed as long as it is good", () =>
    Effect.gen(function*() {
      const { setBroken, tokens } = issuer()
      yield* tokens.obtain(pod)
      setBroken(true)
      yield* TestClock.adjust("50 minutes")
      assert.deepStrictEqual([...(yield* tokens.obtain(pod)).values()], ["t1"])
      yield* TestClock.adjust("11 minutes")
      assert.isTrue((yield* Effect.either(tokens.obtain(pod)))._tag === "Left")
    }))

  it.effect("asks for nothing for pods without such volumes", () =>
    Effect.gen(function*() {
      const { requests, tokens } = issuer()
      const plain = { ...pod, spec: { containers: [] } }
      assert.isFalse(yield* tokens.isDue(plain))
      assert.strictEqual((yield* tokens.obtain(plain)).size, 0)
      assert.strictEqual(requests.length, 0)
    }))
})

describe("PodRemoval", () => {
  const finishedBy = (refusal: Status.Status | undefined) =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      yield* PodRemoval.finish(clientWith({
        createSubresource: (_, __, subresource) => {
          calls.push(subresource)
          return refusal === undefined ? Effect.succeed({}) : ApiError.fail(refusal)
        },
        delete: (_, __, options) => {
          calls.push(`delete ${options?.gracePeriodSeconds} ${options?.preconditions?.uid}`)
          return Effect.void
        }
      }), pod)
      return calls
    })

  it.effect("uses finalize where the server knows it, and a delete without grace elsewhere", () =>
    Effect.gen(function*() {
      const pods = { group: "", plural: "pods" }
      assert.deepStrictEqual(yield* finishedBy(undefined), ["finalize"])
      assert.deepStrictEqual(yield* finishedBy(Status.resourceNotFound()), ["finalize", "delete 0 u1"])
      assert.deepStrictEqual(yield* finishedBy(Status.methodNotAllowed()), ["finalize", "delete 0 u1"])
      assert.deepStrictEqual(yield* finishedBy(Status.forbidden(pods, "web", "no")), ["finalize", "delete 0 u1"])
      assert.deepStrictEqual(yield* finishedBy(Status.notFound(pods, "web")), ["finalize"])
      assert.deepStrictEqual(yield* finishedBy(Status.conflict(pods, "web")), ["finalize"])
    }))
})
