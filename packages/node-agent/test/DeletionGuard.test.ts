import { assert, describe, it } from "@effect/vitest"
import { DeletionGuard } from "@reddwarf/node-agent"

const options = { confirmation: 10_000, stableAfter: 900_000 }
const uids = (count: number, from = 0): ReadonlyArray<string> => Array.from({ length: count }, (_, at) => `u${at + from}`)

describe("DeletionGuard", () => {
  it("believes a few that are missing", () => {
    const guard = DeletionGuard.make(options)
    for (const uid of uids(3)) guard.noteMissing(uid, 2)
    for (const uid of uids(3)) assert.isUndefined(guard.holds(uid, 0))
    assert.isFalse(guard.needsList(0))
  })

  it("wants an empty list twice, 10 s apart", () => {
    const guard = DeletionGuard.make(options)
    guard.noteMissing("u0", 0)
    assert.strictEqual(guard.holds("u0", 0), "ShrunkList")
    assert.isTrue(guard.needsList(0))
    guard.noteList(new Set(), 0)
    assert.isFalse(guard.needsList(5_000))
    guard.noteList(new Set(), 5_000)
    assert.strictEqual(guard.holds("u0", 5_000), "ShrunkList")
    assert.isTrue(guard.needsList(10_000))
    guard.noteList(new Set(), 10_000)
    assert.isUndefined(guard.holds("u0", 10_000))
  })

  it("begins anew when the second list says something else", () => {
    const guard = DeletionGuard.make(options)
    for (const uid of uids(5)) guard.noteMissing(uid, 2)
    assert.strictEqual(guard.holds("u0", 0), "ShrunkList")
    guard.noteList(new Set(["a", "b"]), 0)
    guard.noteList(new Set(["a", "b", "u0"]), 10_000)
    assert.strictEqual(guard.holds("u1", 10_000), "ShrunkList")
    guard.noteList(new Set(["a", "b", "u0"]), 20_000)
    assert.isUndefined(guard.holds("u1", 20_000))
    // It is in the list: nobody has said that it is gone.
    assert.isDefined(guard.holds("u0", 20_000) ?? "in the list, and few are missing now")
  })

  it("never holds a pod whose deletion was told", () => {
    const guard = DeletionGuard.make(options)
    for (const uid of uids(6)) guard.noteMissing(uid, 0)
    guard.noteKnown("u0")
    assert.isUndefined(guard.holds("u0", 0))
    assert.strictEqual(guard.holds("u1", 0), "ShrunkList")
  })

  it("removes nothing after the state went back, until it was stable or an operator agreed", () => {
    const guard = DeletionGuard.make(options, { version: "500", rewoundAt: undefined })
    guard.noteVersion("400", 1_000)
    assert.isTrue(guard.isRewound(1_000))
    assert.strictEqual(guard.holds("u0", 1_000), "StateRewound")
    guard.noteVersion("420", 600_000)
    assert.strictEqual(guard.holds("u0", 600_000), "StateRewound")
    // Another step back begins the wait anew.
    guard.noteVersion("410", 700_000)
    assert.strictEqual(guard.holds("u0", 1_500_000), "StateRewound")
    assert.isUndefined(guard.holds("u0", 1_600_000))
    assert.strictEqual(guard.version(), "410")
    guard.noteVersion("300", 1_700_000)
    assert.isTrue(guard.isRewound(1_700_000))
    guard.confirmRewind()
    assert.isFalse(guard.isRewound(1_700_000))
    assert.strictEqual(guard.version(), "300")
  })

  it("does not compare versions that are no numbers", () => {
    const guard = DeletionGuard.make(options, { version: "zz", rewoundAt: undefined })
    guard.noteVersion("aa", 0)
    assert.isFalse(guard.isRewound(0))
    assert.isTrue(DeletionGuard.isOlder("9", "10"))
    assert.isFalse(DeletionGuard.isOlder("10", "9"))
  })

  it("keeps holding over a restart of the agent", () => {
    const first = DeletionGuard.make(options, { version: "500", rewoundAt: undefined })
    first.noteVersion("400", 1_000)
    const second = DeletionGuard.make(options, { version: first.version(), rewoundAt: first.rewoundAt() })
    second.noteVersion("401", 2_000)
    assert.isTrue(second.isRewound(2_000))
  })
})
