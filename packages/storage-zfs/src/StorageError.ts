/** What storage can answer instead of doing what was asked: one class per thing a caller can do differently. */
import type { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Schema from "effect/Schema"

const fields = {
  /** The operation that was asked for, as a verb phrase. */
  operation: Schema.String,
  /** Dataset, snapshot or pool. */
  dataset: Schema.String,
  /** What zfs or zpool printed. */
  detail: Schema.String
}

interface Fields {
  readonly operation: string
  readonly dataset: string
  readonly detail: string
}

const describe = (error: Fields, what: string, next: string): string =>
  `${error.operation} ${error.dataset}: ${what}${error.detail === "" ? "" : ` (${error.detail})`}; ${next}`

/** The dataset, its parent or the source of a clone does not exist. @category errors */
export class DatasetNotFound extends Schema.TaggedError<DatasetNotFound>()("DatasetNotFound", fields) {
  override get message(): string {
    return describe(this, "the dataset or its parent does not exist", "create it first")
  }
}

/** A dataset or snapshot with that name exists. @category errors */
export class DatasetExists extends Schema.TaggedError<DatasetExists>()("DatasetExists", fields) {
  override get message(): string {
    return describe(this, "it exists already", "reuse it, or destroy it first")
  }
}

/** Something still uses the dataset; this often goes away by itself. @category errors */
export class DatasetBusy extends Schema.TaggedError<DatasetBusy>()("DatasetBusy", fields) {
  override get message(): string {
    return describe(this, "something still uses it", "end the processes and mounts that use it, then try again")
  }
}

/** The dataset has children or snapshots and a plain destroy was asked for. @category errors */
export class DatasetHasChildren extends Schema.TaggedError<DatasetHasChildren>()("DatasetHasChildren", fields) {
  override get message(): string {
    return describe(this, "it has children", "destroy it recursively, or its children first")
  }
}

/** Clones outside the dataset depend on it. @category errors */
export class DatasetHasClones extends Schema.TaggedError<DatasetHasClones>()("DatasetHasClones", fields) {
  override get message(): string {
    return describe(this, "clones depend on it", "destroy or promote the clones first")
  }
}

/** The hold is on the snapshot already. @category errors */
export class HoldExists extends Schema.TaggedError<HoldExists>()("HoldExists", fields) {
  override get message(): string {
    return describe(this, "the hold is there already", "go on, or take another tag")
  }
}

/** There is no such hold on the snapshot. @category errors */
export class HoldNotFound extends Schema.TaggedError<HoldNotFound>()("HoldNotFound", fields) {
  override get message(): string {
    return describe(this, "there is no such hold", "look at zfs holds; it may have been released before")
  }
}

/** The stream does not fit the target: another base, a changed target, or bytes that are cut or damaged. @category errors */
export class StreamRejected extends Schema.TaggedError<StreamRejected>()("StreamRejected", fields) {
  override get message(): string {
    return describe(this, "the stream cannot be received", "send again from a snapshot that both sides have, or resume if it was cut")
  }
}

/** This ZFS does not know an option, a property or a kind of dataset. @category errors */
export class NotSupported extends Schema.TaggedError<NotSupported>()("NotSupported", fields) {
  override get message(): string {
    return describe(this, "this ZFS cannot do that", "use a release that can, or do without")
  }
}

/** The dataset belongs to somebody else, or to another zone than the one named. @category errors */
export class DatasetNotOwned extends Schema.TaggedError<DatasetNotOwned>()("DatasetNotOwned", fields) {
  override get message(): string {
    return describe(this, "it belongs to somebody else", "leave it alone, or remove it by hand after looking at it")
  }
}

/** Pool or quota is full. @category errors */
export class OutOfSpace extends Schema.TaggedError<OutOfSpace>()("OutOfSpace", fields) {
  override get message(): string {
    return describe(this, "no space left", "free space in the pool, or raise the quota")
  }
}

/** The pool is missing, suspended or not usable. @category errors */
export class PoolUnavailable extends Schema.TaggedError<PoolUnavailable>()("PoolUnavailable", fields) {
  override get message(): string {
    return describe(this, "the pool is not available", "look at zpool status and import or repair the pool")
  }
}

/** The property or its value is not acceptable. @category errors */
export class PropertyRejected extends Schema.TaggedError<PropertyRejected>()("PropertyRejected", fields) {
  override get message(): string {
    return describe(this, "a property is not acceptable", "correct the property")
  }
}

/** Created, but its file system could not be mounted. @category errors */
export class DatasetNotMounted extends Schema.TaggedError<DatasetNotMounted>()("DatasetNotMounted", fields) {
  override get message(): string {
    return describe(this, "it is there but not mounted", "empty the mountpoint, then mount it")
  }
}

/** The caller lacks privileges. @category errors */
export class StoragePermissionDenied
  extends Schema.TaggedError<StoragePermissionDenied>()("StoragePermissionDenied", fields)
{
  override get message(): string {
    return describe(this, "not enough privileges", "run as root, or delegate the permission with zfs allow")
  }
}

/** zfs or zpool printed something this package cannot read. @category errors */
export class UnreadableZfsOutput extends Schema.TaggedError<UnreadableZfsOutput>()("UnreadableZfsOutput", fields) {
  override get message(): string {
    return describe(this, "the output has an unknown form", "compare the release of ZFS with the supported ones")
  }
}

/** Any other refusal. @category errors */
export class ZfsCommandFailed extends Schema.TaggedError<ZfsCommandFailed>()("ZfsCommandFailed", {
  ...fields,
  exitCode: Schema.Number
}) {
  override get message(): string {
    return describe(this, `failed with exit status ${this.exitCode}`, "run the command by hand to see more")
  }
}

/**
 * Everything an operation of this package can fail with.
 *
 * @category errors
 */
export type StorageError =
  | CommandRunner.CommandUnavailable
  | DatasetNotFound
  | DatasetExists
  | DatasetBusy
  | DatasetHasChildren
  | DatasetHasClones
  | DatasetNotOwned
  | HoldExists
  | HoldNotFound
  | StreamRejected
  | NotSupported
  | DatasetNotMounted
  | OutOfSpace
  | PoolUnavailable
  | PropertyRejected
  | StoragePermissionDenied
  | UnreadableZfsOutput
  | ZfsCommandFailed
