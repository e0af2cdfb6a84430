/** `zfs create` and `zfs clone`. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import type { Dataset } from "../HostState.js"
import { allValues, getopt, hasFlag, lastValue, type ParsedArguments } from "../internal/getopt.js"
import { fail, ok, type Result } from "../internal/result.js"
import * as Assignments from "./Assignments.js"
import * as Content from "./Content.js"
import * as Datasets from "./Datasets.js"
import { problem } from "./Names.js"
import * as Properties from "./Properties.js"
import * as Space from "./Space.js"
import { notApplicable, notOpen, usage } from "./ZfsUsage.js"

/** Why a new dataset of this name cannot be made; the text after `cannot create '<name>': `. @category combinators */
export const obstacle = (context: HostContext, name: string, parents: boolean): string | undefined => {
  const { host } = context
  const wrong = problem(name, "dataset")
  if (wrong !== undefined) return wrong
  const pool = Datasets.poolName(name)
  if (!name.includes("/")) return "missing dataset name"
  if (!host.pools.some((candidate) => candidate.name === pool)) return `no such pool '${pool}'`
  if (Datasets.find(host, name) !== undefined) return "dataset already exists"
  const parent = Datasets.find(host, Datasets.parentName(name))
  if (parent === undefined && !parents) return "parent does not exist"
  if (parent?.type === "volume") return `parent '${parent.name}' is not a filesystem`
  const nearest = nearestAncestor(context, name)
  if (nearest !== undefined && nearest.type !== "volume" && Space.isFull(context, nearest.name)) return "out of space"
  return undefined
}

const nearestAncestor = (context: HostContext, name: string): Dataset | undefined => {
  for (let parent = Datasets.parentName(name); parent !== ""; parent = Datasets.parentName(parent)) {
    const found = Datasets.find(context.host, parent)
    if (found !== undefined) return found
  }
  return undefined
}

const mounted = (context: HostContext, dataset: Dataset): Result => {
  const failure = dataset.type === "filesystem" ? Datasets.mount(context, dataset) : undefined
  return failure === undefined
    ? ok()
    : fail(`cannot mount '${failure.mountpoint}': ${failure.detail}\nfilesystem successfully created, but not mounted`)
}

/** Makes the parents of `name` that are missing. @category combinators */
export const createParents = (context: HostContext, name: string): void => {
  const parts = name.split("/")
  for (let depth = 2; depth < parts.length; depth++) {
    const parent = parts.slice(0, depth).join("/")
    if (Datasets.find(context.host, parent) === undefined) {
      Datasets.mount(context, Datasets.add(context, { name: parent, type: "filesystem" }))
    }
  }
}

const tooBig = (context: HostContext, name: string, values: Readonly<Record<string, string>>): boolean => {
  const bytes = (property: string) => Properties.bytes(values[property] ?? "none") ?? 0
  const wanted = Math.max(bytes("reservation"), bytes("refreservation"))
  const parent = nearestAncestor(context, name)
  if (wanted === 0 || parent === undefined) return false
  const limits = ["quota", "refquota"].map(bytes).filter((limit) => limit > 0)
  return wanted > Space.available(context, parent) || limits.some((limit) => wanted > limit)
}

const volume = (parsed: ParsedArguments, values: Record<string, string>): string | undefined => {
  const size = Properties.bytes(lastValue(parsed, "V") ?? "")
  if (size === undefined || size === 0) return `bad numeric value '${lastValue(parsed, "V") ?? ""}'`
  const text = lastValue(parsed, "b")
  const block = Properties.bytes(text ?? values["volblocksize"] ?? "8192")
  if (block === undefined) return `bad numeric value '${text ?? ""}'`
  if (block < 512 || block > 131_072 || !Number.isInteger(Math.log2(block))) return "'volblocksize' must be power of 2 from 512B to 128K"
  const rounded = Math.ceil(size / block) * block
  values["volsize"] = String(rounded)
  values["volblocksize"] = String(block)
  if (!hasFlag(parsed, "s")) values["refreservation"] ??= String(rounded)
  return undefined
}

const refusal = (name: string, refused: { readonly refused: string; readonly bare?: boolean }): Result =>
  fail(refused.bare === true ? refused.refused : `cannot create '${name}': ${refused.refused}`, refused.bare === true ? 2 : 1)

/** `zfs create`. @category commands */
export const create: InstantCommand = (context, args) => {
  const parsed = getopt(args, ":V:b:so:p")
  if (parsed.error !== undefined) return usage("create", parsed.error)
  const isVolume = lastValue(parsed, "V") !== undefined
  if ((hasFlag(parsed, "s") || lastValue(parsed, "b") !== undefined) && !isVolume) {
    return usage("create", "'-s' and '-b' can only be used when creating a volume")
  }
  const [name, extra] = parsed.operands
  if (name === undefined) return usage("create", isVolume ? "missing volume argument" : "missing filesystem argument")
  if (extra !== undefined) return usage("create", "too many arguments")
  const type = isVolume ? "volume" : "filesystem"
  const parents = hasFlag(parsed, "p")
  if (parents && Datasets.find(context.host, name) !== undefined) return ok()
  const checked = Assignments.parse(allValues(parsed, "o"), type, true)
  if ("refused" in checked) return refusal(name, checked)
  const blocked = obstacle(context, name, parents)
  if (blocked !== undefined) return fail(`cannot create '${name}': ${blocked}`)
  const wrongSize = isVolume ? volume(parsed, checked.values) : undefined
  if (wrongSize !== undefined) return fail(`cannot create '${name}': ${wrongSize}`)
  if (tooBig(context, name, checked.values)) return fail(`cannot create '${name}': out of space`)
  if (parents) createParents(context, name)
  const made = Datasets.add(context, { name, type, local: checked.values })
  if (isVolume) Content.sizeVolume(context, name, Number(checked.values["volsize"] ?? 0))
  return mounted(context, made)
}

/** Properties of a volume that its clone has from the beginning. */
const volumeProperties = (source: Dataset | undefined): Dataset["local"] =>
  Object.fromEntries(["volsize", "volblocksize"].flatMap((name) => {
    const value = source?.local[name]
    return value === undefined ? [] : [[name, value]]
  }))

/** `zfs clone`. @category commands */
export const clone: InstantCommand = (context, args) => {
  const parsed = getopt(args, "o:p")
  if (parsed.error !== undefined) return usage("clone", parsed.error)
  const [source, target, extra] = parsed.operands
  if (source === undefined) return usage("clone", "missing source dataset argument")
  if (target === undefined) return usage("clone", "missing target dataset argument")
  if (extra !== undefined) return usage("clone", "too many arguments")
  const { host } = context
  const origin = Datasets.find(host, source)
  if (origin === undefined) return notOpen(source)
  if (origin.type !== "snapshot") return notApplicable(source)
  if (hasFlag(parsed, "p") && Datasets.find(host, target) !== undefined) return ok()
  const parent = Datasets.find(host, Datasets.filesystemOf(source))
  const type = parent?.type ?? "filesystem"
  const checked = Assignments.parse(allValues(parsed, "o"), type, true)
  if ("refused" in checked) return refusal(target, checked)
  const blocked = obstacle(context, target, hasFlag(parsed, "p"))
  if (blocked !== undefined) return fail(`cannot create '${target}': ${blocked}`)
  if (Datasets.poolName(source) !== Datasets.poolName(target)) return fail(`cannot create '${target}': source and target pools differ`)
  const refquota = Properties.bytes(checked.values["refquota"] ?? "none") ?? 0
  if (refquota > 0 && refquota < Space.referenced(context, origin)) return fail(`cannot create '${target}': out of space`)
  if (tooBig(context, target, checked.values)) return fail(`cannot create '${target}': out of space`)
  if (hasFlag(parsed, "p")) createParents(context, target)
  const inherited = type === "volume" ? volumeProperties(parent) : {}
  const made = Datasets.add(context, { name: target, type, origin: source, local: { ...inherited, ...checked.values } })
  Datasets.restore(context, origin, made)
  return mounted(context, made)
}
