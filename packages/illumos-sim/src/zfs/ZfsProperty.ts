/** `zfs set` and `zfs inherit`. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import type { Dataset } from "../HostState.js"
import { getopt, hasFlag } from "../internal/getopt.js"
import { fail, ok } from "../internal/result.js"
import * as Assignments from "./Assignments.js"
import * as Busy from "./Busy.js"
import * as Content from "./Content.js"
import * as Datasets from "./Datasets.js"
import * as Properties from "./Properties.js"
import * as Space from "./Space.js"
import { notOpen, usage } from "./ZfsUsage.js"

/**
 * Runs a change of mountpoints or names: unmounts what is affected, children first, and mounts it again at its new place. The text is why
 * nothing was changed.
 *
 * @category combinators
 */
export const remounting = (context: HostContext, dataset: Dataset, change: () => void): string | undefined => {
  const { host } = context
  const affected = Datasets.tree(host, dataset.name).filter((member) => member.mounted && member.type === "filesystem")
  const busy = affected.find((member) => Busy.reason(context, member) !== undefined)
  if (busy !== undefined) return `cannot unmount '${Datasets.mountpoint(host, busy)}': Device busy`
  const points = affected.map((member) => context.files.real(Datasets.mountpoint(host, member)))
  for (const member of affected.toReversed()) Datasets.unmount(context, member)
  for (const point of points.toReversed()) if (point !== context.files.root) context.files.removeEmpty(point)
  change()
  for (const member of affected) if (Datasets.mountpoint(host, member).startsWith("/")) Datasets.mountNow(context, member)
  return undefined
}

/** Properties whose change mounts or unmounts file systems. */
const mounting = new Set(["mountpoint", "canmount", "zoned"])

/** What only the zone may set while a dataset is its own. */
const ofTheZone = new Set(["mountpoint", "sharenfs", "sharesmb"])

const apply = (context: HostContext, dataset: Dataset, name: string, change: () => void): string | undefined => {
  if (!mounting.has(name) || dataset.type !== "filesystem") {
    change()
    if (name === "volsize") Content.sizeVolume(context, dataset.name, Number(dataset.local["volsize"] ?? 0))
    return undefined
  }
  if (name === "mountpoint") {
    const before = Datasets.mountpoint(context.host, dataset)
    const failure = remounting(context, dataset, change)
    // What had a path and was not mounted stays so; what had none is mounted as soon as it has one.
    if (failure !== undefined || before.startsWith("/")) return failure
  } else change()
  for (const member of Datasets.tree(context.host, dataset.name)) {
    if (member.type !== "filesystem") continue
    const may = Datasets.mountpoint(context.host, member).startsWith("/") && Properties.effective(context.host, member, "canmount").value !== "off"
      && Properties.effective(context.host, member, "zoned").value !== "on"
    if (member.mounted && !may) Datasets.unmount(context, member)
    else if (!member.mounted) Datasets.mount(context, member)
  }
  return undefined
}

const limitProblem = (context: HostContext, dataset: Dataset, name: string, value: string): string | undefined => {
  const bytes = Properties.bytes(value) ?? 0
  if (bytes === 0) return undefined
  const limit = (property: string) => Properties.bytes(dataset.local[property] ?? "none") ?? 0
  const tooSmall = "size is less than current used or reserved space"
  if (name === "quota" && bytes < Math.max(Space.used(context, dataset), limit("reservation"))) return tooSmall
  if (name === "refquota" && bytes < Math.max(Space.referenced(context, dataset), limit("refreservation"))) return tooSmall
  if (name === "reservation" || name === "refreservation") {
    const quota = limit(name === "reservation" ? "quota" : "refquota")
    const room = Space.available(context, { ...dataset, local: { ...dataset.local, refquota: "none" } })
    const inUse = name === "reservation" ? Space.used(context, dataset) : Space.usedByDataset(context, dataset)
    if (bytes > room + inUse || (quota > 0 && bytes > quota)) return "size is greater than available space"
  }
  if (name === "volsize" && bytes % limit("volblocksize") !== 0) return "size must be a multiple of volume block size"
  return undefined
}

/** `zfs set`. @category commands */
export const set: InstantCommand = (context, args) => {
  if (args[0]?.startsWith("-") === true) return usage("set", { kind: "unknown", flag: args[0].slice(1, 2) })
  const pairs = args.filter((word) => word.includes("="))
  const names = args.filter((word) => !word.includes("="))
  if (pairs.length === 0) return usage("set", args.length === 0 ? "missing property=value argument(s)" : "missing property=value argument(s)")
  if (names.length === 0) return usage("set", "missing dataset name(s)")
  for (const name of names) {
    const dataset = Datasets.find(context.host, name)
    if (dataset === undefined) return notOpen(name)
    const checked = Assignments.parse(pairs, dataset.type, false)
    if ("refused" in checked) return checked.bare === true ? usage("set", checked.refused) : fail(`cannot set property for '${name}': ${checked.refused}`)
    if (dataset.type === "snapshot" && Object.keys(checked.values).some((property) => !Properties.isUserProperty(property))) {
      return fail(`cannot set property for '${name}': this property can not be modified for snapshots`)
    }
    for (const [property, value] of Object.entries(checked.values)) {
      if (ofTheZone.has(property) && Properties.effective(context.host, dataset, "zoned").value === "on") {
        return fail(`cannot set property for '${name}': '${property}' cannot be set on dataset in a non-global zone`)
      }
      const refused = limitProblem(context, dataset, property, value)
      if (refused !== undefined) return fail(`cannot set property for '${name}': ${refused}`)
      const failure = apply(context, dataset, property, () => {
        dataset.local[property] = value
      })
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
  const back = hasFlag(parsed, "S")
  const refused = Properties.inheritProblem(full)
  if (refused !== undefined && (!back || /read-only/.test(refused))) return fail(refused)
  for (const name of names) {
    const dataset = Datasets.find(context.host, name)
    if (dataset === undefined) return notOpen(name)
    const targets = hasFlag(parsed, "r") ? Datasets.tree(context.host, name) : [dataset]
    for (const target of targets) {
      const failure = apply(context, target, full, () => {
        delete target.local[full]
        if (target.received?.[full] === undefined) return
        const others = (target.receivedIgnored ?? []).filter((other) => other !== full)
        target.receivedIgnored = back ? others : [...others, full]
      })
      if (failure !== undefined) return fail(failure)
    }
  }
  return ok()
}
