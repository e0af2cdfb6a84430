/** Gates are asked, and the answers become conditions: open, closed, or not known. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Conditions from "./Conditions.js"
import type { Gate } from "./Gate.js"
import * as Gates from "./Gate.js"
import type { GateAnswer, GateClient, GateClientUnavailable } from "./GateClient.js"
import * as text from "./internal/text.js"
import * as PlanOutcome from "./PlanOutcome.js"
import type { GateMemory, Status, ZoneInstance } from "./ZoneInstance.js"

/** How a probe ended, as metrics count it. @category models */
export type Outcome = "ready" | "not_ready" | "unreachable" | "client_error"

/** @category models */
export interface Verdict {
  readonly status: "True" | "False" | "Unknown"
  readonly reason: "Ready" | "NotReady" | "Unreachable" | "ClientUnavailable"
  readonly outcome: Outcome
  readonly message: string
}

/** Longest time for one probe, with its connection, in ms. @category models */
export const probeTimeout = 2000

const open: Verdict = { status: "True", reason: "Ready", outcome: "ready", message: "the gate is open" }
const closed: Verdict = { status: "False", reason: "NotReady", outcome: "not_ready", message: "the gate is closed" }
const unreachable = (detail: string): Verdict => ({
  status: "Unknown",
  reason: "Unreachable",
  outcome: "unreachable",
  message: text.bounded(`the gate cannot be asked: ${detail}`, 512)
})

/** The three-way rule: open, closed, or anything else. Only closed is something to act on. @category combinators */
export const judge = (gate: Gate, answer: GateAnswer): Verdict => {
  if (answer._tag === "Unreachable") return unreachable(answer.detail)
  const { code } = answer
  if (answer._tag === "Exit") return code === 0 ? open : code === 1 ? closed : unreachable(`its command ended with code ${code}`)
  const isOpen = gate.name === Gates.sidecar ? code === 200 : code >= 200 && code <= 299
  return isOpen ? open : code === 503 ? closed : unreachable(`it answered with status ${code}`)
}

/** One probe, bounded in time. @category combinators */
export const ask = (client: GateClient, gate: Gate): Effect.Effect<Verdict> =>
  client.probe(gate).pipe(
    Effect.disconnect,
    Effect.timeoutTo({
      duration: probeTimeout,
      onSuccess: (answer: GateAnswer) => answer,
      onTimeout: (): GateAnswer => ({ _tag: "Unreachable", detail: `no answer within ${probeTimeout / 1000} s` })
    }),
    Effect.map((answer) => judge(gate, answer))
  )

/** What people are told when a gate's state changes for good. @category models */
export interface GateEvent {
  readonly type: "Normal" | "Warning"
  readonly reason: "SidecarReadinessLost" | "SidecarReadinessRestored" | "GateLost" | "GateRestored" | "GateStuck"
  readonly message: string
}

/** @category models */
export interface Result {
  readonly status: Status
  readonly outcomes: ReadonlyArray<Outcome>
  readonly events: ReadonlyArray<GateEvent>
}

const eventsOf = (gate: Gate, { status }: Verdict, before: GateMemory, stuck: boolean): ReadonlyArray<GateEvent> => {
  const isSidecar = gate.name === Gates.sidecar
  const events: Array<GateEvent> = []
  if (status === "False" && before.lastDefinite !== "False") {
    events.push({ type: "Warning", reason: isSidecar ? "SidecarReadinessLost" : "GateLost", message: `gate ${gate.name} is closed` })
  }
  if (status === "True" && before.lastDefinite === "False") {
    events.push({ type: "Normal", reason: isSidecar ? "SidecarReadinessRestored" : "GateRestored", message: `gate ${gate.name} is open again` })
  }
  if (stuck && before.stuck !== true) {
    events.push({ type: "Warning", reason: "GateStuck", message: `gate ${gate.name} stays closed though it was approved: look at what it waits for` })
  }
  return events
}

const remember = ({ status }: Verdict, before: GateMemory): GateMemory => {
  if (status === "Unknown") return before
  if (status === "True") return before.lastDefinite === "True" && before.approvals === undefined ? before : { lastDefinite: "True" }
  const stuck = (before.approvals ?? 0) >= PlanOutcome.approvalsUntilStuck
  return before.lastDefinite === "False" && (before.stuck ?? false) === stuck
    ? before
    : { ...before, lastDefinite: "False", ...(stuck ? { stuck } : {}) }
}

/** The status after these answers, and what they mean to people. Pure. @category combinators */
export const apply = (
  instance: ZoneInstance,
  status: Status,
  verdicts: ReadonlyArray<readonly [gate: Gate, verdict: Verdict]>,
  now: number
): Result => {
  let next = status
  const events: Array<GateEvent> = []
  const memories = new Map<string, GateMemory>()
  for (const [gate, verdict] of verdicts) {
    const before = status.gates?.[gate.name] ?? {}
    const after = remember(verdict, before)
    events.push(...eventsOf(gate, verdict, before, after.stuck === true))
    if (after !== before) memories.set(gate.name, after)
    next = Conditions.set(
      next,
      { type: Gates.conditionType(gate.name), status: verdict.status, reason: verdict.reason, message: verdict.message },
      instance.metadata.generation,
      now
    )
  }
  if (memories.size > 0) next = { ...next, gates: { ...next.gates, ...Object.fromEntries(memories) } }
  return { status: next, outcomes: verdicts.map(([, { outcome }]) => outcome), events }
}

/** Asks some gates of a zone at the same time. @category combinators */
export const probe = (
  instance: ZoneInstance,
  status: Status,
  gates: ReadonlyArray<Gate>,
  client: Either.Either<GateClient, GateClientUnavailable>,
  now: number
): Effect.Effect<Result> =>
  Effect.map(
    Effect.forEach(gates, (gate) =>
      Effect.map(
        Either.match(client, {
          onLeft: (error): Effect.Effect<Verdict> =>
            Effect.succeed({
              status: "Unknown",
              reason: "ClientUnavailable",
              outcome: "client_error",
              message: text.bounded(error.message, 512)
            }),
          onRight: (client) => ask(client, gate)
        }),
        (verdict) => [gate, verdict] as const
      ), { concurrency: 8 }),
    (verdicts) => apply(instance, status, verdicts, now)
  )

/** `GatesOpen` from the conditions of all gates. @category combinators */
export const summarise = (instance: ZoneInstance, status: Status, now: number, problem?: string): Status => {
  const { gates = [] } = instance.spec
  const { generation } = instance.metadata
  const set = (value: Omit<Conditions.ConditionValue, "type">) => Conditions.set(status, { ...value, type: "GatesOpen" }, generation, now)
  if (problem !== undefined) {
    return set({ status: "False", reason: "GateClosed", message: "the annotations of the gates are invalid: see condition GateConfigInvalid" })
  }
  if (gates.length === 0) return set({ status: "True", reason: "NoGates", message: "the pod has no gates" })
  const statusOf = (gate: Gate) => Conditions.get(status, Gates.conditionType(gate.name))?.status ?? "Unknown"
  const named = (wanted: string) => gates.filter((gate) => statusOf(gate) === wanted).map(({ name }) => name).join(", ")
  const shut = named("False")
  if (shut !== "") return set({ status: "False", reason: "GateClosed", message: `closed: ${shut}` })
  const unknown = named("Unknown")
  return unknown === ""
    ? set({ status: "True", reason: "AllOpen", message: "every gate is open" })
    : set({ status: "Unknown", reason: "GateUnknown", message: `not known: ${unknown}` })
}
