/** `zfs send`. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import type { Dataset } from "../HostState.js"
import { getopt, hasFlag, lastValue, type ParsedArguments } from "../internal/getopt.js"
import { fail, type Result } from "../internal/result.js"
import * as Content from "./Content.js"
import * as Datasets from "./Datasets.js"
import * as StreamFormat from "./StreamFormat.js"
import { notOpen, usage } from "./ZfsUsage.js"

interface Step {
  readonly snapshot: Dataset
  readonly from: Dataset | undefined
}

const section = (context: HostContext, { from, snapshot }: Step, extra: Partial<StreamFormat.Header>, properties: boolean): string => {
  const { host } = context
  const owner = Datasets.find(host, Datasets.filesystemOf(snapshot.name))
  const { volblocksize = "8192", volsize = "0" } = owner?.local ?? {}
  return StreamFormat.render({
    header: {
      magic: "reddwarf-zfs-stream-1",
      type: owner?.type === "volume" ? "volume" : "filesystem",
      name: snapshot.name,
      guid: snapshot.guid,
      creation: snapshot.creation,
      ...(from === undefined ? {} : { from: from.guid }),
      ...(owner?.type === "volume" ? { volume: { volsize, volblocksize } } : {}),
      ...(properties ? { properties: { ...owner?.received, ...owner?.local }, snapshotProperties: snapshot.local } : {}),
      ...extra
    },
    entries: StreamFormat.difference(from === undefined ? undefined : Content.ofSnapshot(context, from), Content.ofSnapshot(context, snapshot))
  })
}

const short = (name: string): string => name.split("@")[1] ?? ""

const earlier = (context: HostContext, snapshot: Dataset, from: string): Dataset | string => {
  const { host } = context
  const filesystem = Datasets.filesystemOf(snapshot.name)
  const full = from.startsWith("@") ? `${filesystem}${from}` : from.includes("@") ? from : `${filesystem}@${from}`
  const base = Datasets.find(host, full)
  if (base === undefined) return `WARNING: could not send ${snapshot.name}:\nincremental source (${full}) does not exist`
  const owner = Datasets.find(host, filesystem)
  const same = Datasets.filesystemOf(full) === filesystem && base.createtxg < snapshot.createtxg
  return same || owner?.origin === full ? base : `cannot send '${snapshot.name}': not an earlier snapshot from the same fs`
}

/** The snapshots to send, one after the other, when the stream is to hold those between as well. */
const steps = (context: HostContext, snapshot: Dataset, from: Dataset | undefined, between: boolean): ReadonlyArray<Step> => {
  if (!between) return [{ snapshot, from }]
  const all = Datasets.snapshotsOf(context.host, Datasets.filesystemOf(snapshot.name))
    .filter((taken) => taken.createtxg <= snapshot.createtxg && (from === undefined || taken.createtxg > from.createtxg))
  return all.map((taken, index) => ({ snapshot: taken, from: index === 0 ? from : all[index - 1] }))
}

/** Everything below a dataset; a clone follows the dataset that it was made from. */
const replication = (context: HostContext, snapshot: Dataset, from: Dataset | undefined, between: boolean): string => {
  const { host } = context
  const top = Datasets.filesystemOf(snapshot.name)
  const members = Datasets.tree(host, top).filter((member) => member.type !== "snapshot")
  const rank = (member: Dataset): number => {
    const owner = Datasets.find(host, Datasets.filesystemOf(member.origin))
    return owner !== undefined && members.includes(owner) ? rank(owner) + 1 : 0
  }
  return [...members].sort((a, b) => rank(a) - rank(b)).flatMap((member) => {
    const taken = Datasets.find(host, `${member.name}@${short(snapshot.name)}`)
    if (taken === undefined) return []
    const base = from === undefined ? undefined : Datasets.find(host, `${member.name}@${short(from.name)}`)
    const origin = Datasets.find(host, member.origin)
    const cloned = base === undefined && origin !== undefined && members.some((other) => origin.name.startsWith(`${other.name}@`))
    const list = steps(context, taken, base, between || from === undefined)
    return list.map((step, index) =>
      section(
        context,
        index === 0 && cloned ? { ...step, from: origin } : step,
        { below: member.name.slice(top.length), ...(index === 0 && cloned ? { origin: origin.guid } : {}) },
        true
      ))
  }).join("")
}

/** `guid-from-characters`: what is needed to find the rest of a cut stream again. @category constructors */
export const tokenOf = (header: StreamFormat.Header, characters: number): string => `1-${header.guid}-${header.from ?? "0"}-${characters}`

const resume = (context: HostContext, token: string): Result => {
  const [version, guid, from, position] = token.split("-")
  if (version !== "1" || guid === undefined || from === undefined || position === undefined) {
    return fail("cannot resume send: resume token is corrupt")
  }
  const byGuid = (wanted: string) => context.host.datasets.find((dataset) => dataset.type === "snapshot" && dataset.guid === wanted)
  const snapshot = byGuid(guid)
  const base = from === "0" ? undefined : byGuid(from)
  if (snapshot === undefined) return fail(`cannot resume send: snapshot with guid ${guid} no longer exists`)
  if (from !== "0" && base === undefined) return fail(`cannot resume send: incremental source ${from} no longer exists`)
  const whole = section(context, { snapshot, from: base }, {}, false)
  const header = StreamFormat.parse(whole).sections[0]?.header
  const at = Number(position)
  return header === undefined || !Number.isSafeInteger(at) || at > whole.length
    ? fail("cannot resume send: resume token is corrupt")
    : { exitCode: 0, stdout: StreamFormat.renderResume(header, at) + whole.slice(at), stderr: "" }
}

const estimate = (parsed: ParsedArguments, name: string, stream: string): Result =>
  hasFlag(parsed, "P")
    ? { exitCode: 0, stdout: "", stderr: `full\t${name}\t${stream.length}\nsize\t${stream.length}\n` }
    : { exitCode: 0, stdout: "", stderr: `send from @ to ${name} estimated size is ${stream.length}B\ntotal estimated size is ${stream.length}B\n` }

/** `zfs send`. @category commands */
export const send: InstantCommand = (context, args) => {
  const parsed = getopt(args, ":i:I:RDpvnPLeht:cwb")
  if (parsed.error !== undefined) return usage("send", parsed.error)
  const token = lastValue(parsed, "t")
  if (token !== undefined) return parsed.operands.length > 0 ? usage("send", "too many arguments") : resume(context, token)
  const [name, extra] = parsed.operands
  if (name === undefined) return usage("send", "missing snapshot argument")
  if (extra !== undefined) return usage("send", "too many arguments")
  if (!name.includes("@")) return usage("send", "argument must be a snapshot")
  const [plain, all] = [lastValue(parsed, "i"), lastValue(parsed, "I")]
  if (plain !== undefined && all !== undefined) return usage("send", "options '-i' and '-I' are mutually exclusive")
  const snapshot = Datasets.find(context.host, name)
  if (snapshot === undefined) return notOpen(name)
  const wanted = all ?? plain
  const base = wanted === undefined ? undefined : earlier(context, snapshot, wanted)
  if (typeof base === "string") return fail(base)
  const between = all !== undefined
  const stream = hasFlag(parsed, "R")
    ? replication(context, snapshot, base, between)
    : steps(context, snapshot, base, between).map((step) => section(context, step, {}, hasFlag(parsed, "p"))).join("")
  return hasFlag(parsed, "n") ? estimate(parsed, name, stream) : { exitCode: 0, stdout: stream, stderr: "" }
}
