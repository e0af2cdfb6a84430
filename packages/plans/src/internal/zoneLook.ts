/** What a pass sees before it decides: the host, the gates, the clocks. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Conditions from "../Conditions.js"
import type { Drift } from "../Drift.js"
import * as DriftDetector from "../DriftDetector.js"
import * as GateProbe from "../GateProbe.js"
import type { Observation } from "../Observation.js"
import * as PlanOutcome from "../PlanOutcome.js"
import * as PlanState from "../PlanState.js"
import type { Status, ZoneInstance } from "../ZoneInstance.js"
import type { Options, Requeue } from "../ZoneReconciler.js"
import * as passNews from "./passNews.js"
import * as zoneMemory from "./zoneMemory.js"
import type { ZoneMemory } from "./zoneMemory.js"

export interface Seen {
  readonly observation: Observation
  readonly status: Status
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** The wall clock was set when it moved against the other one by more than this, in ms. */
const clockJump = 300_000

/** How soon a gate is asked after it was approved, in ms. */
const afterApproval = 1000

export interface ZoneLook {
  readonly at: (instance: ZoneInstance, memory: ZoneMemory, status: Status) => Effect.Effect<Seen>
  /** Counts what is seen for the first time. */
  readonly count: (memory: ZoneMemory, drifts: ReadonlyArray<Drift>) => Effect.Effect<void>
  /** The wait, or less where a gate is to be asked before. */
  readonly sooner: (requeue: Requeue, memory: ZoneMemory, status: Status, now: number) => Requeue
}

export const make = (options: Options, teller: passNews.Teller): ZoneLook => {
  const interval = Duration.toMillis(options.gateProbeInterval ?? "10 seconds")

  /** Deadlines are absolute; when the clock is set they are moved along, once. */
  const clocks = Effect.fnUntraced(function*(memory: ZoneMemory, status: Status) {
    const now = yield* Clock.currentTimeMillis
    const offset = now - Number((yield* Clock.currentTimeNanos) / 1_000_000n)
    const before = memory.clockOffset
    if (before !== undefined && Math.abs(offset - before) <= clockJump) return { now, status }
    memory.clockOffset = offset
    if (before === undefined) return { now, status }
    for (const [gate, due] of memory.gateDue) memory.gateDue.set(gate, due + offset - before)
    return { now, status: PlanState.rebase(status, offset - before) }
  })

  const transient = (memory: ZoneMemory, { zone }: Observation, now: number): void => {
    const passing = zone.known && (zone.value.state === "mounted" || DriftDetector.isTransient(zone.value)) ? zone.value.state : undefined
    if (passing === undefined) memory.transient = undefined
    else if (memory.transient?.state !== passing) memory.transient = { state: passing, since: now }
  }

  const gates = Effect.fnUntraced(function*(instance: ZoneInstance, memory: ZoneMemory, status: Status, now: number) {
    if (options.gateClient === undefined) return status
    const problem = options.gateProblem?.(instance)
    const { generation } = instance.metadata
    const checked = problem === undefined
      ? Conditions.clear(status, { type: "GateConfigInvalid", reason: "Valid", message: "the annotations of the gates are valid" }, generation, now)
      : Conditions.set(status, { type: "GateConfigInvalid", status: "True", reason: "Invalid", message: problem }, generation, now)
    const due = problem === undefined && status.phase === "Running" && instance.metadata.deletionTimestamp === undefined
      ? (instance.spec.gates ?? []).filter(({ name }) => now >= (memory.gateDue.get(name) ?? 0))
      : []
    if (due.length === 0) return GateProbe.summarise(instance, checked, now, problem)
    const client = yield* Effect.either(options.gateClient(instance))
    const result = yield* GateProbe.probe(instance, checked, due, client, now)
    for (const { name } of due) {
      memory.gateDue.set(name, now + interval * (1 + ((yield* Random.next) - 0.5) / 5))
      // What was just approved is asked again soon, so that the workload need not wait for the next round.
      const approvals = result.status.gates?.[name]?.approvals ?? 0
      if (approvals > 0 && approvals < PlanOutcome.approvalsUntilStuck) memory.gateDue.set(name, now + Math.min(afterApproval, interval))
    }
    yield* Effect.forEach(result.outcomes, (outcome) => passNews.probed(teller, instance, outcome), { discard: true })
    zoneMemory.tell(memory, ...result.events.map((event) => teller.event(instance, event)))
    return GateProbe.summarise(instance, result.status, now)
  })

  return {
    at: Effect.fnUntraced(function*(instance: ZoneInstance, memory: ZoneMemory, given: Status): Effect.fn.Return<Seen> {
      const clock = yield* clocks(memory, given)
      const observation = yield* options.observe({ ...instance, status: clock.status })
      const now = yield* Clock.currentTimeMillis
      transient(memory, observation, now)
      const status = yield* gates(instance, memory, clock.status, now)
      return { observation, status, now }
    }),

    count: (memory, drifts) =>
      Effect.suspend(() => {
        if (drifts.length === 0 && memory.driftsSeen.size === 0) return Effect.void
        const before = memory.driftsSeen
        memory.driftsSeen = new Set(drifts.map(({ kind }) => kind))
        return Effect.forEach(drifts.filter(({ kind }) => !before.has(kind)), ({ kind }) => passNews.drift(kind), { discard: true })
      }),

    sooner: (requeue, memory, { phase }, now) => {
      if (requeue._tag !== "After" || phase !== "Running" || memory.gateDue.size === 0) return requeue
      const due = Math.max(1, Math.ceil(Math.min(...memory.gateDue.values()) - now))
      return due < Duration.toMillis(requeue.delay) ? { _tag: "After", delay: Duration.millis(due), reason: "a gate is to be asked" } : requeue
    }
  }
}
