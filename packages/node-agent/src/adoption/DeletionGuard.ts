/**
 * Whether what the API does not say may be taken for a deletion. A server that was restored from an older backup, or that gives a list
 * which came up short, must not make a node remove what runs on it. Pure: times, versions and uids in, a verdict out.
 */

/** Why deletions wait. @category models */
export type Hold = "StateRewound" | "ShrunkList"

/** @category models */
export interface Options {
  /** Milliseconds between two lists that must say the same. */
  readonly confirmation: number
  /** Milliseconds without another step back after which a state that went back is believed. */
  readonly stableAfter: number
}

/** @category models */
export interface DeletionGuard {
  /** The version up to which the copy of the API's pods is current, each time it was read anew. */
  readonly noteVersion: (version: string, now: number) => void
  /** A pod was not in a list that was read anew, without anybody having told of its deletion; `present` is how many others are in it. */
  readonly noteMissing: (uid: string, present: number) => void
  /** A pod is there, or its deletion was told. */
  readonly noteKnown: (uid: string) => void
  /** A list that was read for this purpose alone. Two that agree end the suspicion of what is in neither. */
  readonly noteList: (uids: ReadonlySet<string>, now: number) => void
  /** Why this pod is not removed now, although the API does not have it. */
  readonly holds: (uid: string, now: number) => Hold | undefined
  /** An operator says that the older state is the right one. */
  readonly confirmRewind: () => void
  readonly isRewound: (now: number) => boolean
  /** Whether a list has to be read to go on. */
  readonly needsList: (now: number) => boolean
  /** The highest version seen, for the record of the next agent. */
  readonly version: () => string
  /** Since when the state is held to have gone back; undefined when it has not. */
  readonly rewoundAt: () => number | undefined
}

/** What a record of an earlier agent says. @category models */
export interface Before {
  readonly version: string
  readonly rewoundAt: number | undefined
}

const isDigits = /^\d{1,40}$/

/** Whether version `a` is older than `b`. Versions that are no numbers cannot be compared: then neither is older. @category combinators */
export const isOlder = (a: string, b: string): boolean => isDigits.test(a) && isDigits.test(b) && BigInt(a) < BigInt(b)

/** As many may be missing in one list without a second one. */
const fewMissing = 3

const same = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => a.size === b.size && [...a].every((uid) => b.has(uid))

/** @category constructors */
export const make = (options: Options, before: Before = { version: "", rewoundAt: undefined }): DeletionGuard => {
  let highest = before.version
  let current = ""
  let rewoundAt = before.rewoundAt
  /** Pods that a list was short of, while that many were in it. */
  const missing = new Map<string, number>()
  /** Missing pods of which two lists have said that they are not there. */
  const verified = new Set<string>()
  let lists: ReadonlyArray<{ readonly uids: ReadonlySet<string>; readonly at: number }> = []

  const isRewound = (now: number): boolean => {
    if (rewoundAt !== undefined && now - rewoundAt >= options.stableAfter) {
      rewoundAt = undefined
      highest = current === "" ? highest : current
    }
    return rewoundAt !== undefined
  }
  const isSuspicious = (): boolean => {
    const open = [...missing].filter(([uid]) => !verified.has(uid))
    if (open.length === 0) return false
    const present = Math.min(...open.map(([, count]) => count))
    return present === 0 || (open.length > fewMissing && open.length > present)
  }
  return {
    noteVersion: (version, now) => {
      if (version === "") return
      if (isOlder(version, current === "" ? highest : current)) rewoundAt = now
      current = version
      if (rewoundAt === undefined && !isOlder(version, highest)) highest = version
    },
    noteMissing: (uid, present) => {
      missing.set(uid, present)
      verified.delete(uid)
      lists = []
    },
    noteKnown: (uid) => {
      missing.delete(uid)
      verified.delete(uid)
    },
    noteList: (uids, now) => {
      const first = lists.find((list) => now - list.at >= options.confirmation)
      if (first !== undefined && same(first.uids, uids)) {
        for (const uid of missing.keys()) if (!uids.has(uid)) verified.add(uid)
        lists = []
        return
      }
      // One that differs begins anew; one that came too early changes nothing.
      const [last] = lists
      if (last === undefined || !same(last.uids, uids)) lists = [{ uids, at: now }]
    },
    holds: (uid, now) => {
      if (isRewound(now)) return "StateRewound"
      return missing.has(uid) && !verified.has(uid) && isSuspicious() ? "ShrunkList" : undefined
    },
    confirmRewind: () => {
      rewoundAt = undefined
      highest = current === "" ? highest : current
    },
    isRewound,
    needsList: (now) => {
      const [last] = lists
      return isSuspicious() && (last === undefined || now - last.at >= options.confirmation)
    },
    version: () => highest,
    rewoundAt: () => rewoundAt
  }
}
