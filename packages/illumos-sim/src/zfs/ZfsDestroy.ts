/** `zfs destroy` of file systems, volumes and snapshots. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import type { Dataset } from "../HostState.js"
import { getopt, hasFlag } from "../internal/getopt.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import * as Busy from "./Busy.js"
import * as Datasets from "./Datasets.js"
import { problem } from "./Names.js"
import * as Properties from "./Properties.js"
import * as Space from "./Space.js"
import { notOpen, usage } from "./ZfsUsage.js"

interface Flags {
  readonly recursive: boolean
  readonly clones: boolean
  readonly deferred: boolean
  readonly dryRun: boolean
  readonly verbose: boolean
  readonly parsable: boolean
}

const names = (datasets: ReadonlyArray<Dataset>): string => datasets.map((dataset) => dataset.name).join("\n")

const busy = (context: HostContext, dataset: Dataset): Result | undefined => {
  if (Faults.consume(context.host, "datasetBusy", (fault) => fault.dataset === dataset.name) !== undefined) {
    return fail(`cannot destroy '${dataset.name}': dataset is busy`)
  }
  if (dataset.type === "snapshot") {
    return dataset.holds.length > 0 ? fail(`cannot destroy snapshot ${dataset.name}: dataset is busy`) : undefined
  }
  if (Busy.delegatedTo(context, dataset) !== undefined) return fail(`cannot destroy '${dataset.name}': dataset is busy`)
  const inUse = Datasets.mountedBelow(context, dataset).find((member) => Busy.reason(context, member) !== undefined)
  if (inUse !== undefined) return fail(`cannot unmount '${Datasets.mountpoint(context.host, inUse)}': Device busy`)
  // Another file system is mounted below the mountpoint of this one, but is no descendant of it: it goes on being mounted.
  const guest = Datasets.mountedBelow(context, dataset).find((member) => member !== dataset && !member.name.startsWith(`${dataset.name}/`))
  return guest === undefined ? undefined : fail(`cannot unmount '${Datasets.mountpoint(context.host, dataset)}': Device busy`)
}

/** Dependants first: below each dataset its children, then its snapshots with their clones, then itself. */
const order = (context: HostContext, roots: ReadonlyArray<Dataset>): ReadonlyArray<Dataset> => {
  const { host } = context
  const seen = new Set<Dataset>()
  const sequence: Array<Dataset> = []
  const visit = (dataset: Dataset): void => {
    if (seen.has(dataset)) return
    seen.add(dataset)
    if (dataset.type === "snapshot") for (const clone of Datasets.clonesOf(host, dataset.name)) visit(clone)
    else {
      for (const child of Datasets.childrenOf(host, dataset.name)) visit(child)
      for (const snapshot of Datasets.snapshotsOf(host, dataset.name)) visit(snapshot)
    }
    sequence.push(dataset)
  }
  for (const root of roots) visit(root)
  return sequence
}

const reclaimed = (context: HostContext, doomed: ReadonlyArray<Dataset>): number => {
  const inside = new Set(doomed)
  const owner = (dataset: Dataset) => Datasets.find(context.host, Datasets.filesystemOf(dataset.name))
  return doomed.reduce((sum, dataset) => {
    if (dataset.type !== "snapshot") return sum + Space.usedByDataset(context, dataset) + Space.usedBySnapshots(context, dataset)
    const of = owner(dataset)
    return of !== undefined && inside.has(of) ? sum : sum + Space.usedBySnapshot(context, dataset)
  }, 0)
}

const finish = (context: HostContext, doomed: ReadonlyArray<Dataset>, flags: Flags): Result => {
  const verb = flags.dryRun ? "would" : "will"
  const freed = flags.verbose ? reclaimed(context, doomed) : 0
  const lines = [
    ...doomed.map((dataset) => flags.parsable ? `destroy\t${dataset.name}` : `${verb} destroy ${dataset.name}`),
    flags.parsable ? `reclaim\t${freed}` : `${verb} reclaim ${Properties.human(freed)}`
  ]
  const listing = flags.verbose ? lines.join("\n") : ""
  if (flags.dryRun) return ok(listing)
  for (const dataset of doomed) {
    const refused = busy(context, dataset)
    if (refused !== undefined) return result(refused.exitCode, listing, refused.stderr)
    Datasets.remove(context, dataset)
  }
  return ok(listing)
}

const destroyTree = (context: HostContext, name: string, flags: Flags): Result => {
  const { host } = context
  const dataset = Datasets.find(host, name)
  if (dataset === undefined) return notOpen(name)
  const isPool = Datasets.parentName(name) === ""
  if (isPool && !flags.recursive) {
    return fail(`cannot destroy '${name}': operation does not apply to pools\nuse 'zfs destroy -r ${name}' to destroy all datasets in the pool\nuse 'zpool destroy ${name}' to destroy the pool itself`)
  }
  if (!flags.recursive) {
    const below = order(context, [dataset]).filter((member) => Datasets.tree(host, name).includes(member) && member !== dataset)
    // A dataset that exists only because of a cut stream goes without more ado.
    if (below.length > 0) {
      return fail(`cannot destroy '${name}': ${dataset.type} has children\nuse '-r' to destroy the following datasets:\n${names(below)}`)
    }
  }
  const outside = Datasets.outsideClones(host, name)
  if (outside.length > 0 && !flags.clones) {
    return fail(`cannot destroy '${name}': ${dataset.type} has dependent clones\nuse '-R' to destroy the following datasets:\n${names(outside)}`)
  }
  // The pool's own file system stays when everything in it goes.
  return finish(context, order(context, [dataset]).filter((member) => !isPool || member !== dataset), flags)
}

/** `a`, `a,b` and `a%c` after the `@`. */
const matching = (context: HostContext, filesystem: string, specification: string): ReadonlyArray<Dataset> => {
  const taken = Datasets.snapshotsOf(context.host, filesystem)
  const position = (short: string) => taken.findIndex((snapshot) => snapshot.name === `${filesystem}@${short}`)
  return specification.split(",").flatMap((item) => {
    if (!item.includes("%")) return taken.filter((snapshot) => snapshot.name === `${filesystem}@${item}`)
    const [first = "", last = ""] = item.split("%")
    const from = first === "" ? 0 : position(first)
    const to = last === "" ? taken.length - 1 : position(last)
    return from < 0 || to < 0 ? [] : taken.slice(from, to + 1)
  })
}

const destroySnapshots = (context: HostContext, operand: string, flags: Flags): Result => {
  const [filesystem = "", specification = ""] = operand.split("@")
  const wrong = problem(`${filesystem}@${specification.replaceAll(/[,%]/g, "")}`, "snapshot")
  if (wrong !== undefined && !/empty component/.test(wrong)) return fail(`cannot destroy '${operand}': ${wrong}`)
  if (Datasets.find(context.host, filesystem) === undefined) return notOpen(operand)
  const filesystems = flags.recursive
    ? Datasets.tree(context.host, filesystem).filter((member) => member.type !== "snapshot").map((member) => member.name)
    : [filesystem]
  const doomed = filesystems.flatMap((name) => matching(context, name, specification))
  if (doomed.length === 0) {
    return /[,%]/.test(specification) || flags.recursive
      ? fail("could not find any snapshots to destroy; check snapshot names.")
      : notOpen(operand)
  }
  for (const snapshot of doomed) {
    const clones = Datasets.clonesOf(context.host, snapshot.name)
    if (clones.length > 0 && !flags.clones && !flags.deferred) {
      return fail(`cannot destroy '${snapshot.name}': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\n${names(clones)}`)
    }
  }
  const needed = (snapshot: Dataset) =>
    flags.deferred && (snapshot.holds.length > 0 || (!flags.clones && Datasets.clonesOf(context.host, snapshot.name).length > 0))
  if (!flags.dryRun) for (const snapshot of doomed.filter(needed)) snapshot.deferred = true
  return finish(context, order(context, doomed.filter((snapshot) => !needed(snapshot))), flags)
}

/** `zfs destroy`. @category commands */
export const destroy: InstantCommand = (context, args) => {
  const parsed = getopt(args, "vpndfrR")
  if (parsed.error !== undefined) return usage("destroy", parsed.error)
  const [name, extra] = parsed.operands
  if (name === undefined) return usage("destroy", "missing dataset argument")
  if (extra !== undefined) return usage("destroy", "too many arguments")
  const flags: Flags = {
    recursive: hasFlag(parsed, "r") || hasFlag(parsed, "R"),
    clones: hasFlag(parsed, "R"),
    deferred: hasFlag(parsed, "d"),
    dryRun: hasFlag(parsed, "n"),
    verbose: hasFlag(parsed, "v") || hasFlag(parsed, "p"),
    parsable: hasFlag(parsed, "p")
  }
  if (flags.deferred && !name.includes("@")) return usage("destroy", { kind: "unknown", flag: "d" })
  return name.includes("@") ? destroySnapshots(context, name, flags) : destroyTree(context, name, flags)
}
