import type { Change, Version } from "../ObjectStore.js"
import type { Reason } from "../StoreError.js"

/** Where the versions lie. All calls are synchronous; each either does all of its work or throws `BackendFault`. */
export interface Backend {
  /** Keeps all of the changes, or none; returns when they are durable. Revisions ascend without a gap. */
  readonly append: (changes: ReadonlyArray<Change>) => void
  /** The bytes of a version that must be there. */
  readonly bytes: (revision: number) => Uint8Array
  /** The state at a kept revision: keys above `startAfter` in a prefix, ordered by key. */
  readonly range: (query: RangeQuery) => { readonly items: ReadonlyArray<Version>; readonly remaining: number }
  /** The kept changes above a revision and up to another, oldest first. */
  readonly changes: (after: number, upTo: number, limit: number) => ReadonlyArray<Change>
  /**
   * Drops what the changes above `from` and up to `to` have superseded, and deletions among them, and remembers that `to`
   * is now the oldest readable revision. Answers how many versions it dropped.
   */
  readonly compact: (from: number, to: number) => number
}

export interface RangeQuery {
  readonly prefix: string
  readonly startAfter: string
  readonly revision: number
  readonly limit: number
}

/** The current version of one key, as kept in the index. */
export interface IndexEntry {
  readonly revision: number
  readonly createRevision: number
}

/** What a backend knows when it opens. */
export interface Recovered {
  readonly index: Map<string, IndexEntry>
  readonly revision: number
  readonly compacted: number
}

/** The row of a revision that the index knows is not there. */
export const missing = (revision: number): BackendFault =>
  new BackendFault("InputOutput", `the version ${revision} is missing: the database is damaged, restore a backup`)

/** A backend could not do its work. With reason `Failed`, its state may no longer be the one in memory. */
export class BackendFault extends Error {
  override readonly name = "BackendFault"
  readonly reason: Extract<Reason, "NoSpace" | "InputOutput" | "Failed">
  constructor(reason: BackendFault["reason"], message: string, cause?: unknown) {
    super(message, { cause })
    this.reason = reason
  }
}
