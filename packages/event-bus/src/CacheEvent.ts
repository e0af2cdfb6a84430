/** What the cache holds and what it tells its watchers. */

/**
 * One current or former version of an object.
 *
 * @category models
 */
export interface CacheEntry {
  readonly key: string
  /** Revision of the write that made this version. */
  readonly revision: number
  /** Revision of the create that the object began with. */
  readonly createRevision: number
  /** The stored JSON. */
  readonly bytes: Uint8Array
  /**
   * The decoded object: the one its writer handed over, or else parsed when it is asked for. It is remembered for a while, not
   * for good: keep the entry rather than the object. Must not be modified.
   */
  readonly object: unknown
  /**
   * Has the decoded object at hand for some time. Said by those who are about to change it: whoever is told of the change asks what
   * was there before.
   */
  readonly remember?: () => void
}

/** What happened to an object. @category models */
export type CacheEventType = "ADDED" | "MODIFIED" | "DELETED"

/**
 * One change, shared by all watchers it is delivered to.
 *
 * @category models
 */
export interface CacheEvent {
  readonly type: CacheEventType
  readonly key: string
  readonly revision: number
  /** The new version; for DELETED the last state, at the revision of the deletion. */
  readonly entry: CacheEntry
  /** The version before; absent for ADDED. */
  readonly previous: CacheEntry | undefined
  /**
   * The bytes of this event in some encoding, made once and shared by all watchers. `kind` names the encoding (for
   * example `json` or `table`); `make` is only called when no watcher has asked for that encoding lately.
   */
  encoded(kind: string, make: () => Uint8Array): Uint8Array
}
