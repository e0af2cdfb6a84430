import { assert, describe, it } from "@effect/vitest"
import { RestartRequest } from "@reddwarf/node-agent"

const request = (container: string, attempt: number): RestartRequest.RestartRequest => ({
  requestId: `${container}/${attempt}/liveness`,
  container,
  attempt,
  requestedAt: 1_000,
  graceSeconds: 30
})

describe("RestartRequest", () => {
  it("is asked once for an attempt, and takes the place of that for an attempt that is over", () => {
    const first = RestartRequest.added(undefined, request("a", 0))
    assert.deepStrictEqual(first, [request("a", 0)])
    assert.strictEqual(RestartRequest.added(first, { ...request("a", 0), requestedAt: 2_000, requestId: "again" }), undefined)
    const both = RestartRequest.added(first, request("b", 3))
    assert.deepStrictEqual(RestartRequest.added(both, request("a", 1)), [request("b", 3), request("a", 1)])
    assert.strictEqual(RestartRequest.find(both, "b", 2), undefined)
    assert.deepStrictEqual(RestartRequest.find(both, "b", 3), request("b", 3))
  })
})
