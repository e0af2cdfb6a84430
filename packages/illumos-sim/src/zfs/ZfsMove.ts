/** `zfs rename`, `zfs promote`, `zfs mount` and `zfs unmount`. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import type { Dataset } from "../HostState.js"
import { getopt, hasFlag } from "../internal/getopt.js"
import { fail, ok, type Result } from "../internal/result.js"
import * as Busy from "./Busy.js"
import * as Content from "./Content.js"
import * as Datasets from "./Datasets.js"
import { problem } from "./Names.js"
import * as Properties from "./Properties.js"
import { createParents } from "./ZfsCreate.js"
import { remounting } from "./ZfsProperty.js"
import { notApplicable, notOpen, usage } from "./ZfsUsage.js"

/** `zfs promote`. @category commands */
export const promote: InstantCommand = (context, args) => {
  const [name, extra] = args
  if (name?.startsWith("-") === true) return usage("promote", { kind: "unknown", flag: name.slice(1, 2) })
  if (name === undefined) return usage("promote", "missing clone filesystem argument")
  if (extra !== undefined) return usage("promote", "too many arguments")
  const { host } = context
  const dataset = Datasets.find(host, name)
  if (dataset === undefined) return notOpen(name)
  if (dataset.type === "snapshot") return notApplicable(name)
  const origin = Datasets.find(host, dataset.origin)
  if (origin === undefined) return fail(`cannot promote '${name}': not a cloned filesystem`)
  const parent = Datasets.filesystemOf(origin.name)
  const moving = Datasets.snapshotsOf(host, parent).filter((taken) => taken.createtxg <= origin.createtxg)
  for (const taken of moving) {
    const short = taken.name.split("@")[1] ?? ""
    if (Datasets.find(host, `${name}@${short}`) !== undefined) {
      return fail(`cannot promote '${name}': conflicting snapshot '${short}' from parent '${origin.name}'`)
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

const renameSnapshot = (context: HostContext, from: string, to: string, recursive: boolean): Result => {
  const { host } = context
  if (Datasets.filesystemOf(from) !== Datasets.filesystemOf(to)) return fail(`cannot rename to '${to}': snapshots must be part of same dataset`)
  const [filesystem = "", old = ""] = from.split("@")
  const short = to.split("@")[1] ?? ""
  const targets = recursive
    ? Datasets.tree(host, filesystem).filter((member) => member.type === "snapshot" && member.name.endsWith(`@${old}`))
    : host.datasets.filter((member) => member.name === from)
  for (const target of targets) {
    const wanted = `${Datasets.filesystemOf(target.name)}@${short}`
    if (Datasets.find(host, wanted) !== undefined) return fail(`cannot rename '${recursive ? target.name : from}': dataset already exists`)
  }
  for (const target of targets) {
    const before = target.name
    target.name = `${Datasets.filesystemOf(before)}@${short}`
    for (const other of Datasets.clonesOf(host, before)) other.origin = target.name
  }
  return ok()
}

const renameTree = (context: HostContext, dataset: Dataset, to: string): Result => {
  const { host } = context
  const from = dataset.name
  const renamed = (name: string): string => name === from || (name.startsWith(from) && /^[/@]/.test(name.slice(from.length))) ? to + name.slice(from.length) : name
  const members = Datasets.tree(host, from)
  const failure = remounting(context, dataset, () => {
    for (const member of members) if (member.type === "volume") Content.renameVolume(context, member.name, renamed(member.name))
    for (const other of host.datasets) other.origin = renamed(other.origin)
    for (const member of members) member.name = renamed(member.name)
  })
  return failure === undefined ? ok() : fail(failure)
}

/** `zfs rename`. @category commands */
export const rename: InstantCommand = (context, args) => {
  const parsed = getopt(args, "prf")
  if (parsed.error !== undefined) return usage("rename", parsed.error)
  const [from, wanted, extra] = parsed.operands
  if (from === undefined) return usage("rename", "missing source dataset argument")
  if (wanted === undefined) return usage("rename", "missing target dataset argument")
  if (extra !== undefined) return usage("rename", "too many arguments")
  if (hasFlag(parsed, "r") && hasFlag(parsed, "p")) return usage("rename", "-p and -r options are mutually exclusive")
  if (hasFlag(parsed, "r") && !from.includes("@")) return usage("rename", "source dataset for recursive rename must be a snapshot")
  const { host } = context
  const dataset = Datasets.find(host, from)
  if (dataset === undefined) return notOpen(from)
  const parents = hasFlag(parsed, "p")
  if (parents && Datasets.find(host, wanted) !== undefined) return fail(`cannot rename to '${wanted}': dataset already exists`)
  const to = dataset.type === "snapshot" && !wanted.includes("@")
    ? `${Datasets.filesystemOf(from)}@${wanted}`
    : wanted.startsWith("@") ? `${Datasets.filesystemOf(from)}${wanted}` : wanted
  const wrong = problem(to, dataset.type === "snapshot" ? "snapshot" : "dataset")
  if (wrong !== undefined) return fail(`cannot rename to '${to}': ${wrong}`)
  if (dataset.type === "snapshot") return renameSnapshot(context, from, to, hasFlag(parsed, "r"))
  if (!host.pools.some((pool) => pool.name === Datasets.poolName(to))) return fail(`cannot create '${to}': no such pool '${Datasets.poolName(to)}'`)
  if (Datasets.poolName(to) !== Datasets.poolName(from)) return fail(`cannot rename to '${to}': datasets must be within same pool`)
  if (to.startsWith(`${from}/`)) return fail(`cannot rename to '${to}': New dataset name cannot be a descendant of current dataset name`)
  const parent = Datasets.find(host, Datasets.parentName(to))
  if (parent === undefined && !parents) return fail(`cannot rename to '${to}': parent does not exist`)
  if (parent?.type === "volume") return fail(`cannot rename to '${to}': parent '${parent.name}' is not a filesystem`)
  if (Datasets.find(host, to) !== undefined) return fail(`cannot rename '${from}': dataset already exists`)
  if (Busy.delegatedTo(context, dataset) !== undefined) return fail(`cannot rename '${from}': dataset is used in a non-global zone`)
  if (parent === undefined) createParents(context, to)
  return renameTree(context, dataset, to)
}

/** `zfs mount`. @category commands */
export const mount: InstantCommand = (context, args) => {
  const parsed = getopt(args, ":alvo:O")
  if (parsed.error !== undefined) return usage("mount", parsed.error)
  const { host } = context
  const [name, extra] = parsed.operands
  if (extra !== undefined) return usage("mount", "too many arguments")
  if (hasFlag(parsed, "a")) {
    const failures = Datasets.sorted(host)
      .filter((dataset) => dataset.type === "filesystem")
      .flatMap((dataset) => Datasets.mount(context, dataset) ?? [])
    return failures.length === 0 ? ok() : fail(failures.map((failure) => `cannot mount '${failure.mountpoint}': ${failure.detail}`).join("\n"))
  }
  if (name === undefined) {
    return ok(host.datasets.filter((dataset) => dataset.mounted).map((dataset) => `${dataset.name.padEnd(30)}  ${Datasets.mountpoint(host, dataset)}`).join("\n"))
  }
  const dataset = Datasets.find(host, name)
  if (dataset === undefined) return notOpen(name)
  if (dataset.type !== "filesystem") return notApplicable(name)
  const point = Datasets.mountpoint(host, dataset)
  if (point === "legacy") return fail(`cannot mount '${name}': legacy mountpoint\nuse mount(1M) to mount this filesystem`)
  if (point === "none") return fail(`cannot mount '${name}': no mountpoint set`)
  if (Properties.effective(host, dataset, "zoned").value === "on") return fail(`cannot mount '${name}': dataset is exported to a local zone`)
  if (Properties.effective(host, dataset, "canmount").value === "off") return fail(`cannot mount '${name}': 'canmount' property is set to 'off'`)
  if (dataset.mounted) return fail(`cannot mount '${name}': filesystem already mounted`)
  const failure = Datasets.mountNow(context, dataset)
  return failure === undefined ? ok() : fail(`cannot mount '${failure.mountpoint}': ${failure.detail}`)
}

/** `zfs unmount`. The content is out of sight until the file system is mounted again. @category commands */
export const unmount: InstantCommand = (context, args) => {
  const parsed = getopt(args, "af")
  if (parsed.error !== undefined) return usage("unmount", parsed.error)
  const { host } = context
  if (hasFlag(parsed, "a")) {
    for (const dataset of Datasets.sorted(host).toReversed()) {
      if (dataset.type === "filesystem" && dataset.mounted && Busy.reason(context, dataset) === undefined) Datasets.unmount(context, dataset)
    }
    return ok()
  }
  const [name, extra] = parsed.operands
  if (name === undefined) return usage("unmount", "missing filesystem argument")
  if (extra !== undefined) return usage("unmount", "too many arguments")
  const dataset = name.startsWith("/") ? Datasets.mountedAt(host, name) : Datasets.find(host, name)
  if (dataset === undefined) return name.startsWith("/") ? fail(`cannot unmount '${name}': not a ZFS filesystem`) : notOpen(name)
  if (dataset.type !== "filesystem") return notApplicable(name)
  if (!dataset.mounted) return fail(`cannot unmount '${name}': not currently mounted`)
  const busy = Datasets.mountedBelow(context, dataset).find((member) => Busy.reason(context, member) !== undefined)
  if (busy !== undefined) return fail(`cannot unmount '${Datasets.mountpoint(host, busy)}': Device busy`)
  Datasets.unmount(context, dataset)
  return ok()
}
