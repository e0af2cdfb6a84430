/** Command lines of zfs: absolute program path, stable order of arguments, only flags every ZFS knows. */
import { CommandLine } from "@reddwarf/runtime-illumos"
import type { DatasetName, SnapshotName } from "./DatasetName.js"

const program = "/usr/sbin/zfs"

/** Native properties and user properties (`namespace:name`) by name. @category models */
export type Properties = Readonly<Record<string, string>>

const assignments = (properties: Properties): ReadonlyArray<string> =>
  Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, value]) => ["-o", `${name}=${value}`])

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
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(program, "create", ...(options.parents === true ? ["-p"] : []), ...assignments(properties), name)

/**
 * Destroys a dataset or snapshot.
 *
 * @category constructors
 */
export const destroy = (
  name: DatasetName | SnapshotName,
  options: {
    /** With its children and snapshots, but not with clones elsewhere. */
    readonly recursive?: boolean
    /** Unmount by force. */
    readonly force?: boolean
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "destroy",
    ...(options.recursive === true ? ["-r"] : []),
    ...(options.force === true ? ["-f"] : []),
    name
  )

/**
 * Reads properties with exact numbers. This is also how datasets are listed: unlike `zfs list -p` it exists everywhere.
 *
 * @category constructors
 */
export const get = (
  name: DatasetName | SnapshotName,
  properties: ReadonlyArray<string> | "all",
  options: {
    /** Levels below `name`; absent means `name` only. */
    readonly depth?: number | "all"
  } = {}
): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "get",
    "-Hp",
    ...(options.depth === undefined ? [] : options.depth === "all" ? ["-r"] : ["-d", String(options.depth)]),
    "-o",
    "name,property,value,source",
    properties === "all" ? "all" : properties.join(","),
    name
  )

/** Sets one property; several in one command are not known everywhere. @category constructors */
export const set = (name: DatasetName, property: string, value: string): CommandLine.CommandLine =>
  CommandLine.make(program, "set", `${property}=${value}`, name)

/** Gives a property back to inheritance or its default. @category constructors */
export const inherit = (name: DatasetName, property: string): CommandLine.CommandLine =>
  CommandLine.make(program, "inherit", property, name)

/** Takes a snapshot. @category constructors */
export const snapshot = (
  name: SnapshotName,
  properties: Properties = {},
  options: { readonly recursive?: boolean } = {}
): CommandLine.CommandLine =>
  CommandLine.make(program, "snapshot", ...(options.recursive === true ? ["-r"] : []), ...assignments(properties), name)

/** Makes a writable dataset from a snapshot in the same pool. @category constructors */
export const clone = (source: SnapshotName, target: DatasetName, properties: Properties = {}): CommandLine.CommandLine =>
  CommandLine.make(program, "clone", ...assignments(properties), source, target)

/** Makes a clone the owner of the snapshot it came from. @category constructors */
export const promote = (name: DatasetName): CommandLine.CommandLine => CommandLine.make(program, "promote", name)

/** Mounts a file system where its `mountpoint` says. @category constructors */
export const mount = (name: DatasetName): CommandLine.CommandLine => CommandLine.make(program, "mount", name)

/** Unmounts a file system. @category constructors */
export const unmount = (
  name: DatasetName,
  options: { readonly force?: boolean } = {}
): CommandLine.CommandLine =>
  CommandLine.make(program, "unmount", ...(options.force === true ? ["-f"] : []), name)
