import type { Change, Origin } from "../ObjectStore.js"
import type { Reason } from "../StoreError.js"
import type { VersionRecord } from "./versionIndex.js"

/** What is read of one version when it is asked for. */
export interface Content {
  readonly bytes: Uint8Array
  readonly origin: Origin | undefined
}

/** Where versions lie that must survive. All calls are synchronous; each either does all of its work or throws `BackendFault`. */
export interface Backend {
  /** Keeps all of the changes, or none; returns when they are durable. Revisions ascend; `before` is the last one that was used. */
  readonly append: (changes: ReadonlyArray<Change>, before: number) => void
  /** The content of a version that must be there. */
  readonly content: (record: VersionRecord) => Content
  /**
   * Drops what these changes have superseded, and deletions among them, in the order given and as many as fit into a few
   * milliseconds; what had an origin goes into the history. Remembers the last one's revision as the oldest readable one.
   * Answers how many of the changes it has gone through.
   */
  readonly compact: (records: ReadonlyArray<VersionRecord>, now: number) => number
  /** Drops what is too old or too much of the history, and gives free pages back to the disk, in a bounded step. Answers whether more is to be done. */
  readonly tidy: (now: number) => boolean
  /** No revision up to this one is used again after a restart, whatever was written with it. */
  readonly reserve: (revision: number) => void
}

/** What a backend knows when it opens. */
export interface Recovered {
  /** The kept versions, by revision. */
  readonly records: ReadonlyArray<VersionRecord>
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
