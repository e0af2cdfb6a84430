import { assert, describe, it } from "@effect/vitest"
import { Key } from "@reddwarf/store"
import { FastCheck } from "effect"

const text = FastCheck.string({ unit: "binary" })
// Strings whose units lie around the surrogates, where UTF-16 and UTF-8 disagree.
const edgy = FastCheck.string({ unit: FastCheck.constantFrom("a", "/", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{1f600}") })
const either = FastCheck.oneof(text, edgy)

describe("Key", () => {
  it.prop("orders by the bytes of UTF-8", [either, either], ([a, b]) => {
    assert.strictEqual(Math.sign(Key.compare(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)))
  })

  it.prop("puts exactly the keys of a prefix before its end", [edgy, edgy], ([prefix, key]) => {
    const inside = Key.compare(key, prefix) >= 0 && Key.compare(key, Key.prefixEnd(prefix)) < 0
    assert.strictEqual(inside, key.startsWith(prefix))
  })

  it("names what is wrong with a key", () => {
    assert.strictEqual(Key.problem("/core/pods/default/a"), undefined)
    assert.include(Key.problem("") ?? "", "empty")
    assert.include(Key.problem("x".repeat(Key.maxLength + 1)) ?? "", "1025 characters")
    assert.include(Key.problem("/\ud800/") ?? "", "cannot be stored")
  })
})
