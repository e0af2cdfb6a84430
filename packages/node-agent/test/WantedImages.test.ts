import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ZoneInstance } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import { WantedImages } from "../src/index.js"

const pod = (image: string): CoreV1.Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u" },
  spec: { containers: [{ name: "c", image }] }
})

const stored = (image: string, digest: string | undefined, settled: string | undefined): ZoneInstance.ZoneInstance => ({
  apiVersion: "reddwarf.io/v1alpha1",
  kind: "ZoneInstance",
  metadata: { name: "p", namespace: "default" },
  spec: { podUID: "u", nodeName: "n", brand: "sparse", specHash: "h", containers: [{ name: "c", image, ...(digest === undefined ? {} : { digest }) }] },
  ...(settled === undefined ? {} : { status: { current: { containers: [{ name: "c", digest: settled }] } } })
})

const remembered = (...[image, instance]: readonly [image: string, instance: ZoneInstance.ZoneInstance | undefined]) =>
  Effect.map(WantedImages.make({ wake: () => Effect.void, failed: () => Effect.void }), (images) => {
    images.remember(pod(image), { c: "one" }, instance)
    return images.of(pod(image))
  })

describe("the images that an earlier agent knew", () => {
  it.scoped("are those written down, else what runs; not where the pod names another image since, which nobody has looked up yet", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* remembered("app:1", stored("app:1", "one", "one")), { c: "one" })
      assert.deepStrictEqual(yield* remembered("app:2", stored("app:1", "one", "one")), {})
      // It ended while it brought the pod up.
      assert.deepStrictEqual(yield* remembered("app:1", stored("app:1", undefined, undefined)), { c: "one" })
      assert.deepStrictEqual(yield* remembered("app:1", undefined), { c: "one" })
      // It ended between the new image of the pod and the digest of it.
      assert.deepStrictEqual(yield* remembered("app:2", stored("app:2", undefined, "one")), {})
    }))
})
