/**
 * Command lines of zfs that make, change, read and destroy datasets: absolute program path, stable order of arguments. Flags that not
 * every ZFS knows are named as such where they are chosen.
 */
import { CommandLine } from "@reddwarf/runtime-illumos"
import type { DatasetName, SnapshotName } from "./DatasetName.js"

const program = "/usr/sbin/zfs"

/** Native properties and user properties (`namespace:name`) by name. @category models */
export type Properties = Readonly<Record<string, string>>

const assignments = (properties: Properties): ReadonlyArray<string> =>
  Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, value]) => ["-o", `${name}=${value}`])

const flags = (table: Readonly<Record<string, boolean | undefined>>): ReadonlyArray<string> =>
  Object.entries(table).flatMap(([flag, given]) => (given === true ? [flag] : []))

/**
 * Makes a file system.
 *
 * @category constructors
 */
export const create = (
  name: DatasetName,
  properties: Properties = {},
  options: {
    /** Make missing parents too; then an existing dataset is no error, and its properties stay. */
    readonly parents?: boolean
    /** Do not mount it (`-u`). OpenZFS only; elsewhere give `canmount=noauto`. */
    readonly unmounted?: boolean
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(program, "create", ...flags({ "-p": options.parents, "-u": options.unmounted }), ...assignments(properties), name)

/**
 * Makes a volume: a block device at `/dev/zvol/rdsk/<name>` on illumos, `/dev/zvol/<name>` on Linux, where it appears a moment later.
 *
 * @category constructors
 */
export const createVolume = (
  name: DatasetName,
  /** Bytes; rounded up to the block size. */
  size: number,
  properties: Properties = {},
  options: {
    readonly parents?: boolean
    /** Reserve no space for it (`-s`): writes may fail when the pool is full. */
    readonly sparse?: boolean
    /** Bytes, a power of 2 from 512 to 131072 (`-b`). Default 8192 on illumos. */
    readonly blockSize?: number
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "create",
    ...flags({ "-p": options.parents, "-s": options.sparse }),
    ...(options.blockSize === undefined ? [] : ["-b", String(options.blockSize)]),
    ...assignments(properties),
    "-V",
    String(size),
    name
  )

/** How thoroughly something is destroyed. @category models */
export interface DestroyOptions {
  /** With its children and snapshots, but not with clones elsewhere (`-r`). For a snapshot: those of the same name below, too. */
  readonly recursive?: boolean
  /** With everything that depends on it, clones elsewhere included (`-R`). */
  readonly clones?: boolean
  /** A snapshot that is held or has clones goes as soon as it has none (`-d`). */
  readonly deferred?: boolean
  /** Unmount by force (`-f`). */
  readonly force?: boolean
  /** Only print what would go (`-n -v -p`); see `ZfsOutput.parseDestroyPreview`. Not known to zfs-fuse. */
  readonly dryRun?: boolean
}

const destroyFlags = (options: DestroyOptions): ReadonlyArray<string> => [
  ...flags({ "-r": options.recursive, "-R": options.clones, "-d": options.deferred, "-f": options.force }),
  ...(options.dryRun === true ? ["-n", "-v", "-p"] : [])
]

/**
 * Destroys a dataset or snapshot.
 *
 * @category constructors
 */
export const destroy = (name: DatasetName | SnapshotName, options: DestroyOptions = {}): CommandLine.CommandLine =>
  CommandLine.make(program, "destroy", ...destroyFlags(options), name)

/**
 * Destroys several snapshots of one dataset at once: `tank/a@x,y`. With a range, `tank/a@first%last`, both included; an absent end
 * means the oldest or the newest. Not known to zfs-fuse.
 *
 * @category constructors
 */
export const destroySnapshots = (
  snapshots: ReadonlyArray<SnapshotName> | {
    readonly dataset: DatasetName
    readonly from?: SnapshotName
    readonly to?: SnapshotName
  },
  options: DestroyOptions = {}
): CommandLine.CommandLine => {
  const short = (name: SnapshotName | undefined): string => name === undefined ? "" : name.slice(name.indexOf("@") + 1)
  const operand = "dataset" in snapshots
    ? `${snapshots.dataset}@${short(snapshots.from)}%${short(snapshots.to)}`
    : `${(snapshots[0] ?? "@").split("@")[0] ?? ""}@${snapshots.map(short).join(",")}`
  return CommandLine.make(program, "destroy", ...destroyFlags(options), operand)
}

/** Where values of properties may be from. @category models */
export type Sources = ReadonlyArray<"local" | "default" | "inherited" | "temporary" | "received" | "none">

/**
 * Reads properties with exact numbers. This is also how datasets are listed: unlike `zfs list -p` it exists everywhere.
 *
 * @category constructors
 */
export const get = (
  name: DatasetName | SnapshotName,
  properties: ReadonlyArray<string> | "all",
  options: {
    /** Levels below `name`; absent means `name` only. Snapshots are one level below their dataset. */
    readonly depth?: number | "all"
    /** Only values from there (`-s`). */
    readonly sources?: Sources
    /** Only these types (`-t`). Not known to zfs-fuse. */
    readonly types?: ReadonlyArray<DatasetType>
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "get",
    "-Hp",
    ...depthOf(options.depth),
    ...(options.types === undefined ? [] : ["-t", options.types.join(",")]),
    ...(options.sources === undefined ? [] : ["-s", options.sources.join(",")]),
    "-o",
    "name,property,value,source",
    properties === "all" ? "all" : properties.join(","),
    name
  )

/** What a dataset can be. @category models */
export type DatasetType = "filesystem" | "volume" | "snapshot"

const depthOf = (depth: number | "all" | undefined): ReadonlyArray<string> =>
  depth === undefined ? [] : depth === "all" ? ["-r"] : ["-d", String(depth)]

/**
 * Lists datasets as rows of exact values separated by tabs. zfs-fuse does not know `list -p`: `get` is the portable way.
 *
 * @category constructors
 */
export const list = (
  /** Absent means every pool. */
  root: DatasetName | SnapshotName | undefined,
  columns: ReadonlyArray<string>,
  options: {
    readonly depth?: number | "all"
    readonly types?: ReadonlyArray<DatasetType>
    /** Ascending by these, then by name. */
    readonly sortBy?: ReadonlyArray<string>
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "list",
    "-Hp",
    ...depthOf(options.depth),
    ...(options.types === undefined ? [] : ["-t", options.types.join(",")]),
    ...(options.sortBy ?? []).flatMap((column) => ["-s", column]),
    "-o",
    columns.join(","),
    ...(root === undefined ? [] : [root])
  )

/** Sets one property; several in one command are not known everywhere. @category constructors */
export const set = (name: DatasetName | SnapshotName, property: string, value: string): CommandLine.CommandLine =>
  CommandLine.make(program, "set", `${property}=${value}`, name)

/** Sets several properties in one step. illumos and OpenZFS 2; zfs-fuse takes one at a time. @category constructors */
export const setAll = (name: DatasetName | SnapshotName, properties: Properties): CommandLine.CommandLine =>
  CommandLine.make(program, "set", ...assignments(properties).filter((word) => word !== "-o"), name)

/**
 * Gives a property back to inheritance or its default.
 *
 * @category constructors
 */
export const inherit = (
  name: DatasetName | SnapshotName,
  property: string,
  options: {
    /** In everything below as well (`-r`). */
    readonly recursive?: boolean
    /** Back to the value that came with a received stream, if there is one (`-S`). */
    readonly received?: boolean
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(program, "inherit", ...flags({ "-r": options.recursive, "-S": options.received }), property, name)

/** Takes a snapshot. @category constructors */
export const snapshot = (
  name: SnapshotName,
  properties: Properties = {},
  options: {
    /** Of everything below as well, all at the same moment (`-r`). */
    readonly recursive?: boolean
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(program, "snapshot", ...flags({ "-r": options.recursive }), ...assignments(properties), name)

/**
 * Makes a writable dataset from a snapshot in the same pool.
 *
 * @category constructors
 */
export const clone = (
  source: SnapshotName,
  target: DatasetName,
  properties: Properties = {},
  options: {
    /** Make missing parents too; then an existing target is no error (`-p`). */
    readonly parents?: boolean
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(program, "clone", ...flags({ "-p": options.parents }), ...assignments(properties), source, target)

/** Makes a clone the owner of the snapshot it came from. @category constructors */
export const promote = (name: DatasetName): CommandLine.CommandLine => CommandLine.make(program, "promote", name)

/**
 * Gives a dataset or snapshot another name in the same pool.
 *
 * @category constructors
 */
export const rename = (
  from: DatasetName | SnapshotName,
  to: DatasetName | SnapshotName,
  options: {
    /** Make missing parents of the new name (`-p`). */
    readonly parents?: boolean
    /** Snapshots of that name everywhere below, too (`-r`). */
    readonly recursive?: boolean
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(program, "rename", ...flags({ "-p": options.parents, "-r": options.recursive }), from, to)

/**
 * Brings a dataset back to what it was when the snapshot was taken.
 *
 * @category constructors
 */
export const rollback = (
  name: SnapshotName,
  options: {
    /** Destroy newer snapshots (`-r`); without it they are a reason to refuse. */
    readonly destroyNewer?: boolean
    /** Destroy newer snapshots and their clones (`-R`). */
    readonly destroyClones?: boolean
    readonly force?: boolean
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(program, "rollback", ...flags({ "-r": options.destroyNewer, "-R": options.destroyClones, "-f": options.force }), name)

/** Mounts a file system where its `mountpoint` says. @category constructors */
export const mount = (name: DatasetName): CommandLine.CommandLine => CommandLine.make(program, "mount", name)

/** Unmounts a file system. @category constructors */
export const unmount = (
  name: DatasetName,
  options: { readonly force?: boolean } = {}
): CommandLine.CommandLine => CommandLine.make(program, "unmount", ...flags({ "-f": options.force }), name)
