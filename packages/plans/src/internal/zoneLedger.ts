/** The ledger as it counts for one zone, and what is told when it cannot be written. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { LedgerFailed } from "../PlanError.js"
import type { PlanLedger } from "../PlanLedger.js"
import type { ZoneInstance } from "../ZoneInstance.js"
import * as passNews from "./passNews.js"
import type { ZoneMemory } from "./zoneMemory.js"
import * as zoneMemory from "./zoneMemory.js"

type Ledger = Context.Tag.Service<PlanLedger>

/** A zone, as a pass sees it. */
export interface Zone {
  readonly memory: ZoneMemory
  readonly instance: ZoneInstance
  /** Its pod ends. */
  readonly deleting: boolean
}

/**
 * The end of a pod is not held up by a ledger that cannot be written: all that a teardown does is found out again by looking, so what is not
 * written down costs nothing but the trace of it. What is on disk stays whole.
 */
const forgiving = (ledger: Ledger, onFailure: (error: LedgerFailed) => Effect.Effect<void>): Ledger => ({
  ...ledger,
  load: (uid) => Effect.catchAll(ledger.load(uid), (error) => Effect.as(onFailure(error), Option.none())),
  save: (instance) => Effect.catchAll(ledger.save(instance), onFailure),
  intent: (instance) => Effect.catchAll(ledger.intent(instance), onFailure),
  accepted: (uid, planId) => Effect.catchAll(ledger.accepted(uid, planId), onFailure),
  tasks: (uid, planId, tasks, durable) => Effect.catchAll(ledger.tasks(uid, planId, tasks, durable), onFailure),
  ended: (instance) => Effect.catchAll(ledger.ended(instance), onFailure),
  remove: (uid) => Effect.catchAll(ledger.remove(uid), onFailure)
})

export interface ZoneLedger {
  readonly of: (zone: Zone) => Ledger
  /** Tells it once, until it can be written again. */
  readonly failed: (zone: Zone, error: LedgerFailed) => Effect.Effect<void>
}

export const make = (ledger: Ledger, teller: passNews.Teller): ZoneLedger => {
  const failed = ({ deleting, instance, memory }: Zone, error: LedgerFailed) =>
    Effect.suspend(() => {
      const news = passNews.ledgerUnavailable(error, deleting)
      if (memory.ledgerFails) return Effect.logDebug(news.message)
      memory.ledgerFails = true
      zoneMemory.tell(memory, teller.event(instance, news))
      return Effect.logWarning(news.message)
    })
  return { failed, of: (zone) => zone.deleting ? forgiving(ledger, (error) => failed(zone, error)) : ledger }
}
