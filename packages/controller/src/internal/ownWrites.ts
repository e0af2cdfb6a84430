/**
 * What a controller wrote and its informer has not shown yet, by the key of the object it was written for. Without it a pass that follows
 * quickly would write the same again.
 */

export interface OwnWrites {
  /** Notes that an object with this uid was created. */
  readonly created: (key: string, uid: string, now: number) => void
  /** Notes that the deletion of the object with this uid was asked for. */
  readonly deleted: (key: string, uid: string, now: number) => void
  /** Created objects that were not seen yet. */
  readonly pendingCreations: (key: string, now: number) => number
  readonly isPendingDeletion: (key: string, uid: string, now: number) => boolean
  /** Nothing was created or deleted that was not seen yet. */
  readonly isSettled: (key: string, now: number) => boolean
  /** The informer shows the object; `leaving`: as one that is deleted, or being deleted. */
  readonly seen: (key: string, uid: string, leaving: boolean) => void
  readonly forget: (key: string) => void
}

/** After this time, in milliseconds, a write that was never shown is no longer believed in. */
const patience = 5 * 60_000

export const make = (): OwnWrites => {
  const creations = new Map<string, Map<string, number>>()
  const deletions = new Map<string, Map<string, number>>()

  const note = (writes: Map<string, Map<string, number>>, key: string, uid: string, now: number): void => {
    const noted = writes.get(key) ?? new Map<string, number>()
    noted.set(uid, now)
    writes.set(key, noted)
  }

  const drop = (writes: Map<string, Map<string, number>>, key: string, uid: string): void => {
    const noted = writes.get(key)
    noted?.delete(uid)
    if (noted?.size === 0) writes.delete(key)
  }

  const pending = (writes: Map<string, Map<string, number>>, key: string, now: number): number => {
    for (const [uid, at] of writes.get(key) ?? []) if (now - at >= patience) drop(writes, key, uid)
    return writes.get(key)?.size ?? 0
  }

  return {
    created: (key, uid, now) => note(creations, key, uid, now),
    deleted: (key, uid, now) => note(deletions, key, uid, now),
    pendingCreations: (key, now) => pending(creations, key, now),
    isSettled: (key, now) => pending(creations, key, now) === 0 && pending(deletions, key, now) === 0,
    isPendingDeletion: (key, uid, now) => {
      const at = deletions.get(key)?.get(uid)
      return at !== undefined && now - at < patience
    },
    seen: (key, uid, leaving) => {
      drop(creations, key, uid)
      if (leaving) drop(deletions, key, uid)
    },
    forget: (key) => {
      creations.delete(key)
      deletions.delete(key)
    }
  }
}
