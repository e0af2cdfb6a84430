import { assert, describe, it } from "@effect/vitest"
import { type Probe, ProbeThreshold } from "@reddwarf/probes"
import * as FastCheck from "effect/FastCheck"

type Attempt = "Success" | "Failure"

const attempts = FastCheck.array(FastCheck.constantFrom<Attempt>("Success", "Failure"), { maxLength: 60 })
const thresholds = FastCheck.record({ successThreshold: FastCheck.integer({ min: 1, max: 5 }), failureThreshold: FastCheck.integer({ min: 1, max: 5 }) })
const kinds = FastCheck.constantFrom<Probe.ProbeKind>("liveness", "readiness", "startup")

/** What the rules say, read off the whole history: looks back from each attempt, remembers nothing. */
const naive = (kind: Probe.ProbeKind, limits: ProbeThreshold.Thresholds, history: ReadonlyArray<Attempt>): ProbeThreshold.ProbeResult => {
  let result: ProbeThreshold.ProbeResult = kind === "liveness" ? "Success" : kind === "readiness" ? "Failure" : "Unknown"
  for (let end = 1; end <= history.length; end += 1) {
    const last = history[end - 1] ?? "Success"
    const needed = last === "Success" ? limits.successThreshold : limits.failureThreshold
    const tail = history.slice(Math.max(0, end - needed), end)
    if (tail.length < needed || tail.some((attempt) => attempt !== last)) continue
    result = last
    if (kind === "startup" || (kind === "liveness" && last === "Failure")) return result
  }
  return result
}

const counted = (kind: Probe.ProbeKind, limits: ProbeThreshold.Thresholds, history: ReadonlyArray<Attempt>) =>
  history.reduce((state, attempt) => ProbeThreshold.count(kind, limits, state, attempt), ProbeThreshold.initial(kind))

describe("ProbeThreshold", () => {
  it.prop("agrees with a model that looks at the whole history", [kinds, thresholds, attempts], ([kind, limits, history]) =>
    counted(kind, limits, history).result === naive(kind, limits, history))

  it.prop("can be stopped and continued anywhere", [kinds, thresholds, attempts, FastCheck.nat(60)], ([kind, limits, history, at]) => {
    const restored: ProbeThreshold.ProbeCount = JSON.parse(JSON.stringify(counted(kind, limits, history.slice(0, at))))
    const continued = history.slice(at).reduce((state, attempt) => ProbeThreshold.count(kind, limits, state, attempt), restored)
    assert.deepStrictEqual(continued, counted(kind, limits, history))
  })

  it.prop("comes to rest: more of the same changes nothing", [kinds, thresholds, attempts, FastCheck.constantFrom<Attempt>("Success", "Failure")], ([kind, limits, history, last]) => {
    const rest = counted(kind, limits, [...history, ...Array.from({ length: 5 }, () => last)])
    assert.strictEqual(ProbeThreshold.count(kind, limits, rest, last), rest)
  })

  it("begins alive, not ready, not known to be started", () => {
    assert.strictEqual(ProbeThreshold.initial("liveness").result, "Success")
    assert.strictEqual(ProbeThreshold.initial("readiness").result, "Failure")
    assert.strictEqual(ProbeThreshold.initial("startup").result, "Unknown")
  })
})
