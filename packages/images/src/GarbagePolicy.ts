/** Which images go when the pool fills up. */
import type { Digest } from "./Digest.js"
import type { ImageRecord } from "./Image.js"

/** When images are removed, and how far. @category models */
export interface GarbagePolicy {
  /** Percent of the pool in use at which removing begins. */
  readonly highPercent: number
  /** Percent of the pool in use at which it ends. */
  readonly lowPercent: number
  /** Milliseconds an image stays after it came or was last used, however full the pool is. */
  readonly minAge: number
}

/** 85 and 80 percent, 2 minutes: those of a kubelet. @category models */
export const defaultPolicy: GarbagePolicy = { highPercent: 85, lowPercent: 80, minAge: 120_000 }

/** Space of a pool in bytes. @category models */
export interface PoolSpace {
  readonly size: number
  readonly allocated: number
}

/** Bytes that should be given back: 0 below the high mark, else what is above the low one. @category combinators */
export const excess = (policy: GarbagePolicy, pool: PoolSpace): number =>
  pool.size <= 0 || (pool.allocated * 100) / pool.size < policy.highPercent
    ? 0
    : Math.max(0, Math.ceil(pool.allocated - (pool.size * policy.lowPercent) / 100))

/**
 * Images that may go, the longest unused first. Never one that is in use, nor a younger one than the policy says.
 *
 * @category combinators
 */
export const candidates = (policy: Pick<GarbagePolicy, "minAge">, images: ReadonlyArray<ImageRecord>, now: number): ReadonlyArray<ImageRecord> =>
  images
    .filter(({ pulledAt, usedAt, users }) => users.length === 0 && now - Math.max(pulledAt, usedAt) >= policy.minAge)
    .sort((a, b) => Math.max(a.usedAt, a.pulledAt) - Math.max(b.usedAt, b.pulledAt) || (a.id < b.id ? -1 : 1))

/** What removing did. @category models */
export interface Collected {
  readonly removed: ReadonlyArray<ImageRecord>
  /** Bytes of the datasets that are gone. */
  readonly freed: number
  /** Images that turned out to be in use, as by a clone nobody told of. */
  readonly kept: ReadonlyArray<Digest>
}
