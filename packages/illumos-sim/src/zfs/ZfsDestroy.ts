/** `zfs destroy` of file systems, volumes and snapshots. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import type { Dataset } from "../HostState.js"
import { getopt, hasFlag } from "../internal/getopt.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import * as Busy from "./Busy.js"
import * as Datasets from "./Datasets.js"
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
  if (Busy.reason(context, dataset) === undefined) return undefined
  return dataset.mounted
    ? fail(`cannot unmount '${Datasets.mountpoint(context.host, dataset)}': Device busy`)
    : fail(`cannot destroy '${dataset.name}': dataset is busy`)
}

/** Dependants first: clones of a snapshot, then snapshots and children, then their parents. */
const order = (context: HostContext, roots: ReadonlyArray<Dataset>): ReadonlyArray<Dataset> => {
  const seen = new Set<Dataset>()
  const result: Array<Dataset> = []
  const visit = (dataset: Dataset): void => {
    if (seen.has(dataset)) return
    seen.add(dataset)
    for (const clone of Datasets.clonesOf(context.host, dataset.name)) for (const member of Datasets.tree(context.host, clone.name)) visit(member)
    for (const member of Datasets.tree(context.host, dataset.name)) visit(member)
    result.push(dataset)
  }
  for (const root of roots) visit(root)
  return result
}

const finish = (context: HostContext, doomed: ReadonlyArray<Dataset>, flags: Flags): Result => {
  const lines = doomed.map((dataset) => flags.parsable ? `destroy\t${dataset.name}` : `${flags.dryRun ? "would" : "will"} destroy ${dataset.name}`)
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
  const below = Datasets.tree(host, name).filter((member) => member !== dataset)
  if (below.length > 0 && !flags.recursive && !flags.clones) {
    const outside = Datasets.outsideClones(host, name)
    if (outside.length > 0) {
      return fail(`cannot destroy '${name}': ${dataset.type} has dependent clones\nuse '-R' to destroy the following datasets:\n${names([...outside, ...below])}`)
    }
    return fail(`cannot destroy '${name}': ${dataset.type} has children\nuse '-r' to destroy the following datasets:\n${names(below)}`)
  }
  const outside = Datasets.outsideClones(host, name)
  if (outside.length > 0 && !flags.clones) {
    return fail(`cannot destroy '${name}': ${dataset.type} has dependent clones\nuse '-R' to destroy the following datasets:\n${names(outside)}`)
  }
  if (Datasets.parentName(name) === "") return fail(`cannot destroy '${name}': operation does not apply to pools\nuse 'zfs destroy -r ${name}' to destroy all datasets in the pool\nuse 'zpool destroy ${name}' to destroy the pool itself`)
  return finish(context, order(context, [dataset]), flags)
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
  if (Datasets.find(context.host, filesystem) === undefined) return notOpen(filesystem)
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
  const pinned = (snapshot: Dataset) =>
    flags.deferred && (snapshot.holds.length > 0 || Datasets.clonesOf(context.host, snapshot.name).length > 0)
  return finish(context, order(context, doomed.filter((snapshot) => !pinned(snapshot))), flags)
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
  return name.includes("@") ? destroySnapshots(context, name, flags) : destroyTree(context, name, flags)
}
