import type { AutoscalingV2 } from "@reddwarf/api-types"
import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as limits from "../src/internal/autoscalerLimits.js"

const wish = (values: Partial<limits.Wish>): limits.Wish => ({ current: 2, desired: 2, min: 1, max: 10, behavior: undefined, history: limits.noHistory, now: 1_000_000, ...values })

describe("how far an autoscaler goes", () => {
  it("goes up at once, at most twice as many at a time", () => {
    const up = limits.decide(wish({ desired: 9 }))
    assert.deepStrictEqual([up.replicas, up.able.reason, up.limited.status, up.limited.reason], [4, "ReadyForNewScale", "True", "ScaleUpLimit"])
    const within = limits.decide(wish({ desired: 3 }))
    assert.deepStrictEqual([within.replicas, within.limited], [3, { status: "False", reason: "DesiredWithinRange", message: "the desired count is within the acceptable range" }])
    assert.deepStrictEqual([limits.decide(wish({ desired: 30, current: 8 })).replicas, limits.decide(wish({ desired: 30, current: 8 })).limited.reason], [10, "TooManyReplicas"])
  })

  it("goes down only when nothing higher was recommended for five minutes", () => {
    let state = wish({ current: 6, desired: 1, min: 2 })
    const first = limits.decide(state)
    assert.deepStrictEqual([first.replicas, first.able.reason], [6, "ScaleDownStabilized"])
    state = { ...state, history: first.history, now: state.now + 299_000 }
    assert.strictEqual(limits.decide(state).replicas, 6)
    const last = limits.decide({ ...state, now: state.now + 2_000 })
    assert.deepStrictEqual([last.replicas, last.limited.reason], [2, "TooFewReplicas"])
  })

  it("keeps to the policies of a behaviour", () => {
    const behavior: AutoscalingV2.HorizontalPodAutoscalerBehavior = {
      scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies: [{ type: "Pods", value: 2, periodSeconds: 60 }, { type: "Percent", value: 50, periodSeconds: 60 }] },
      scaleDown: { stabilizationWindowSeconds: 0, selectPolicy: "Min", policies: [{ type: "Pods", value: 1, periodSeconds: 60 }, { type: "Percent", value: 50, periodSeconds: 60 }] }
    }
    const now = 1_000_000
    const up = limits.decide(wish({ behavior, desired: 10, now }))
    assert.deepStrictEqual([up.replicas, up.limited.reason], [4, "ScaleUpLimit"])
    const history = limits.scaled(up.history, behavior, 2, 4, now)
    // The period began with two.
    assert.strictEqual(limits.decide(wish({ behavior, current: 4, desired: 10, history, now: now + 30_000 })).replicas, 4)
    assert.strictEqual(limits.decide(wish({ behavior, current: 4, desired: 10, history, now: now + 61_000 })).replicas, 6)
    const down = limits.decide(wish({ behavior, current: 8, desired: 1, now }))
    assert.deepStrictEqual([down.replicas, down.limited.reason], [7, "ScaleDownLimit"])
    const disabled = { ...behavior, scaleDown: { ...behavior.scaleDown, selectPolicy: "Disabled" } }
    assert.strictEqual(limits.decide(wish({ behavior: disabled, current: 8, desired: 1, now })).replicas, 8)
  })

  it("never leaves its range, nor goes against the recommendation", () => {
    const rules = fc.record({
      stabilizationWindowSeconds: fc.nat(600),
      selectPolicy: fc.constantFrom("Max", "Min", "Disabled"),
      policies: fc.array(fc.record({ type: fc.constantFrom("Pods", "Percent"), value: fc.integer({ min: 1, max: 200 }), periodSeconds: fc.integer({ min: 1, max: 1800 }) }), { minLength: 1, maxLength: 3 })
    })
    const behaviors = fc.option(fc.record({ scaleUp: rules, scaleDown: rules }), { nil: undefined })
    fc.assert(fc.property(behaviors, fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.nat(400)), { maxLength: 30 }), (behavior, looks) => {
      const [min, max] = [2, 20]
      let current = 5
      let history = limits.noHistory
      let now = 1_000_000
      for (const [desired, seconds] of looks) {
        now += seconds * 1000
        const verdict = limits.decide(wish({ behavior, current, desired, min, max, history, now }))
        assert.isAtLeast(verdict.replicas, min)
        assert.isAtMost(verdict.replicas, max)
        if (desired >= current) assert.isAtLeast(verdict.replicas, current)
        history = verdict.replicas === current ? verdict.history : limits.scaled(verdict.history, behavior, current, verdict.replicas, now)
        current = verdict.replicas
        assert.isAtMost(history.recommendations.length, looks.length + 1)
      }
    }))
  })
})
