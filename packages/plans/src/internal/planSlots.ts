/** Places for the plans of a node: so many at a time, the most important first. */
import { Timestamp } from "@reddwarf/api-types"
import type { Plan } from "../Plan.js"
import * as PlanState from "../PlanState.js"
import * as Precedence from "../Precedence.js"

interface Waiting {
  readonly priority: number
  readonly since: number
}

interface Pool {
  readonly size: number
  readonly running: Set<string>
  readonly waiting: Map<string, Waiting>
}

const pool = (size: number): Pool => ({ size, running: new Set(), waiting: new Map() })

const isBefore = (left: Waiting, right: Waiting): boolean =>
  left.priority !== right.priority ? left.priority > right.priority : left.since < right.since

/** Who is next to get a place. */
const next = ({ waiting }: Pool): string | undefined => {
  let best: readonly [string, Waiting] | undefined
  for (const entry of waiting) if (best === undefined || isBefore(entry[1], best[1])) best = entry
  return best?.[0]
}

export interface PlanSlots {
  /** Whether the plan may go on now; if not it waits in order. */
  readonly acquire: (key: string, plan: Plan, priority: number) => boolean
  /** Gives the place back. Gives the key that may go on now, if one waits. */
  readonly release: (key: string) => string | undefined
}

export const make = (sizes: { readonly disruptive: number; readonly repair: number }): PlanSlots => {
  const disruptive = pool(sizes.disruptive)
  const repair = pool(sizes.repair)
  return {
    acquire: (key, plan, priority) => {
      const rule = Precedence.rules[plan.type]
      if (!rule.limited) return true
      const { running, size, waiting } = Precedence.isDisruptive(plan) ? disruptive : repair
      if (running.has(key)) return true
      // What was begun before a restart of the agent goes on: a zone may be down for it.
      const isBegun = plan.tasks.some((task) => task.status === "Complete" || PlanState.isBegun(task))
      waiting.set(key, { priority, since: Timestamp.toMillis(plan.createdAt) ?? 0 })
      const isFirst = running.size < size && next({ running, size, waiting }) === key
      if (!isBegun && !isFirst) return false
      waiting.delete(key)
      running.add(key)
      return true
    },
    release: (key) => {
      let freed: Pool | undefined
      for (const pool of [disruptive, repair]) {
        if (pool.running.delete(key)) freed = pool
        // One that waits no more may have been in the way of another.
        else if (pool.waiting.delete(key) && pool.running.size < pool.size) freed = pool
      }
      return freed === undefined ? undefined : next(freed)
    }
  }
}
