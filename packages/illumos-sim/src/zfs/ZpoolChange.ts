/** zpool subcommands that change pools: create, destroy, scrub, offline, online, set. */
import * as fs from "node:fs"
import { randomBytes } from "node:crypto"
import type { HostContext, InstantCommand } from "../CommandContext.js"
import { allValues, getopt, lastValue } from "../internal/getopt.js"
import { fail, ok, type Result } from "../internal/result.js"
import * as Assignments from "./Assignments.js"
import * as Busy from "./Busy.js"
import * as Datasets from "./Datasets.js"
import { problem } from "./Names.js"
import * as Pools from "./Pools.js"
import { poolUsage } from "./ZpoolUsage.js"

/** Pool properties that can be set, with the values they take; none given means any text. @category models */
export const settable: Readonly<Record<string, ReadonlyArray<string>>> = {
  autoexpand: ["on", "off"],
  autoreplace: ["on", "off"],
  cachefile: [],
  comment: [],
  delegation: ["on", "off"],
  failmode: ["wait", "continue", "panic"],
  listsnapshots: ["on", "off"]
}

const kinds = new Set(["mirror", "raidz", "raidz1", "raidz2", "raidz3"])
/** Disks that the simulated host has besides those in use: as large as this. */
const diskBytes = 8 * 1024 ** 3
/** Smallest device a pool takes. */
const leastBytes = 64 * 1024 ** 2
const disk = /^c\d+t\d+d\d+(?:s\d+)?$/

const groupsOf = (words: ReadonlyArray<string>): ReadonlyArray<Pools.Group> => {
  const found: Array<{ readonly kind: string; readonly names: Array<string> }> = []
  for (const word of words) {
    const last = found.at(-1)
    if (kinds.has(word)) found.push({ kind: word === "raidz" ? "raidz1" : word, names: [] })
    else if (last === undefined) found.push({ kind: "stripe", names: [word] })
    else last.names.push(word)
  }
  return found
}

const deviceSize = (context: HostContext, name: string): number | string => {
  if (disk.test(name)) return diskBytes
  if (!name.startsWith("/")) return `cannot open '${name}': no such device in /dev/dsk\nmust be a full path or shorthand device name`
  const real = context.files.locate(name)
  const stat = real === undefined ? undefined : fs.statSync(real, { throwIfNoEntry: false })
  if (stat === undefined) return `cannot open '${name}': No such file or directory`
  if (!stat.isFile()) return `cannot use '${name}': must be a block device or regular file`
  return stat.size < leastBytes ? `cannot create '${name}': one or more devices is less than the minimum size (64M)` : stat.size
}

const capacity = (sizes: ReadonlyArray<number>, group: Pools.Group): number =>
  group.kind === "stripe" ? sizes.reduce((sum, size) => sum + size, 0) : Math.min(...sizes) * (sizes.length - Pools.redundancy(group))

const poolProperties = (pairs: ReadonlyArray<string>): Record<string, string> | string => {
  const values: Record<string, string> = {}
  for (const pair of pairs) {
    const [name = "", value = ""] = pair.split(/=(.*)/s)
    const choices = settable[name]
    if (choices === undefined) return `property '${name}' is not a valid pool property`
    if (choices.length > 0 && !choices.includes(value)) return `'${name}' must be one of '${choices.join(" | ")}'`
    values[name] = value
  }
  return values
}

/** `zpool create`. @category commands */
export const create: InstantCommand = (context, args) => {
  const parsed = getopt(args, ":fndBo:O:m:R:t:")
  if (parsed.error !== undefined) return poolUsage("create", `invalid option '${parsed.error.flag}'`)
  const [name, ...words] = parsed.operands
  if (name === undefined) return poolUsage("create", "missing pool name argument")
  if (words.length === 0) return poolUsage("create", "missing vdev specification")
  const wrong = name.includes("/") ? "invalid character '/' in pool name" : problem(name, "dataset")
  if (wrong !== undefined) return fail(`cannot create '${name}': ${wrong.replace("pool must begin", "name must begin")}\npool name may have been omitted`)
  const groups = groupsOf(words)
  const short = groups.find((group) => group.kind !== "stripe" && group.names.length <= Math.max(1, Pools.redundancy(group)))
  if (short !== undefined) return fail(`invalid vdev specification: ${short.kind} requires at least ${Math.max(2, Pools.redundancy(short) + 1)} devices`)
  const sizes = new Map<string, number>()
  for (const device of groups.flatMap((group) => group.names)) {
    const size = deviceSize(context, device)
    if (typeof size === "string") return fail(size)
    const owner = context.host.pools.find((pool) => Pools.groups(pool).some((group) => group.names.includes(device)))
    if (owner !== undefined) return fail(`invalid vdev specification\nuse '-f' to override the following errors:\n${device} is part of active ZFS pool ${owner.name}. Please see zpool(1M).`)
    sizes.set(device, size)
  }
  if (context.host.pools.some((pool) => pool.name === name)) return fail(`cannot create '${name}': pool already exists`)
  const properties = poolProperties(allValues(parsed, "o"))
  if (typeof properties === "string") return fail(`cannot create '${name}': ${properties}`)
  const mountpoint = lastValue(parsed, "m")
  const local = Assignments.parse([...allValues(parsed, "O"), ...(mountpoint === undefined ? [] : [`mountpoint=${mountpoint}`])], "filesystem", true)
  if ("refused" in local) return fail(`cannot create '${name}': ${local.refused}`)
  const size = groups.reduce((sum, group) => sum + capacity(group.names.map((device) => sizes.get(device) ?? 0), group), 0)
  const guid = BigInt(`0x${randomBytes(8).toString("hex")}`).toString()
  context.host.pools.push({ name, size, guid, devices: groups.map((group) => ({ ...group, names: [...group.names] })), properties })
  const failure = Datasets.mount(context, Datasets.add(context, { name, type: "filesystem", local: local.values }))
  return failure === undefined ? ok() : fail(`cannot mount '${failure.mountpoint}': ${failure.detail}`)
}

const named = (context: HostContext, subcommand: string, name: string | undefined, then: (pool: HostContext["host"]["pools"][number]) => Result): Result => {
  if (name === undefined) return poolUsage(subcommand, "missing pool name argument")
  const pool = context.host.pools.find((candidate) => candidate.name === name)
  return pool === undefined ? fail(`cannot open '${name}': no such pool`) : then(pool)
}

/** `zpool destroy`. @category commands */
export const destroy: InstantCommand = (context, args) => {
  const parsed = getopt(args, "f")
  if (parsed.error !== undefined) return poolUsage("destroy", `invalid option '${parsed.error.flag}'`)
  const [name, extra] = parsed.operands
  if (extra !== undefined) return poolUsage("destroy", "too many arguments")
  return named(context, "destroy", name, (pool) => {
    const members = Datasets.tree(context.host, pool.name)
    const busy = members.find((member) => member.type === "filesystem" && Busy.reason(context, member) !== undefined)
    if (busy !== undefined) return fail(`cannot unmount '${Datasets.mountpoint(context.host, busy)}': Device busy\ncould not destroy '${pool.name}': could not unmount datasets`)
    for (const member of members.toReversed()) Datasets.remove(context, member)
    context.host.pools = context.host.pools.filter((other) => other !== pool)
    return ok()
  })
}

/** `zpool scrub`: done at once. @category commands */
export const scrub: InstantCommand = (context, args) => {
  const parsed = getopt(args, "sp")
  if (parsed.error !== undefined) return poolUsage("scrub", `invalid option '${parsed.error.flag}'`)
  return named(context, "scrub", parsed.operands[0], (pool) => {
    if (parsed.options.length > 0) return fail(`cannot ${parsed.options[0]?.flag === "p" ? "pause" : "cancel"} scrubbing ${pool.name}: there is no active scrub`)
    if (Pools.state(context, pool) === "UNAVAIL") return fail(`cannot scrub '${pool.name}': pool is currently unavailable`)
    pool.scrubbed = Math.floor(context.now / 1000)
    return ok()
  })
}

/** `zpool offline` and `zpool online`. @category commands */
export const turn = (state: "offline" | "online"): InstantCommand => (context, args) => {
  const parsed = getopt(args, state === "offline" ? "ft" : "et")
  if (parsed.error !== undefined) return poolUsage(state, `invalid option '${parsed.error.flag}'`)
  const [name, ...devices] = parsed.operands
  if (name !== undefined && devices.length === 0) return poolUsage(state, "missing device name")
  return named(context, state, name, (pool) => {
    for (const device of devices) {
      const group = Pools.groups(pool).find((candidate) => candidate.names.includes(device))
      if (group === undefined) return fail(`cannot ${state} ${device}: no such device in pool`)
      const states = { ...pool.deviceStates }
      if (state === "online") delete states[device]
      else states[device] = "OFFLINE"
      if (Pools.groupState({ ...pool, deviceStates: states }, group) === "UNAVAIL") return fail(`cannot offline ${device}: no valid replicas`)
      pool.deviceStates = states
    }
    return ok()
  })
}

/** `zpool set`. @category commands */
export const set: InstantCommand = (context, args) => {
  const [pair, name, extra] = args
  if (pair === undefined) return poolUsage("set", "missing property=value argument")
  if (!pair.includes("=")) return poolUsage("set", "missing value in property=value argument")
  if (extra !== undefined) return poolUsage("set", "too many pool names")
  return named(context, "set", name, (pool) => {
    const values = poolProperties([pair])
    if (typeof values === "string") return fail(`cannot set property for '${pool.name}': ${values}`)
    pool.properties = { ...pool.properties, ...values }
    return ok()
  })
}
