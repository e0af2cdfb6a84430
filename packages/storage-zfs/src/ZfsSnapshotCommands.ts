/** Command lines of zfs for holds on snapshots and for streams between datasets. */
import { CommandLine } from "@reddwarf/runtime-illumos"
import type { DatasetName, SnapshotName } from "./DatasetName.js"
import type { Properties } from "./ZfsCommands.js"

const program = "/usr/sbin/zfs"

const flags = (table: Readonly<Record<string, boolean | undefined>>): ReadonlyArray<string> =>
  Object.entries(table).flatMap(([flag, given]) => (given === true ? [flag] : []))

interface Recursive {
  /** Also the snapshots of that name of everything below (`-r`). */
  readonly recursive?: boolean
}

/** Keeps snapshots from being destroyed until the tag is released. @category constructors */
export const hold = (tag: string, snapshots: ReadonlyArray<SnapshotName>, options: Recursive = {}): CommandLine.CommandLine =>
  CommandLine.make(program, "hold", ...flags({ "-r": options.recursive }), tag, ...snapshots)

/** Removes a hold. A snapshot whose destruction was deferred goes with its last hold. @category constructors */
export const release = (tag: string, snapshots: ReadonlyArray<SnapshotName>, options: Recursive = {}): CommandLine.CommandLine =>
  CommandLine.make(program, "release", ...flags({ "-r": options.recursive }), tag, ...snapshots)

/** Prints the holds of snapshots as a table with a header; see `ZfsOutput.parseHolds`. zfs-fuse lacks it. @category constructors */
export const holds = (snapshots: ReadonlyArray<SnapshotName>, options: Recursive = {}): CommandLine.CommandLine =>
  CommandLine.make(program, "holds", ...flags({ "-r": options.recursive }), ...snapshots)

/** What a stream contains. @category models */
export interface SendOptions {
  /** Only what changed since this earlier snapshot of the same dataset (`-i`), or since the origin of a clone. */
  readonly from?: SnapshotName
  /** With `from`: every snapshot between, too (`-I`). */
  readonly intermediate?: boolean
  /** Everything below, snapshots, clones and properties included (`-R`). */
  readonly replicate?: boolean
  /** With properties (`-p`). */
  readonly properties?: boolean
}

/** Writes a snapshot to standard output: bytes that only `zfs receive` understands. @category constructors */
export const send = (name: SnapshotName, options: SendOptions = {}): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "send",
    ...flags({ "-R": options.replicate, "-p": options.properties }),
    ...(options.from === undefined ? [] : [options.intermediate === true ? "-I" : "-i", options.from]),
    name
  )

/** Writes the rest of a stream that was cut; the token is `receive_resume_token` of the receiving dataset. @category constructors */
export const sendResume = (token: string): CommandLine.CommandLine => CommandLine.make(program, "send", "-t", token)

/** How a stream is received. @category models */
export interface ReceiveOptions {
  /** Roll the target back to its newest snapshot, or replace one without snapshots (`-F`). */
  readonly rollback?: boolean
  /** Do not mount it (`-u`). */
  readonly unmounted?: boolean
  /** Keep what arrived of a cut stream, so that the rest can follow (`-s`). Not known to zfs-fuse. */
  readonly resumable?: boolean
  /** Properties of the received dataset in place of those of the stream (`-o`). Not known to zfs-fuse. */
  readonly properties?: Properties
  /** Name the target after the sent dataset: all of its path but the pool (`-d`), or the last component (`-e`). */
  readonly nameFrom?: "path" | "last"
}

/** Makes a dataset or snapshot from the stream on standard input. @category constructors */
export const receive = (target: DatasetName | SnapshotName, options: ReceiveOptions = {}): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "receive",
    ...flags({
      "-F": options.rollback,
      "-u": options.unmounted,
      "-s": options.resumable,
      "-d": options.nameFrom === "path",
      "-e": options.nameFrom === "last"
    }),
    ...Object.entries(options.properties ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, value]) => ["-o", `${name}=${value}`]),
    target
  )

/** Throws away what arrived of a cut stream (`receive -A`). @category constructors */
export const abortReceive = (target: DatasetName): CommandLine.CommandLine => CommandLine.make(program, "receive", "-A", target)
