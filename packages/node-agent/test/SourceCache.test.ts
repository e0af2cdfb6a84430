import { assert, describe, it } from "@effect/vitest"
import { ApiError, type CoreV1, Kinds, Status } from "@reddwarf/api-types"
import { ClientError } from "@reddwarf/client"
import { type PodSources, SourceCache } from "@reddwarf/node-agent"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"

const world = () => {
  const asked: Array<string> = []
  let version = 1
  let down = false
  const reader: PodSources.Reader = {
    configMap: (namespace, name) =>
      Effect.suspend((): Effect.Effect<CoreV1.ConfigMap, ClientError.ClientError> => {
        asked.push(`${namespace}/${name}`)
        if (down) return Effect.fail(new ClientError.DecodeFailure({ method: "GET", path: "/", detail: "not an answer" }))
        return name === "none"
          ? Effect.fail(ApiError.make(Status.notFound(Kinds.configMap, name)))
          : Effect.succeed({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, resourceVersion: String(version) }, ...(name === "fixed" ? { immutable: true } : {}) })
      }),
    secret: () => Effect.die("not asked for"),
    trustBundle: (name) =>
      Effect.sync(() => {
        asked.push(name)
        return { apiVersion: "certificates.k8s.io/v1beta1", kind: "ClusterTrustBundle", metadata: { name }, spec: { trustBundle: String(version) } }
      }),
    trustBundles: (signer) => Effect.map(Effect.sync(() => asked.push(signer)), () => [])
  }
  const cache = SourceCache.make(reader, "20 seconds")
  const look = (name: string) => Effect.map(cache.configMap("default", name), ({ metadata }) => metadata.resourceVersion)
  return { asked, cache, look, change: () => void (version += 1), end: () => void (down = true) }
}

describe("SourceCache", () => {
  it.effect("remembers trust bundles by name and by signer", () =>
    Effect.gen(function*() {
      const { asked, cache, change } = world()
      const look = Effect.map(Effect.all([cache.trustBundle("a"), cache.trustBundles("a")]), ([{ spec }]) => spec.trustBundle)
      assert.strictEqual(yield* look, "1")
      change()
      assert.strictEqual(yield* look, "1")
      yield* TestClock.adjust("21 seconds")
      assert.strictEqual(yield* look, "2")
      assert.deepStrictEqual(asked, ["a", "a", "a", "a"])
    }))

  it.effect("asks once in a while, less often for what does not change", () =>
    Effect.gen(function*() {
      const { asked, change, look } = world()
      yield* Effect.all([look("a"), look("a"), look("fixed")])
      change()
      assert.strictEqual(yield* look("a"), "1")
      yield* TestClock.adjust("21 seconds")
      assert.deepStrictEqual([yield* look("a"), yield* look("fixed")], ["2", "1"])
      assert.deepStrictEqual(asked, ["default/a", "default/fixed", "default/a"])
      yield* TestClock.adjust("7 minutes")
      assert.strictEqual(yield* look("fixed"), "2")
    }))

  it.effect("remembers that an object is missing, and not that the server gave no answer", () =>
    Effect.gen(function*() {
      const { asked, end, look } = world()
      for (let i = 0; i < 2; i++) assert.isTrue(ClientError.isNotFound(yield* Effect.flip(look("none"))))
      end()
      for (let i = 0; i < 2; i++) yield* Effect.flip(look("b"))
      assert.deepStrictEqual(asked, ["default/none", "default/b", "default/b"])
    }))
})
