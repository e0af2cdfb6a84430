import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Layer, TestClock } from "effect"
import * as Digest from "../src/Digest.js"
import * as GarbagePolicy from "../src/GarbagePolicy.js"
import type { ImageRecord } from "../src/Image.js"
import * as ImageCollector from "../src/ImageCollector.js"
import * as ImageConfig from "../src/ImageConfig.js"
import { StorageFailed } from "../src/ImageError.js"
import { ImageStore } from "../src/ImageStore.js"

const record = (index: number, pulledAt: number, usedAt: number, users: ReadonlyArray<string>): ImageRecord => ({
  id: Digest.of(String(index)),
  references: [],
  digests: [],
  config: ImageConfig.make({ os: "linux", architecture: "amd64" }, []),
  chainId: Digest.of("x"),
  origin: "registry",
  packedSize: 1,
  size: 1,
  pulledAt,
  usedAt,
  users
})

describe("GarbagePolicy", () => {
  it("asks for what is above the low mark once the high one is reached", () => {
    const policy = { highPercent: 85, lowPercent: 80, minAge: 0 }
    assert.strictEqual(GarbagePolicy.excess(policy, { size: 1000, allocated: 849 }), 0)
    assert.strictEqual(GarbagePolicy.excess(policy, { size: 1000, allocated: 850 }), 50)
    assert.strictEqual(GarbagePolicy.excess(policy, { size: 0, allocated: 0 }), 0)
  })

  const images = FastCheck.array(FastCheck.tuple(FastCheck.nat(1000), FastCheck.nat(1000), FastCheck.boolean()), { maxLength: 20 })
  it.prop("never names an image in use or a young one, and names the longest unused first", [images, FastCheck.nat(500)], ([list, minAge]) => {
    const now = 1000
    const records = list.map(([pulledAt, usedAt, used], index) => record(index, pulledAt, usedAt, used ? ["pod"] : []))
    const named = GarbagePolicy.candidates({ minAge }, records, now)
    const last = (image: ImageRecord) => Math.max(image.pulledAt, image.usedAt)
    assert.isTrue(named.every((image) => image.users.length === 0 && now - last(image) >= minAge))
    assert.isTrue(named.every((image, index) => index === 0 || last(named[index - 1] ?? image) <= last(image)))
    assert.strictEqual(named.length, records.filter((image) => image.users.length === 0 && now - last(image) >= minAge).length)
  })
})

describe("ImageCollector", () => {
  it.scoped("looks again and again, also after a failure", () =>
    Effect.gen(function*() {
      let looks = 0
      const store = Layer.mock(ImageStore, {
        rootFor: (image) => image.snapshot,
        collect: () =>
          Effect.suspend(() => {
            looks += 1
            return looks === 1
              ? Effect.fail(new StorageFailed({ operation: "test", path: "tank", detail: "suspended" }))
              : Effect.succeed({ removed: [], freed: 0, kept: [] })
          })
      })
      yield* Layer.build(Layer.provide(ImageCollector.layer({ interval: "1 minute" }), store))
      assert.strictEqual(looks, 0)
      yield* TestClock.adjust("10 minutes")
      assert.isAtLeast(looks, 6)
    }))
})
