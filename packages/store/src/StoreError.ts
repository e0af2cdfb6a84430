/**
 * The ways in which the store can refuse: by the rules of compare-and-set, by the bounds of its history, by a fault of
 * the machine, or because the file it was given is not its own.
 */
import * as Schema from "effect/Schema"

/**
 * A create found the key in use.
 *
 * @category errors
 */
export class KeyExists extends Schema.TaggedError<KeyExists>()("KeyExists", {
  key: Schema.String,
  /** Revision of the version that is in the way. */
  revision: Schema.Number
}) {
  override get message(): string {
    return `key ${this.key} already exists at revision ${this.revision}: update it instead, or choose another name`
  }
}

/**
 * An update or a delete found nothing under the key.
 *
 * @category errors
 */
export class KeyNotFound extends Schema.TaggedError<KeyNotFound>()("KeyNotFound", { key: Schema.String }) {
  override get message(): string {
    return `key ${this.key} does not exist: it was never created, or it was deleted meanwhile`
  }
}

/**
 * The stored version is not the one that the writer had read. Read again, apply the change to what was read, retry.
 *
 * @category errors
 */
export class RevisionConflict extends Schema.TaggedError<RevisionConflict>()("RevisionConflict", {
  key: Schema.String,
  expected: Schema.Number,
  actual: Schema.Number
}) {
  override get message(): string {
    return `key ${this.key} is at revision ${this.actual}, not at ${this.expected}: read it again and retry`
  }
}

/**
 * The history before `compacted` is gone. Start from a fresh list.
 *
 * @category errors
 */
export class Compacted extends Schema.TaggedError<Compacted>()("Compacted", {
  requested: Schema.Number,
  /** Oldest revision that can still be read. */
  compacted: Schema.Number
}) {
  override get message(): string {
    return `revision ${this.requested} has been compacted (the oldest kept is ${this.compacted}): list again`
  }
}

/**
 * A read asked for a revision that no write has reached.
 *
 * @category errors
 */
export class FutureRevision extends Schema.TaggedError<FutureRevision>()("FutureRevision", {
  requested: Schema.Number,
  current: Schema.Number
}) {
  override get message(): string {
    return `revision ${this.requested} is in the future (the store is at ${this.current})`
  }
}

/**
 * Why an operation could not be carried out:
 * `NoSpace`: disk or quota is full; the store goes on, and writes succeed again once there is room (compaction makes room).
 * `TooLarge`: the encoded object is above the limit of the store.
 * `InvalidKey`: the key cannot be ordered or stored.
 * `InputOutput`: the read failed, nothing has changed.
 * `Failed`: the store met a fault after which it cannot vouch for further writes. Reads still work; restart the process.
 * `Closed`: the store is shutting down.
 *
 * @category models
 */
export const Reason = Schema.Literal("NoSpace", "TooLarge", "InvalidKey", "InputOutput", "Failed", "Closed")

/** One of the reasons above. @category models */
export type Reason = typeof Reason.Type

/**
 * The store itself could not do its work. A write that ends with it was neither acknowledged nor published.
 *
 * @category errors
 */
export class StoreError extends Schema.TaggedError<StoreError>()("StoreError", {
  /** What was being done: `create`, `range`, `compact`, ... */
  operation: Schema.String,
  reason: Reason,
  /** What is wrong, where, and what to do next. */
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `store ${this.operation}: ${this.detail}`
  }
}

/**
 * Another process holds the database.
 *
 * @category errors
 */
export class StoreLocked extends Schema.TaggedError<StoreLocked>()("StoreLocked", { path: Schema.String }) {
  override get message(): string {
    return `${this.path} is in use by another process: stop that process, or start this one with another path`
  }
}

/**
 * The database is damaged. Nothing was changed in it.
 *
 * @category errors
 */
export class StoreCorrupt extends Schema.TaggedError<StoreCorrupt>()("StoreCorrupt", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.path} is damaged (${this.detail}): move it and its -wal file aside and restore a backup`
  }
}

/**
 * What lies at the path is something else: a directory, another program's file. Nothing was changed in it.
 *
 * @category errors
 */
export class StoreForeign extends Schema.TaggedError<StoreForeign>()("StoreForeign", {
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.path} is not a Reddwarf store (${this.detail}): give the path of a store, or of a file that does not exist yet`
  }
}

/**
 * The database was written by a newer release.
 *
 * @category errors
 */
export class StoreTooNew extends Schema.TaggedError<StoreTooNew>()("StoreTooNew", {
  path: Schema.String,
  version: Schema.Number,
  supported: Schema.Number
}) {
  override get message(): string {
    return `${this.path} has schema ${this.version}, this release knows ${this.supported} and older: start the newer release again`
  }
}

/**
 * The database cannot be opened: missing directory, missing permission, no space.
 *
 * @category errors
 */
export class StoreUnavailable extends Schema.TaggedError<StoreUnavailable>()("StoreUnavailable", {
  path: Schema.String,
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `${this.path} cannot be opened (${this.detail}): check that its directory exists, is writable and has space`
  }
}

/** Everything that can keep a database from being opened. @category errors */
export type StoreOpenError = StoreLocked | StoreCorrupt | StoreForeign | StoreTooNew | StoreUnavailable
