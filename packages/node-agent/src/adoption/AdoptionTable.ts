/**
 * What an agent does about what it finds on the host: one decision for each pod or zone, from one look at the host and at what is wanted.
 * Pure, so that each row can be read and tried by itself.
 */
import type { ZoneAdm } from "@reddwarf/runtime-illumos"
import type { Action } from "./ReconcileReport.js"

/** What is wanted of a pod. @category models */
export interface Wanted {
  /** Whether somebody asked for the zone to be stopped and kept. */
  readonly stopped: boolean
  /** Whether the pod has come to its end, so that its zone is not needed. */
  readonly over: boolean
  /** Known only from the record of an earlier agent. */
  readonly remembered: boolean
}

/** One row: a zone, a pod, or both. @category models */
export interface Row {
  /** Absent when there is no zone. */
  readonly zone: {
    readonly state: ZoneAdm.ZoneState
    /** Milliseconds for which the zone has been seen in this state. */
    readonly since: number
  } | undefined
  /** Who the zone says it belongs to; `ours` for a pod without a zone. */
  readonly tag: "ours" | "foreign" | "none" | "unreadable"
  /** Whether another zone claims the same uid. */
  readonly duplicate: boolean
  readonly wanted: Wanted | undefined
  /** Whether all that could want the pod has been heard. */
  readonly synced: boolean
  /** Why it is not believed that nobody wants the pod any more. */
  readonly held: string | undefined
  /** Whether the host was booted since the last agent ran. */
  readonly rebooted: boolean
  /** Whether this agent has found the zone running before. */
  readonly adopted: boolean
}

/** @category models */
export interface Decision {
  readonly action: Action
  /** Whether the pod is worked on. Nobody touches the zone otherwise, whatever else may ask for it. */
  readonly work: boolean
  /** Why an operator has to look at the zone. */
  readonly stuck?: string
}

/** A zone that is on its way for longer than this is stuck, in milliseconds. @category models */
export const passingMillis = 120_000

/** A zone that is mounted for longer than this is shown, in milliseconds. @category models */
export const mountedMillis = 600_000

const skipped = (reason: Extract<Action, { readonly type: "Skipped" }>["reason"]): Decision => ({ action: { type: "Skipped", reason }, work: false })
const working = (action: Action): Decision => ({ action, work: true })

const ofUnwanted = ({ held, synced }: Row): Decision =>
  !synced ? skipped("notSynced") : held !== undefined ? { action: { type: "Skipped", reason: "held" }, work: true } : working({ type: "Removed" })

const ofWanted = (row: Row, zone: NonNullable<Row["zone"]>, wanted: Wanted): Decision => {
  switch (zone.state) {
    case "running":
      // A zone that is not what its pod asks for now is adopted like any other; the pass over the pod finds the difference.
      if (wanted.stopped) return working({ type: "Stopped" })
      if (wanted.over) return working({ type: "Removed" })
      return working({ type: row.adopted ? "NoOp" : "Adopted" })
    case "installed":
      if (wanted.stopped) return skipped("userStopped")
      if (wanted.over) return working({ type: "Removed" })
      return working({ type: "Restarted", reason: row.rebooted ? "the host was booted" : "its zone was halted" })
    case "configured":
      return wanted.stopped ? skipped("userStopped") : working({ type: wanted.over ? "Removed" : "Started" })
    case "incomplete":
      return working({ type: "Recreated", reason: "its installation was not complete" })
    case "mounted":
    case "ready":
    case "shutting_down":
    case "down":
    case "transient":
      break
  }
  // It is on its way from one state to another.
  const restarted = working({ type: "Restarted", reason: `its zone was ${zone.state}` })
  return zone.since > passingMillis ? { ...restarted, stuck: `${zone.state} for ${Math.floor(zone.since / 1000)} s` } : restarted
}

/**
 * The decision for a row.
 *
 * @category combinators
 */
export const decide = (row: Row): Decision => {
  const { tag, wanted, zone } = row
  if (tag === "none") return skipped("unmanaged")
  if (tag === "foreign") return skipped("foreign")
  if (tag === "unreadable") return { action: { type: "Quarantined", reason: "its attributes cannot be read" }, work: false }
  if (row.duplicate) return { action: { type: "Quarantined", reason: "another zone claims the same pod" }, work: false }
  if (zone === undefined) {
    if (wanted === undefined) return ofUnwanted(row)
    if (wanted.stopped) return skipped("userStopped")
    if (wanted.over) return working({ type: "NoOp" })
    return wanted.remembered || !row.synced ? skipped("notSynced") : working({ type: "Started" })
  }
  if (zone.state === "mounted") {
    return { ...skipped("mounted"), ...(zone.since > mountedMillis ? { stuck: `mounted for ${Math.floor(zone.since / 60_000)} min` } : {}) }
  }
  return wanted === undefined ? ofUnwanted(row) : ofWanted(row, zone, wanted)
}
