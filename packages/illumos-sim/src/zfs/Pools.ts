/** What a pool of the simulated host is made of, and how it is. */
import type { HostContext } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import type { Pool } from "../HostState.js"

/** A group of devices that belong together. @category models */
export interface Group {
  /** `stripe`, `mirror`, `raidz1` … */
  readonly kind: string
  readonly names: ReadonlyArray<string>
}

/** The groups of a pool; one that came with the host is a single disk. @category combinators */
export const groups = (pool: Pool): ReadonlyArray<Group> => pool.devices ?? [{ kind: "stripe", names: ["c1t0d0"] }]

/** State of one device. @category combinators */
export const deviceState = (pool: Pool, name: string): string => pool.deviceStates?.[name] ?? "ONLINE"

const spare: Readonly<Record<string, number>> = { raidz1: 1, raidz: 1, raidz2: 2, raidz3: 3 }

/** How many devices of a group may fail. @category combinators */
export const redundancy = ({ kind, names }: Group): number => kind === "mirror" ? names.length - 1 : spare[kind] ?? 0

/** State of a group: as good as the devices that are left. @category combinators */
export const groupState = (pool: Pool, group: Group): string => {
  const failed = group.names.filter((name) => deviceState(pool, name) !== "ONLINE").length
  return failed === 0 ? "ONLINE" : failed <= redundancy(group) ? "DEGRADED" : "UNAVAIL"
}

/** State of the pool: that of its worst group, or the one that was planted. @category combinators */
export const state = (context: HostContext, pool: Pool): string => {
  const planted = Faults.find(context.host, "poolHealth", (fault) => fault.pool === pool.name)
  if (planted !== undefined) return planted.state
  const all = new Set(groups(pool).map((group) => groupState(pool, group)))
  return all.has("UNAVAIL") ? "UNAVAIL" : all.has("DEGRADED") ? "DEGRADED" : "ONLINE"
}

/** What `zpool list` shows: a suspended pool counts as online there, its state shows in `zpool status`. @category combinators */
export const health = (context: HostContext, pool: Pool): string => {
  const found = state(context, pool)
  return found === "SUSPENDED" ? "ONLINE" : found
}

/** The explanations of `zpool status` for a state that is not `ONLINE`. @category combinators */
export const explanation = (found: string): { readonly status: string; readonly action: string } | undefined => {
  switch (found) {
    case "DEGRADED":
      return {
        status: "One or more devices has been taken offline by the administrator.\n\tSufficient replicas exist for the pool to continue functioning in a\n\tdegraded state.",
        action: "Online the device using 'zpool online' or replace the device with\n\t'zpool replace'."
      }
    case "SUSPENDED":
      return {
        status: "One or more devices are faulted in response to IO failures.",
        action: "Make sure the affected devices are connected, then run 'zpool clear'."
      }
    case "FAULTED":
    case "UNAVAIL":
      return {
        status: "One or more devices could not be opened.  There are insufficient\n\treplicas for the pool to continue functioning.",
        action: "Attach the missing device and online it using 'zpool online'."
      }
    default:
      return undefined
  }
}
