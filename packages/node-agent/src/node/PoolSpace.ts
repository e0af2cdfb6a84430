/** The space that the storage pool of the node has left, as an annotation of the node: schedulers look at it. Pure. */
import type { Measurements } from "./NodeConditions.js"

/** Annotation with the bytes that the pool has left. @category constants */
export const annotation = "reddwarf.io/pool-available"

/** Smaller changes than this part of the pool are not told: a Node object is read by everybody who looks at nodes. */
const resolution = 1 / 128

/** Time between two writes in milliseconds. */
const interval = 60_000

/**
 * What the annotation is to become; undefined when it stays. `shown` is what it says now, `writtenAt` when this agent wrote it last and `now`
 * are milliseconds since the epoch.
 *
 * @category combinators
 */
export const change = (shown: string | undefined, pool: Measurements["pool"], writtenAt: number, now: number): string | undefined => {
  if (pool === undefined) return undefined
  const before = Number(shown ?? Number.NaN)
  const step = pool.size * resolution
  const isNews = Number.isNaN(before) || (Math.abs(pool.available - before) >= step && now - writtenAt >= interval)
  return isNews ? String(Math.max(0, Math.floor(pool.available))) : undefined
}
