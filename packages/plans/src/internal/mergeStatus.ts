/** What counts when the API and the ledger say different things of one zone. Pure. */
import * as Conditions from "../Conditions.js"
import * as DriftDetector from "../DriftDetector.js"
import type { LedgerEntry } from "../PlanLedger.js"
import type { Status } from "../ZoneInstance.js"

export interface Merged {
  readonly status: Status
  /** Somebody else writes plans for this zone. */
  readonly conflict: boolean
  /** The plan of the API is not in the ledger yet. */
  readonly unknownToLedger: boolean
}

const knows = (status: Status | undefined, id: string): boolean =>
  status?.lastPlan?.id === id || (status?.planHistory ?? []).some((record) => record.id === id) ||
  (status?.plan?.id === id && status.plan.phase !== "Active")

/** What the ledger has, with what others may write into the status of the API. */
export const withForeign = (status: Status, api: Status | undefined): Status => {
  const approved = api === undefined ? undefined : Conditions.get(api, DriftDetector.readinessApproved)
  if (approved === undefined) return status
  const rest = (status.conditions ?? []).filter(({ type }) => type !== approved.type)
  return { ...status, conditions: [...rest, approved] }
}

const merged = (status: Status, more: Partial<Merged> = {}): Merged => ({ status, conflict: false, unknownToLedger: false, ...more })

/** `entry` is what the ledger has; `api` the status in the API, undefined when the API cannot be asked. */
export const merge = (api: Status | undefined, entry: LedgerEntry | undefined): Merged => {
  const shown = api ?? {}
  const inApi = shown.plan?.phase === "Active" ? shown.plan : undefined
  if (entry === undefined) return merged(shown, { unknownToLedger: inApi !== undefined })
  const kept = entry.instance.status ?? {}
  const inLedger = entry.plan?.phase === "Active" ? entry.plan : undefined
  if (api === undefined) return merged(inLedger === undefined ? kept : { ...kept, plan: inLedger })
  if (inLedger !== undefined) {
    // The ledger is written first, so of one plan it knows at least as much.
    if (inApi?.id === inLedger.id) return merged({ ...shown, plan: inLedger })
    // A ledger that fell back to its previous copy may bring up a plan that has ended long since.
    if (knows(shown, inLedger.id)) return merged(shown, { unknownToLedger: inApi !== undefined })
    if (inApi === undefined || knows(kept, inApi.id)) return merged(withForeign({ ...kept, plan: inLedger }, api))
    return merged(shown, { conflict: true })
  }
  if (inApi !== undefined) {
    if (knows(kept, inApi.id)) return merged(withForeign(kept, api))
    return entry.recovered ? merged(shown, { unknownToLedger: true }) : merged(shown, { conflict: true })
  }
  const [last, lastShown] = [kept.lastPlan?.id, shown.lastPlan?.id]
  return last === undefined || last === lastShown || knows(shown, last) ? merged(shown) : merged(withForeign(kept, api))
}
