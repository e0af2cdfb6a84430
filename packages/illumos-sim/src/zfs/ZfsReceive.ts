/** `zfs receive`: makes datasets and snapshots from a stream, whole or resumed. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostContext, InstantCommand } from "../CommandContext.js"
import type { Dataset } from "../HostState.js"
import { allValues, getopt, hasFlag, type ParsedArguments } from "../internal/getopt.js"
import { fail, ok, type Result } from "../internal/result.js"
import * as Assignments from "./Assignments.js"
import * as Content from "./Content.js"
import * as Datasets from "./Datasets.js"
import * as Manifest from "./Manifest.js"
import { problem } from "./Names.js"
import * as Properties from "./Properties.js"
import * as Space from "./Space.js"
import * as StreamFormat from "./StreamFormat.js"
import { createParents } from "./ZfsCreate.js"
import { tokenOf } from "./ZfsSend.js"
import { usage } from "./ZfsUsage.js"

interface Options {
  readonly force: boolean
  readonly unmounted: boolean
  readonly keepPartial: boolean
  readonly set: Readonly<Record<string, string>>
  readonly excluded: ReadonlySet<string>
}

interface Target {
  /** Dataset the sections with an empty `below` go to. */
  readonly filesystem: string
  /** Name of the snapshot where the operand gives one. */
  readonly snapshot: string | undefined
}

const full = "cannot receive new filesystem stream"
const incremental = "cannot receive incremental stream"
const kindOf = (header: StreamFormat.Header): string => header.from === undefined ? full : incremental

const snapshotName = (header: StreamFormat.Header, target: Target): string =>
  `${target.filesystem}${header.below ?? ""}@${target.snapshot ?? header.name.split("@")[1] ?? ""}`

const modified = (context: HostContext, dataset: Dataset, newest: Dataset): boolean =>
  !Manifest.equal(Space.manifest(context, dataset), Space.manifest(context, newest))

const newDatasetProblem = (context: HostContext, name: string, existing: Dataset | undefined, force: boolean): string | undefined => {
  const { host } = context
  const wrong = problem(name, "dataset")
  if (wrong !== undefined) return `${full}: ${wrong}`
  if (existing !== undefined && existing.partial?.fresh !== true) {
    if (!force) return `${full}: destination '${name}' exists\nmust specify -F to overwrite it`
    const [first] = Datasets.snapshotsOf(host, name)
    if (first !== undefined) return `${full}: destination has snapshots (eg. ${first.name})\nmust destroy them to overwrite it`
    return undefined
  }
  const parent = Datasets.find(host, Datasets.parentName(name))
  if (parent === undefined) return `cannot open '${Datasets.parentName(name) === "" ? name : Datasets.parentName(name)}': dataset does not exist\n${full}: dataset does not exist`
  if (parent.type === "volume") return `${full}: parent '${parent.name}' is not a filesystem`
  return undefined
}

const applyProblem = (context: HostContext, header: StreamFormat.Header, target: Target, options: Options): string | undefined => {
  const { host } = context
  const taken = snapshotName(header, target)
  const name = Datasets.filesystemOf(taken)
  const dataset = Datasets.find(host, name)
  if (header.from === undefined || header.origin !== undefined) return newDatasetProblem(context, name, dataset, options.force)
  if (dataset === undefined) return `${incremental}: destination '${name}' does not exist`
  const snapshots = Datasets.snapshotsOf(host, name)
  const base = snapshots.find((snapshot) => snapshot.guid === header.from)
  const newest = snapshots.at(-1)
  if (base === undefined || newest === undefined) return `${incremental}: most recent snapshot of ${name} does not\nmatch incremental source`
  if (base === newest) {
    return !options.force && modified(context, dataset, newest) ? `${incremental}: destination ${name} has been modified\nsince most recent snapshot` : undefined
  }
  if (!options.force) return `${incremental}: most recent snapshot of ${name} does not\nmatch incremental source`
  const clones = snapshots.filter((snapshot) => snapshot.createtxg > base.createtxg).flatMap((snapshot) => Datasets.clonesOf(host, snapshot.name))
  return clones.length === 0 ? undefined : `${incremental}: most recent snapshot of ${name} does not\nmatch incremental source`
}

const inflow = (section: StreamFormat.Section): number =>
  section.entries.reduce((sum, entry) => sum + Math.max(512, Math.floor(((entry.data ?? "").length * 3) / 4)), 0)

/** Values that come with the stream, without those that the command excludes. */
const received = (header: StreamFormat.Header, options: Options): Record<string, string> | undefined => {
  if (header.properties === undefined) return undefined
  const native = header.type === "volume" ? ["volsize", "volblocksize"] : []
  return Object.fromEntries(Object.entries(header.properties).filter(([name]) => !options.excluded.has(name) && !native.includes(name)))
}

/** The snapshot with this guid: the one that an earlier section has brought, where there are several. */
const byGuid = (context: HostContext, guid: string, below: string): Dataset | undefined => {
  const found = context.host.datasets.filter((candidate) => candidate.type === "snapshot" && candidate.guid === guid)
  return found.find((candidate) => candidate.name.startsWith(`${below}/`) || candidate.name.startsWith(`${below}@`)) ?? found[0]
}

const beginDataset = (context: HostContext, section: StreamFormat.Section, target: Target, name: string, options: Options): Dataset => {
  const { header } = section
  const { host } = context
  const existing = Datasets.find(host, name)
  const origin = header.origin === undefined ? undefined : byGuid(context, header.origin, target.filesystem)
  if (existing !== undefined) {
    existing.origin = ""
    const place = Datasets.content(context, existing)
    if (existing.type === "filesystem" && fs.existsSync(place)) context.files.empty(place)
    delete existing.partial
    return existing
  }
  const dataset = Datasets.add(context, {
    name,
    type: header.type,
    ...(origin === undefined ? {} : { origin: origin.name }),
    local: { ...header.volume, ...options.set }
  })
  if (origin !== undefined) Datasets.restore(context, origin, dataset)
  return dataset
}

const applySection = (context: HostContext, section: StreamFormat.Section, target: Target, options: Options): void => {
  const { header } = section
  const { files, host } = context
  const name = Datasets.filesystemOf(snapshotName(header, target))
  const begins = header.from === undefined || header.origin !== undefined
  const dataset = begins ? beginDataset(context, section, target, name, options) : Datasets.find(host, name)
  if (dataset === undefined) return
  const base = header.from === undefined ? undefined : Datasets.snapshotsOf(host, name).find((snapshot) => snapshot.guid === header.from)
  if (base !== undefined) {
    for (const later of Datasets.snapshotsOf(host, name).filter((snapshot) => snapshot.createtxg > base.createtxg).toReversed()) Datasets.remove(context, later)
    Datasets.restore(context, base, dataset)
  }
  const values = received(header, options)
  if (values !== undefined) dataset.received = { ...dataset.received, ...values }
  Object.assign(dataset.local, begins ? {} : options.set)
  const taken = Datasets.add(context, { name: snapshotName(header, target), type: "snapshot", local: { ...header.snapshotProperties } })
  taken.content = taken.guid
  taken.guid = header.guid
  taken.creation = header.creation
  const folder = Content.ofSnapshot(context, taken)
  const from = base ?? Datasets.find(host, dataset.origin)
  files.makeDirectory(folder)
  if (from !== undefined) files.copyContent(Content.ofSnapshot(context, from), folder)
  StreamFormat.apply(section.entries, folder)
  taken.bytes = Space.referenced(context, taken)
  if (header.volume !== undefined) Object.assign(dataset.local, header.volume)
  Datasets.restore(context, taken, dataset)
  if (dataset.type === "filesystem" && !options.unmounted) Datasets.mount(context, dataset)
}

/** Keeps what has arrived, so that the rest can follow; what `zfs receive` then says, or nothing when it is not to be kept. */
const keep = (context: HostContext, header: StreamFormat.Header, stream: string, target: Target, options: Options): string | undefined => {
  const name = Datasets.filesystemOf(snapshotName(header, target))
  if (!options.keepPartial || applyProblem(context, header, target, options) !== undefined) return undefined
  const before = Datasets.find(context.host, name)
  const dataset = before ?? Datasets.add(context, { name, type: header.type, local: { ...header.volume, ...options.set } })
  const file = dataset.partial?.file ?? dataset.guid
  const place = context.files.partialFile(file)
  context.files.makeDirectory(path.dirname(place))
  fs.writeFileSync(place, stream)
  const token = tokenOf(header, stream.length)
  dataset.partial = { file, token, fresh: dataset.partial?.fresh ?? before === undefined }
  return `Partially received snapshot is saved.\nA resuming stream can be generated on the sending system by running:\n    zfs send -t ${token}`
}

/** The stream as if it had never been cut, or why the rest does not fit. */
const complete = (context: HostContext, stream: string, target: Target): { readonly stream: string } | { readonly refused: string } => {
  const newline = stream.indexOf("\n")
  const first = StreamFormat.parse(`${stream.slice(0, newline)}\n`)
  const resumes = first.cut?.resumes
  const partial = Datasets.find(context.host, target.filesystem)?.partial
  if (resumes === undefined) {
    return partial === undefined || first.cut === undefined
      ? { stream }
      : { refused: `${kindOf(first.cut)}: destination ${target.filesystem} contains partially-complete state from "zfs receive -s".` }
  }
  const place = partial === undefined ? undefined : context.files.partialFile(partial.file)
  const kept = place === undefined ? "" : fs.readFileSync(place, "utf8")
  return kept.length !== resumes || kept === ""
    ? { refused: "cannot receive resume stream: kernel modules must be upgraded to receive this stream." }
    : { stream: kept + stream.slice(newline + 1) }
}

const receiveInto = (context: HostContext, target: Target, given: string, options: Options): Result => {
  const whole = given.length < StreamFormat.recordLength ? { stream: given } : complete(context, given, target)
  if ("refused" in whole) return fail(whole.refused)
  const { bad, cut, sections } = StreamFormat.parse(whole.stream)
  if (bad !== undefined) return fail(bad === "short" ? "cannot receive: failed to read from stream" : "cannot receive: invalid stream (bad magic number)")
  for (const section of sections) {
    const taken = snapshotName(section.header, target)
    // A snapshot that is there already is skipped, as in a stream that holds several.
    if (Datasets.find(context.host, taken)?.guid === section.header.guid && sections.length > 1) continue
    const dataset = Datasets.find(context.host, Datasets.filesystemOf(taken))
    const refused = applyProblem(context, section.header, target, options)
    if (refused !== undefined) return fail(refused)
    const nearest = dataset ?? Datasets.find(context.host, Datasets.parentName(Datasets.filesystemOf(taken)))
    if (nearest !== undefined && inflow(section) > Space.available(context, nearest)) return fail(`${kindOf(section.header)}: out of space`)
    if (dataset?.partial !== undefined) {
      context.files.remove(context.files.partialFile(dataset.partial.file))
      if (dataset.partial.fresh && section.header.from === undefined) Datasets.remove(context, dataset)
      delete dataset.partial
    }
    applySection(context, section, target, options)
  }
  if (cut === undefined) return ok()
  const saved = keep(context, cut, whole.stream, target, options)
  return fail(`${kindOf(cut)}: checksum mismatch or incomplete stream${saved === undefined ? "" : `.\n${saved}`}`)
}

const abort = (context: HostContext, name: string): Result => {
  const dataset = Datasets.find(context.host, name)
  if (dataset?.partial === undefined) return fail(`'${name}' does not have any resumable receive state to abort`)
  const { file, fresh } = dataset.partial
  context.files.remove(context.files.partialFile(file))
  delete dataset.partial
  if (fresh) Datasets.remove(context, dataset)
  return ok()
}

const targetOf = (context: HostContext, parsed: ParsedArguments, operand: string, stream: string): Target | Result => {
  if (!hasFlag(parsed, "d") && !hasFlag(parsed, "e")) {
    const [filesystem = "", snapshot] = operand.split("@")
    return { filesystem, snapshot }
  }
  if (Datasets.find(context.host, operand) === undefined) return fail(`cannot receive: specified fs (${operand}) does not exist`)
  const { cut, sections } = StreamFormat.parse(stream)
  const sent = Datasets.filesystemOf((cut ?? sections[0]?.header)?.name ?? "")
  const kept = hasFlag(parsed, "e") ? sent.split("/").slice(-1) : sent.split("/").slice(1)
  const filesystem = [operand, ...kept].join("/")
  if (hasFlag(parsed, "d")) createParents(context, filesystem)
  return { filesystem, snapshot: undefined }
}

/** `zfs receive` and `zfs recv`. @category commands */
export const receive: InstantCommand = (context, args, stdin) => {
  const parsed = getopt(args, ":o:x:dehnuvFsA")
  if (parsed.error !== undefined) return usage("receive", parsed.error)
  const [operand, extra] = parsed.operands
  if (operand === undefined) return usage("receive", "missing snapshot argument")
  if (extra !== undefined) return usage("receive", "too many arguments")
  if (hasFlag(parsed, "A")) return abort(context, operand)
  const set = Assignments.parse(allValues(parsed, "o"), "filesystem", true)
  if ("refused" in set) return fail(`cannot receive: ${set.refused}`)
  const excluded = allValues(parsed, "x").map((name) => Properties.canonical(name) ?? name)
  const target = targetOf(context, parsed, operand, stdin)
  if ("exitCode" in target) return target
  if (hasFlag(parsed, "n")) return ok()
  return receiveInto(context, target, stdin, {
    force: hasFlag(parsed, "F"),
    unmounted: hasFlag(parsed, "u"),
    keepPartial: hasFlag(parsed, "s"),
    set: set.values,
    excluded: new Set([...excluded, ...Object.keys(set.values)])
  })
}
