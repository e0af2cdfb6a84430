/** Command lines of zpool. */
import { CommandLine } from "@reddwarf/runtime-illumos"
import type { DatasetName } from "./DatasetName.js"

const program = "/usr/sbin/zpool"
const columns = "name,size,alloc,free,cap,health"

/** One pool with exact numbers. @category constructors */
export const list = (pool: DatasetName): CommandLine.CommandLine =>
  CommandLine.make(program, "list", "-Hpo", columns, pool)

/** The same with rounded numbers, for a zpool that does not know `-p`. @category constructors */
export const listRounded = (pool: DatasetName): CommandLine.CommandLine =>
  CommandLine.make(program, "list", "-Ho", columns, pool)

/** Every pool with exact numbers. @category constructors */
export const listAll: CommandLine.CommandLine = CommandLine.make(program, "list", "-Hpo", columns)

/** Every pool with rounded numbers, for a zpool that does not know `-p`. @category constructors */
export const listAllRounded: CommandLine.CommandLine = CommandLine.make(program, "list", "-Ho", columns)

/** State, devices, errors and the last scrub; see `ZpoolStatus.parse`. @category constructors */
export const status = (pool: DatasetName): CommandLine.CommandLine => CommandLine.make(program, "status", "-v", pool)

/** Properties of a pool as rows `name property value source`; zfs-fuse knows neither `-H` nor `-p`. @category constructors */
export const get = (pool: DatasetName, properties: ReadonlyArray<string> | "all"): CommandLine.CommandLine =>
  CommandLine.make(program, "get", "-Hp", "-o", "name,property,value,source", properties === "all" ? "all" : properties.join(","), pool)

/** Sets a property of a pool. @category constructors */
export const set = (pool: DatasetName, property: string, value: string): CommandLine.CommandLine =>
  CommandLine.make(program, "set", `${property}=${value}`, pool)

/** Devices that belong together. @category models */
export interface VirtualDevice {
  /** `stripe` puts the devices side by side, without redundancy. */
  readonly kind: "stripe" | "mirror" | "raidz1" | "raidz2" | "raidz3"
  /** Device names such as `c1t0d0`, or absolute paths. */
  readonly devices: ReadonlyArray<string>
}

/** Whether the text can name a device. @category combinators */
export const isDevice = (text: string): boolean => /^(?:[A-Za-z0-9][A-Za-z0-9_.:-]*|\/[A-Za-z0-9_.:,@/-]+)$/.test(text) && !text.includes("..")

/** Makes a pool. Every byte on the devices is lost, also without `force`, unless they seem to be in use. @category constructors */
export const create = (
  pool: DatasetName,
  devices: ReadonlyArray<VirtualDevice>,
  options: {
    /** Properties of the pool (`-o`). */
    readonly properties?: Readonly<Record<string, string>>
    /** Properties of its file system (`-O`). */
    readonly fileSystemProperties?: Readonly<Record<string, string>>
    /** Where its file system is mounted: an absolute path, `none` or `legacy` (`-m`). */
    readonly mountpoint?: string
    /** Take devices that seem to be in use (`-f`). */
    readonly force?: boolean
  } = {}
): CommandLine.CommandLine => {
  const pairs = (flag: string, properties: Readonly<Record<string, string>> = {}) =>
    Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, value]) => [flag, `${name}=${value}`])
  return CommandLine.make(
    program,
    "create",
    ...(options.force === true ? ["-f"] : []),
    ...pairs("-o", options.properties),
    ...pairs("-O", options.fileSystemProperties),
    ...(options.mountpoint === undefined ? [] : ["-m", options.mountpoint]),
    pool,
    ...devices.flatMap((group) => group.kind === "stripe" ? group.devices : [group.kind, ...group.devices])
  )
}

/** Destroys a pool with all it contains. @category constructors */
export const destroy = (pool: DatasetName, options: { readonly force?: boolean } = {}): CommandLine.CommandLine =>
  CommandLine.make(program, "destroy", ...(options.force === true ? ["-f"] : []), pool)

/** Reads and verifies everything in the background; `stop` ends that. @category constructors */
export const scrub = (pool: DatasetName, options: { readonly stop?: boolean } = {}): CommandLine.CommandLine =>
  CommandLine.make(program, "scrub", ...(options.stop === true ? ["-s"] : []), pool)

/** Operations and bytes per second since the pool was imported; see `ZpoolStatus.parseIostat`. @category constructors */
export const iostat = (pool: DatasetName): CommandLine.CommandLine => CommandLine.make(program, "iostat", pool)
