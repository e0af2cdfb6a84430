/** zfs subcommands that change one dataset: create, set, inherit, snapshot, clone, promote, rename, rollback, mount, hold. */
import * as fs from "node:fs"
import type { HostContext, InstantCommand } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import type { Dataset } from "../HostState.js"
import { allValues, getopt, hasFlag, lastValue, type ParsedArguments } from "../internal/getopt.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import * as Busy from "./Busy.js"
import * as Datasets from "./Datasets.js"
import { problem } from "./Names.js"
import * as Properties from "./Properties.js"
import { notOpen, usage } from "./ZfsUsage.js"

type Assignments = { readonly values: Record<string, string> } | { readonly refused: string }

const assignments = (pairs: ReadonlyArray<string>, type: Dataset["type"], creating: boolean): Assignments => {
  const values: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf("=")
    if (at <= 0) return { refused: `missing '=' for property=value argument` }
    const name = pair.slice(0, at)
    const full = Properties.canonical(name)
    if (full === undefined) return { refused: `invalid property '${name}'` }
    const checked = Properties.check(full, pair.slice(at + 1), type, creating)
    if ("refused" in checked) return checked
    values[full] = checked.value
  }
  return { values }
}

/** Why a new dataset of this name cannot be made; the text after `cannot create '<name>': `. */
const obstacle = (context: HostContext, name: string, parents: boolean): string | undefined => {
  const { host } = context
  const wrong = problem(name, "dataset")
  if (wrong !== undefined) return wrong
  const pool = Datasets.poolName(name)
  if (!host.pools.some((candidate) => candidate.name === pool)) return `no such pool '${pool}'`
  if (Datasets.find(host, name) !== undefined) return "dataset already exists"
  const parent = Datasets.find(host, Datasets.parentName(name))
  if (parent === undefined && !parents) return "parent does not exist"
  if (parent?.type === "volume") return `parent '${parent.name}' is not a filesystem`
  if (Faults.find(host, "outOfSpace", (fault) => fault.pool === pool) !== undefined) return "out of space"
  return undefined
}

const mounted = (context: HostContext, dataset: Dataset): Result => {
  const failure = Datasets.mount(context, dataset)
  return failure === undefined
    ? ok()
    : fail(`cannot mount '${failure.mountpoint}': ${failure.detail}\nfilesystem successfully created, but not mounted`)
}

const createParents = (context: HostContext, name: string): void => {
  const parts = name.split("/")
  for (let depth = 2; depth < parts.length; depth++) {
    const parent = parts.slice(0, depth).join("/")
    if (Datasets.find(context.host, parent) === undefined) {
      Datasets.mount(context, Datasets.add(context, { name: parent, type: "filesystem" }))
    }
  }
}

const tooBig = (context: HostContext, name: string, values: Readonly<Record<string, string>>): boolean => {
  const parent = Datasets.find(context.host, Datasets.parentName(name)) ?? Datasets.find(context.host, Datasets.poolName(name))
  const wanted = Math.max(Properties.bytes(values["reservation"] ?? "0") ?? 0, Properties.bytes(values["refreservation"] ?? "0") ?? 0)
  return wanted > 0 && parent !== undefined && wanted > Datasets.available(context, parent)
}

const volume = (parsed: ParsedArguments, values: Record<string, string>): string | undefined => {
  const size = Properties.bytes(lastValue(parsed, "V") ?? "")
  if (size === undefined || size === 0) return `bad numeric value '${lastValue(parsed, "V") ?? ""}'`
  const block = Properties.bytes(lastValue(parsed, "b") ?? values["volblocksize"] ?? "8192") ?? 8192
  const rounded = Math.ceil(size / block) * block
  values["volsize"] = String(rounded)
  values["volblocksize"] = String(block)
  if (!hasFlag(parsed, "s")) values["refreservation"] ??= String(rounded)
  return undefined
}

/** `zfs create`. @category commands */
export const create: InstantCommand = (context, args) => {
  const parsed = getopt(args, ":V:b:so:p")
  if (parsed.error !== undefined) return usage("create", parsed.error)
  const [name, extra] = parsed.operands
  if (name === undefined) return usage("create", lastValue(parsed, "V") === undefined ? "missing filesystem argument" : "missing volume argument")
  if (extra !== undefined) return usage("create", "too many arguments")
  const type = lastValue(parsed, "V") === undefined ? "filesystem" : "volume"
  const parents = hasFlag(parsed, "p")
  if (parents && Datasets.find(context.host, name) !== undefined) return ok()
  const checked = assignments(allValues(parsed, "o"), type, true)
  if ("refused" in checked) return fail(`cannot create '${name}': ${checked.refused}`)
  const blocked = obstacle(context, name, parents)
  if (blocked !== undefined) return fail(`cannot create '${name}': ${blocked}`)
  const wrongSize = type === "volume" ? volume(parsed, checked.values) : undefined
  if (wrongSize !== undefined) return fail(`cannot create '${name}': ${wrongSize}`)
  if (tooBig(context, name, checked.values)) return fail(`cannot create '${name}': out of space`)
  if (parents) createParents(context, name)
  return mounted(context, Datasets.add(context, { name, type, local: checked.values }))
}

/** Folder moves that follow a changed mountpoint or name. */
const move = (context: HostContext, dataset: Dataset, change: () => void): string | undefined => {
  const affected = Datasets.tree(context.host, dataset.name).filter((member) => member.mounted)
  const before = new Map(affected.map((member) => [member, Datasets.folder(context, member)]))
  if (affected.some((member) => Busy.reason(context, member) !== undefined)) {
    return `cannot unmount '${Datasets.mountpoint(context.host, dataset)}': Device busy`
  }
  change()
  for (const [member, from] of before) {
    const to = Datasets.folder(context, member)
    if (from === to || from === undefined) continue
    if (to === undefined) {
      // The content of an unmounted file system stays where it was and comes back with its mountpoint.
      member.mounted = false
      continue
    }
    context.files.makeDirectory(to)
    if (fs.existsSync(from)) {
      context.files.copyContent(from, to)
      context.files.remove(from)
    }
  }
  return undefined
}

const applyProperty = (context: HostContext, dataset: Dataset, name: string, value: string | undefined): string | undefined => {
  const change = () => {
    if (value === undefined) delete dataset.local[name]
    else dataset.local[name] = value
  }
  if (name === "mountpoint") {
    const failure = move(context, dataset, change)
    if (failure !== undefined) return failure
    if (!dataset.mounted) Datasets.mount(context, dataset)
    return undefined
  }
  change()
  return undefined
}

const limitProblem = (context: HostContext, dataset: Dataset, name: string, value: string): string | undefined => {
  const bytes = Properties.bytes(value) ?? 0
  if (bytes === 0) return undefined
  const inUse = name === "quota" ? Datasets.used : name === "refquota" ? Datasets.referenced : undefined
  if (inUse !== undefined && bytes < inUse(context, dataset)) return "size is less than current used or reserved space"
  if ((name === "reservation" || name === "refreservation") && bytes > Datasets.available(context, dataset)) {
    return "size is greater than available space"
  }
  return undefined
}

/** `zfs set`. @category commands */
export const set: InstantCommand = (context, args) => {
  const pairs = args.filter((word) => word.includes("="))
  const names = args.filter((word) => !word.includes("="))
  if (args[0]?.startsWith("-") === true) return usage("set", { kind: "unknown", flag: args[0].slice(1, 2) })
  if (pairs.length === 0) return usage("set", args.length === 0 ? "missing property=value argument" : "missing '=' in property=value argument")
  if (names.length === 0) return usage("set", "missing dataset name")
  for (const name of names) {
    const dataset = Datasets.find(context.host, name)
    if (dataset === undefined) return notOpen(name)
    const checked = assignments(pairs, dataset.type, false)
    if ("refused" in checked) return fail(`cannot set property for '${name}': ${checked.refused}`)
    for (const [property, value] of Object.entries(checked.values)) {
      const refused = limitProblem(context, dataset, property, value)
      if (refused !== undefined) return fail(`cannot set property for '${name}': ${refused}`)
      const failure = applyProperty(context, dataset, property, value)
      if (failure !== undefined) return fail(failure)
    }
  }
  return ok()
}

/** `zfs inherit`. @category commands */
export const inherit: InstantCommand = (context, args) => {
  const parsed = getopt(args, "rS")
  if (parsed.error !== undefined) return usage("inherit", parsed.error)
  const [property, ...names] = parsed.operands
  if (property === undefined) return usage("inherit", "missing property argument")
  if (names.length === 0) return usage("inherit", "missing dataset argument")
  const full = Properties.canonical(property)
  if (full === undefined) return usage("inherit", `invalid property '${property}'`)
  for (const name of names) {
    const dataset = Datasets.find(context.host, name)
    if (dataset === undefined) return notOpen(name)
    const targets = hasFlag(parsed, "r") ? Datasets.tree(context.host, name) : [dataset]
    for (const target of targets) {
      const failure = applyProperty(context, target, full, undefined)
      if (failure !== undefined) return fail(failure)
    }
  }
  return ok()
}

/** `zfs snapshot`. @category commands */
export const snapshot: InstantCommand = (context, args) => {
  const parsed = getopt(args, "ro:")
  if (parsed.error !== undefined) return usage("snapshot", parsed.error)
  if (parsed.operands.length === 0) return usage("snapshot", "missing snapshot argument")
  const checked = assignments(allValues(parsed, "o"), "snapshot", true)
  const plan: Array<{ readonly source: Dataset; readonly name: string }> = []
  for (const operand of parsed.operands) {
    const wrong = problem(operand, "snapshot")
    if (wrong !== undefined) return fail(`cannot create snapshot '${operand}': ${wrong}`)
    const [source = "", name = ""] = operand.split("@")
    const dataset = Datasets.find(context.host, source)
    if (dataset === undefined) return notOpen(source)
    if ("refused" in checked) return fail(`cannot create snapshot '${operand}': ${checked.refused}`)
    const sources = hasFlag(parsed, "r")
      ? Datasets.tree(context.host, source).filter((member) => member.type !== "snapshot")
      : [dataset]
    for (const member of sources) {
      const full = `${member.name}@${name}`
      if (Datasets.find(context.host, full) !== undefined) return fail(`cannot create snapshot '${full}': dataset already exists`)
      if (Faults.find(context.host, "outOfSpace", (fault) => fault.pool === Datasets.poolName(full)) !== undefined) {
        return fail(`cannot create snapshot '${full}': out of space`)
      }
      plan.push({ source: member, name })
    }
  }
  const local = "values" in checked ? checked.values : {}
  for (const { source, name } of plan) Datasets.snapshot(context, source, name, local)
  return ok()
}

/** `zfs clone`. @category commands */
export const clone: InstantCommand = (context, args) => {
  const parsed = getopt(args, "o:p")
  if (parsed.error !== undefined) return usage("clone", parsed.error)
  const [source, target, extra] = parsed.operands
  if (source === undefined) return usage("clone", "missing source dataset argument")
  if (target === undefined) return usage("clone", "missing target dataset argument")
  if (extra !== undefined) return usage("clone", "too many arguments")
  if (hasFlag(parsed, "p") && Datasets.find(context.host, target) !== undefined) return ok()
  const origin = Datasets.find(context.host, source)
  if (origin === undefined || origin.type !== "snapshot") return notOpen(source)
  const parent = Datasets.find(context.host, Datasets.filesystemOf(source))
  const type = parent?.type ?? "filesystem"
  const checked = assignments(allValues(parsed, "o"), type, true)
  if ("refused" in checked) return fail(`cannot create '${target}': ${checked.refused}`)
  const blocked = obstacle(context, target, hasFlag(parsed, "p"))
  if (blocked !== undefined) return fail(`cannot create '${target}': ${blocked}`)
  if (Datasets.poolName(source) !== Datasets.poolName(target)) return fail(`cannot create '${target}': source and target pools differ`)
  const refquota = Properties.bytes(checked.values["refquota"] ?? "none") ?? 0
  if (refquota > 0 && refquota < Datasets.referenced(context, origin)) return fail(`cannot create '${target}': out of space`)
  if (hasFlag(parsed, "p")) createParents(context, target)
  const inherited = type === "volume" ? { ...parent?.local } : {}
  const made = Datasets.add(context, { name: target, type, origin: source, local: { ...inherited, ...checked.values } })
  const answer = mounted(context, made)
  Datasets.restore(context, origin, made)
  return answer
}

/** `zfs promote`. @category commands */
export const promote: InstantCommand = (context, args) => {
  const [name, extra] = args
  if (name === undefined) return usage("promote", "missing clone filesystem argument")
  if (extra !== undefined) return usage("promote", "too many arguments")
  const { host } = context
  const dataset = Datasets.find(host, name)
  if (dataset === undefined) return notOpen(name)
  const origin = Datasets.find(host, dataset.origin)
  if (origin === undefined) return fail(`cannot promote '${name}': not a cloned filesystem`)
  const parent = Datasets.filesystemOf(origin.name)
  const moving = Datasets.snapshotsOf(host, parent).filter((taken) => taken.createtxg <= origin.createtxg)
  for (const taken of moving) {
    const target = `${name}@${taken.name.split("@")[1] ?? ""}`
    if (Datasets.find(host, target) !== undefined) {
      return fail(`cannot promote '${name}': conflicting snapshot '${target}' from parent '${parent}'`)
    }
  }
  const formerOrigin = Datasets.find(host, parent)
  const promoted = `${name}@${origin.name.split("@")[1] ?? ""}`
  for (const taken of moving) {
    const old = taken.name
    taken.name = `${name}@${old.split("@")[1] ?? ""}`
    for (const other of Datasets.clonesOf(host, old)) other.origin = taken.name
  }
  dataset.origin = formerOrigin?.origin ?? ""
  if (formerOrigin !== undefined) formerOrigin.origin = promoted
  return ok()
}

/** `zfs rename`. @category commands */
export const rename: InstantCommand = (context, args) => {
  const parsed = getopt(args, "prf")
  if (parsed.error !== undefined) return usage("rename", parsed.error)
  const [from, wanted, extra] = parsed.operands
  if (from === undefined) return usage("rename", "missing source dataset argument")
  if (wanted === undefined) return usage("rename", "missing target dataset argument")
  if (extra !== undefined) return usage("rename", "too many arguments")
  const { host } = context
  const dataset = Datasets.find(host, from)
  if (dataset === undefined) return notOpen(from)
  const to = dataset.type === "snapshot" && !wanted.includes("@")
    ? `${Datasets.filesystemOf(from)}@${wanted}`
    : wanted.startsWith("@") ? `${Datasets.filesystemOf(from)}${wanted}` : wanted
  if (Datasets.find(host, to) !== undefined) return fail(`cannot rename '${from}': dataset already exists`)
  const wrong = problem(to, dataset.type === "snapshot" ? "snapshot" : "dataset")
  if (wrong !== undefined) return fail(`cannot rename to '${to}': ${wrong}`)
  if (dataset.type === "snapshot") {
    for (const other of Datasets.clonesOf(host, from)) other.origin = to
    dataset.name = to
    return ok()
  }
  if (Datasets.poolName(to) !== Datasets.poolName(from)) return fail(`cannot rename to '${to}': datasets must be within same pool`)
  if (to.startsWith(`${from}/`)) return fail(`cannot rename to '${to}': New dataset name cannot be a descendant of current dataset name`)
  if (Datasets.find(host, Datasets.parentName(to)) === undefined) {
    if (!hasFlag(parsed, "p")) return fail(`cannot rename to '${to}': parent does not exist`)
    createParents(context, to)
  }
  const renamed = (name: string): string => name === from || /^[/@]/.test(name.slice(from.length)) && name.startsWith(from) ? to + name.slice(from.length) : name
  const members = Datasets.tree(host, from)
  const failure = move(context, dataset, () => {
    for (const other of host.datasets) other.origin = renamed(other.origin)
    for (const member of members) member.name = renamed(member.name)
  })
  return failure === undefined ? ok() : fail(failure)
}

/** `zfs rollback`. @category commands */
export const rollback: InstantCommand = (context, args) => {
  const parsed = getopt(args, "rRf")
  if (parsed.error !== undefined) return usage("rollback", parsed.error)
  const [name, extra] = parsed.operands
  if (name === undefined) return usage("rollback", "missing dataset argument")
  if (extra !== undefined) return usage("rollback", "too many arguments")
  const taken = Datasets.find(context.host, name)
  const dataset = Datasets.find(context.host, Datasets.filesystemOf(name))
  if (taken === undefined || dataset === undefined || taken.type !== "snapshot") return notOpen(name)
  const later = Datasets.snapshotsOf(context.host, dataset.name).filter((other) => other.createtxg > taken.createtxg)
  if (later.length > 0 && !hasFlag(parsed, "r") && !hasFlag(parsed, "R")) {
    const listing = later.map((other) => other.name).join("\n")
    return fail(`cannot rollback to '${name}': more recent snapshots exist\nuse '-r' to force deletion of the following snapshots:\n${listing}`)
  }
  const clones = later.flatMap((other) => Datasets.clonesOf(context.host, other.name))
  if (clones.length > 0 && !hasFlag(parsed, "R")) {
    const listing = clones.map((other) => other.name).join("\n")
    return fail(`cannot rollback to '${name}': clones of previous snapshots exist\nuse '-R' to force deletion of the following clones and dependents:\n${listing}`)
  }
  for (const member of clones.flatMap((other) => Datasets.tree(context.host, other.name)).toReversed()) Datasets.remove(context, member)
  for (const other of later) Datasets.remove(context, other)
  Datasets.restore(context, taken, dataset)
  return ok()
}

/** `zfs mount`. @category commands */
export const mount: InstantCommand = (context, args) => {
  const parsed = getopt(args, ":alvo:O")
  if (parsed.error !== undefined) return usage("mount", parsed.error)
  const { host } = context
  const [name] = parsed.operands
  if (hasFlag(parsed, "a")) {
    const failures = host.datasets
      .filter((dataset) => dataset.type === "filesystem" && !dataset.mounted)
      .flatMap((dataset) => Datasets.mount(context, dataset) ?? [])
    return failures.length === 0 ? ok() : fail(failures.map((failure) => `cannot mount '${failure.mountpoint}': ${failure.detail}`).join("\n"))
  }
  if (name === undefined) {
    return ok(host.datasets.filter((dataset) => dataset.mounted).map((dataset) => `${dataset.name.padEnd(30)}  ${Datasets.mountpoint(host, dataset)}`).join("\n"))
  }
  const dataset = Datasets.find(host, name)
  if (dataset === undefined || dataset.type !== "filesystem") return notOpen(name)
  if (dataset.mounted) return fail(`cannot mount '${name}': filesystem already mounted`)
  const point = Datasets.mountpoint(host, dataset)
  if (point === "legacy") return fail(`cannot mount '${name}': legacy mountpoint\nuse mount(1M) to mount this filesystem`)
  if (point === "none") return fail(`cannot mount '${name}': no mountpoint set`)
  if (Properties.effective(host, dataset, "zoned").value === "on") return fail(`cannot mount '${name}': dataset is exported to a local zone`)
  if (Properties.effective(host, dataset, "canmount").value === "off") return fail(`cannot mount '${name}': 'canmount' property is set to 'off'`)
  const failure = Datasets.mount(context, dataset)
  return failure === undefined ? ok() : fail(`cannot mount '${failure.mountpoint}': ${failure.detail}`)
}

/** `zfs unmount`. The folder keeps its content, as if it were hidden. @category commands */
export const unmount: InstantCommand = (context, args) => {
  const parsed = getopt(args, "af")
  if (parsed.error !== undefined) return usage("unmount", parsed.error)
  const [name] = parsed.operands
  if (name === undefined) return usage("unmount", "missing filesystem argument")
  const dataset = name.startsWith("/") ? Datasets.mountedAt(context.host, name) : Datasets.find(context.host, name)
  if (dataset === undefined) return name.startsWith("/") ? fail(`cannot unmount '${name}': not a ZFS filesystem`) : notOpen(name)
  if (!dataset.mounted) return fail(`cannot unmount '${name}': not currently mounted`)
  if (Busy.reason(context, dataset) !== undefined) return fail(`cannot unmount '${Datasets.mountpoint(context.host, dataset)}': Device busy`)
  dataset.mounted = false
  return ok()
}

/** `zfs hold`, `zfs release` and `zfs holds`. @category commands */
export const hold = (operation: "hold" | "release"): InstantCommand => (context, args) => {
  const parsed = getopt(args, "r")
  if (parsed.error !== undefined) return usage(operation, parsed.error)
  const [tag, ...names] = parsed.operands
  if (tag === undefined || names.length === 0) return usage(operation, tag === undefined ? "missing tag argument" : "missing snapshot argument")
  for (const name of names) {
    const taken = Datasets.find(context.host, name)
    if (taken === undefined || taken.type !== "snapshot") return notOpen(name)
    const held = taken.holds.includes(tag)
    if (operation === "hold" && held) return fail(`cannot hold snapshot '${name}': tag already exists on this dataset`)
    if (operation === "release" && !held) return fail(`cannot release hold from snapshot '${name}': no such tag on this dataset`)
    taken.holds = operation === "hold" ? [...taken.holds, tag] : taken.holds.filter((other) => other !== tag)
  }
  return result(0)
}
