/** `zfs snapshot`, `zfs rollback`, and holds. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import type { Dataset } from "../HostState.js"
import { allValues, getopt, hasFlag } from "../internal/getopt.js"
import { fail, ok, result } from "../internal/result.js"
import { underMounts } from "../ZoneFileSystems.js"
import * as Assignments from "./Assignments.js"
import * as Busy from "./Busy.js"
import * as Datasets from "./Datasets.js"
import { longDate } from "./Dates.js"
import { problem } from "./Names.js"
import * as Properties from "./Properties.js"
import * as Space from "./Space.js"
import { notApplicable, notOpen, usage } from "./ZfsUsage.js"

/** `zfs snapshot`. All of one command are taken, or none. @category commands */
export const snapshot: InstantCommand = (context, args) => {
  const parsed = getopt(args, "ro:")
  if (parsed.error !== undefined) return usage("snapshot", parsed.error)
  if (parsed.operands.length === 0) return usage("snapshot", "missing snapshot argument")
  const checked = Assignments.parse(allValues(parsed, "o"), "snapshot", true)
  if ("refused" in checked && checked.bare === true) return usage("snapshot", checked.refused)
  const plan: Array<{ readonly source: Dataset; readonly name: string }> = []
  const several = hasFlag(parsed, "r") || parsed.operands.length > 1
  const refuse = (text: string) => fail(several ? `${text}\nno snapshots were created` : text)
  for (const operand of parsed.operands) {
    const wrong = problem(operand, "snapshot")
    if (wrong !== undefined) return fail(`cannot create snapshot '${operand}': ${wrong}`)
    const [source = "", name = ""] = operand.split("@")
    const dataset = Datasets.find(context.host, source)
    if (dataset === undefined) return notOpen(source)
    if ("refused" in checked) return fail(`cannot create snapshot '${operand}': ${checked.refused}`)
    if (Object.keys(checked.values).some((property) => !Properties.isUserProperty(property))) {
      return refuse(`cannot create snapshot '${operand}': this property can not be modified for snapshots`)
    }
    const sources = hasFlag(parsed, "r")
      ? Datasets.tree(context.host, source).filter((member) => member.type !== "snapshot")
      : [dataset]
    for (const member of sources) {
      const full = `${member.name}@${name}`
      if (Datasets.find(context.host, full) !== undefined) return refuse(`cannot create snapshot '${full}': dataset already exists`)
      if (Space.isFull(context, member.name)) return refuse(`cannot create snapshot '${full}': out of space`)
      plan.push({ source: member, name })
    }
  }
  const local = "values" in checked ? checked.values : {}
  // One moment for all of them: they have the same transaction group, as in ZFS.
  const txg = context.host.nextTxg
  for (const { source, name } of plan) {
    const taken = Datasets.snapshot(context, source, name, local)
    taken.createtxg = txg
    taken.bytes = Space.referenced(context, taken)
  }
  context.host.nextTxg = txg + 1
  return ok()
}

const names = (datasets: ReadonlyArray<Dataset>): string => datasets.map((dataset) => dataset.name).join("\n")

/** `zfs rollback`. @category commands */
export const rollback: InstantCommand = (context, args) => {
  const parsed = getopt(args, "rRf")
  if (parsed.error !== undefined) return usage("rollback", parsed.error)
  const [name, extra] = parsed.operands
  if (name === undefined) return usage("rollback", "missing dataset argument")
  if (extra !== undefined) return usage("rollback", "too many arguments")
  const { host } = context
  const taken = Datasets.find(host, name)
  const dataset = Datasets.find(host, Datasets.filesystemOf(name))
  if (taken === undefined || dataset === undefined) return notOpen(name)
  if (taken.type !== "snapshot") return notApplicable(name)
  const later = Datasets.snapshotsOf(host, dataset.name).filter((other) => other.createtxg > taken.createtxg)
  if (later.length > 0 && !hasFlag(parsed, "r") && !hasFlag(parsed, "R")) {
    return fail(`cannot rollback to '${name}': more recent snapshots exist\nuse '-r' to force deletion of the following snapshots:\n${names(later)}`)
  }
  const clones = later.flatMap((other) => Datasets.clonesOf(host, other.name))
  if (clones.length > 0 && !hasFlag(parsed, "R")) {
    return fail(`cannot rollback to '${name}': clones of previous snapshots exist\nuse '-R' to force deletion of the following clones and dependents:\n${names(clones)}`)
  }
  const held = later.find((other) => other.holds.length > 0)
  if (held !== undefined) return fail(`cannot destroy '${held.name}': dataset is busy`)
  const doomed = clones.flatMap((other) => Datasets.tree(host, other.name))
  const busy = doomed.find((member) => member.type !== "snapshot" && Busy.reason(context, member) !== undefined)
  if (busy !== undefined) return fail(`cannot unmount '${Datasets.mountpoint(host, busy)}': Device busy`)
  // The kernel suspends a mounted file system for it and resumes it, whoever has loopback mounts of it. The root of a booted zone has more of the
  // simulated machine in it than that.
  if (Busy.rootOf(context, dataset) !== undefined) return fail(`cannot rollback '${dataset.name}': dataset is busy`)
  for (const member of doomed.toReversed()) Datasets.remove(context, member)
  for (const other of later.toReversed()) Datasets.remove(context, other)
  const folder = Datasets.folder(context, dataset)
  const restore = () => Datasets.restore(context, taken, dataset)
  if (folder === undefined) restore()
  else underMounts(context, folder, restore)
  return ok()
}

const ofSameName = (context: HostContext, snapshot: string): ReadonlyArray<Dataset> => {
  const [filesystem = "", short = ""] = snapshot.split("@")
  return Datasets.tree(context.host, filesystem).filter((member) => member.type === "snapshot" && member.name.endsWith(`@${short}`))
}

/** `zfs hold` and `zfs release`. @category commands */
export const hold = (operation: "hold" | "release"): InstantCommand => (context, args) => {
  const parsed = getopt(args, "r")
  if (parsed.error !== undefined) return usage(operation, parsed.error)
  const [tag, ...operands] = parsed.operands
  if (tag === undefined || operands.length === 0) return usage(operation, tag === undefined ? "missing tag argument" : "missing snapshot argument")
  if (operation === "hold" && tag.startsWith(".")) return usage(operation, "tag may not start with '.'")
  const failures: Array<string> = []
  for (const name of operands) {
    const what = operation === "hold" ? `cannot hold snapshot '${name}'` : `cannot release hold from snapshot '${name}'`
    const found = Datasets.find(context.host, name)
    const wrong = problem(name, "snapshot")
    if (wrong !== undefined) return usage(operation, `'${name}' is not a snapshot`)
    const targets = hasFlag(parsed, "r") ? ofSameName(context, name) : found === undefined ? [] : [found]
    if (targets.length === 0) failures.push(`${what}: dataset does not exist`)
    else if (operation === "hold" ? targets.some((taken) => taken.holds.includes(tag)) : targets.every((taken) => !taken.holds.includes(tag))) {
      failures.push(`${what}: ${operation === "hold" ? "tag already exists" : "no such tag"} on this dataset`)
    } else {
      for (const taken of targets) {
        taken.holds = taken.holds.filter((other) => other !== tag)
        const since = { ...taken.heldSince }
        delete since[tag]
        if (operation === "hold") {
          taken.holds.push(tag)
          since[tag] = Math.floor(context.now / 1000)
        }
        taken.heldSince = since
        Datasets.collect(context, taken)
      }
    }
  }
  return result(failures.length === 0 ? 0 : 1, "", failures.join("\n"))
}

/** `zfs holds`. @category commands */
export const holds: InstantCommand = (context, args) => {
  const parsed = getopt(args, "r")
  if (parsed.error !== undefined) return usage("holds", parsed.error)
  if (parsed.operands.length === 0) return usage("holds", "missing snapshot argument")
  const missing: Array<string> = []
  const rows = parsed.operands.flatMap((name) => {
    const found = Datasets.find(context.host, name)
    if (found === undefined || found.type !== "snapshot") {
      missing.push(`cannot open '${name}': dataset does not exist`)
      return []
    }
    const targets = hasFlag(parsed, "r") ? ofSameName(context, name) : [found]
    return targets.flatMap((taken) => taken.holds.map((tag) => [taken.name, tag, longDate(taken.heldSince?.[tag] ?? taken.creation)]))
  })
  if (rows.length === 0) return result(missing.length === 0 ? 0 : 1, "", missing.join("\n"))
  const table = [["NAME", "TAG", "TIMESTAMP"], ...rows]
  const width = (column: number) => Math.max(...table.map((row) => (row[column] ?? "").length))
  const text = table.map(([name = "", tag = "", since = ""]) => `${name.padEnd(width(0))}  ${tag.padEnd(width(1))}  ${since}`).join("\n")
  return result(missing.length === 0 ? 0 : 1, text, missing.join("\n"))
}
