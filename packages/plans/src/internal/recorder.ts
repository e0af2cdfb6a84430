/** The ledger as one zone's passes write it: what is on disk is mirrored in memory, so only differences are written. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Context from "effect/Context"
import type { Plan } from "../Plan.js"
import type { LedgerFailed } from "../PlanError.js"
import type { PlanLedger } from "../PlanLedger.js"
import type { Status, ZoneInstance } from "../ZoneInstance.js"
import type { ZoneMemory } from "./zoneMemory.js"
import { compact } from "./zoneMemory.js"

type Ledger = Context.Tag.Service<PlanLedger>

export const load = (ledger: Ledger, memory: ZoneMemory): Effect.Effect<void, LedgerFailed> =>
  Effect.map(ledger.load(memory.uid), (entry) => {
    memory.entry = Option.getOrUndefined(entry)
    memory.onDisk = memory.entry?.plan
  })

/** The object as the agent may have saved it since: only the agent does that, and only the object. */
export const refresh = (ledger: Ledger, memory: ZoneMemory): Effect.Effect<void, LedgerFailed> =>
  Effect.map(ledger.load(memory.uid), (entry) => {
    if (Option.isNone(entry)) return
    const { instance } = entry.value
    memory.entry = memory.entry === undefined ? entry.value : { ...memory.entry, instance }
  })

const withStatus = (instance: ZoneInstance, status: Status): ZoneInstance => ({ ...instance, status: compact(status) })

/** Before the first effect of `status.plan`. */
export const intent = (ledger: Ledger, memory: ZoneMemory, instance: ZoneInstance, status: Status): Effect.Effect<void, LedgerFailed> => {
  const written = withStatus(instance, status)
  return Effect.map(ledger.intent(written), () => {
    const { plan } = status
    memory.entry = { instance: written, accepted: false, recovered: false, ...(plan === undefined ? {} : { plan }) }
    memory.onDisk = plan
  })
}

/** The API has the plan. */
export const accepted = (ledger: Ledger, memory: ZoneMemory): Effect.Effect<void, LedgerFailed> => {
  const { entry } = memory
  return entry?.plan === undefined || entry.accepted
    ? Effect.void
    : Effect.map(ledger.accepted(memory.uid, entry.plan.id), () => {
      memory.entry = { ...entry, accepted: true }
    })
}

/** Tasks that are not as they are on disk. */
export const tasks = (ledger: Ledger, memory: ZoneMemory) => (plan: Plan, durable: boolean): Effect.Effect<void, LedgerFailed> => {
  const { entry, onDisk } = memory
  if (entry === undefined || onDisk?.id !== plan.id) return Effect.void
  const known = onDisk.tasks
  const changed = plan.tasks.flatMap((task, index) => task === known[index] ? [] : [[index, task] as const])
  return changed.length === 0 ? Effect.void : Effect.map(ledger.tasks(memory.uid, plan.id, changed, durable), () => {
    memory.entry = { ...entry, plan }
    memory.onDisk = plan
  })
}

/** How far the plan got, also where nothing of it has to be written. */
export const progress = (memory: ZoneMemory, plan: Plan): void => {
  if (memory.entry?.plan?.id === plan.id) memory.entry = { ...memory.entry, plan }
}

/** The plan ended: what is left of it. After the end of a zone that is nothing: its records go next. */
export const ended = (ledger: Ledger, memory: ZoneMemory, instance: ZoneInstance, status: Status): Effect.Effect<void, LedgerFailed> => {
  const written = withStatus(instance, status)
  const isLast = status.lastPlan?.type === "teardown" && status.lastPlan.outcome === "Complete" && memory.entry?.plan?.type === "teardown"
  return Effect.map(isLast ? Effect.void : ledger.ended(written), () => {
    memory.entry = { instance: written, accepted: false, recovered: false }
    memory.onDisk = undefined
  })
}
