/**
 * The least script that turns one configuration into another: what stays is not mentioned in it, what changes is changed in place where
 * zonecfg can do that, else removed and added again. Removals come first, so that nothing excludes what is added.
 */
import * as Either from "effect/Either"
import { isDeepStrictEqual } from "node:util"
import { ZoneConfigRejected } from "./HostError.js"
import { normal } from "./internal/zonecfg/normal.js"
import * as resources from "./internal/zonecfg/resources.js"
import { netKey, problems } from "./internal/zonecfg/rules.js"
import { type Checked, type Line, quoted, refuse } from "./internal/zonecfg/values.js"
import type * as ZoneConfig from "./ZoneConfig.js"

/**
 * What the script is for.
 *
 * @category models
 */
export interface DiffOptions {
  /** Default `omnios`. */
  readonly dialect?: ZoneConfig.Dialect
  /** Whether the zone may be installed: then its path and brand cannot change. Default true. */
  readonly installed?: boolean
}

/** Lines that take something away, and lines that change or add something. */
interface Change {
  readonly removals: ReadonlyArray<Line>
  readonly changes: ReadonlyArray<Line>
}

const nothing: Change = { removals: [], changes: [] }

const qualified = (command: string, resource: string, where: ReadonlyArray<readonly [name: string, value: string]>): Checked<string> =>
  Either.map(
    Either.all(where.map(([name, value]) => Either.map(quoted(`${resource}.${name}`, value), (text) => `${name}=${text}`))),
    (qualifiers) => [command, resource, ...qualifiers].join(" ")
  )

const removed = (resource: string, ...where: ReadonlyArray<readonly [name: string, value: string]>) => qualified("remove", resource, where)

const selected = (resource: string, where: ReadonlyArray<readonly [name: string, value: string]>, body: ReadonlyArray<Line>): Array<Line> =>
  body.length === 0 ? [] : [qualified("select", resource, where), ...body, "end"]

interface Kind<A> {
  readonly key: (item: A) => string
  readonly remove: (item: A) => Line
  readonly add: (item: A) => Array<Line>
  /** Absent when the resource cannot be changed in place. */
  readonly change?: (from: A, to: A) => Array<Line>
}

const keyed = <A>(from: ReadonlyArray<A>, to: ReadonlyArray<A>, kind: Kind<A>): Change => {
  const before = new Map(from.map((item) => [kind.key(item), item]))
  const wanted = new Set(to.map(kind.key))
  const removals: Array<Line> = from.filter((item) => !wanted.has(kind.key(item))).map(kind.remove)
  const changes: Array<Line> = []
  for (const item of to) {
    const old = before.get(kind.key(item))
    if (old === undefined) changes.push(...kind.add(item))
    else if (!isDeepStrictEqual(old, item)) {
      if (kind.change === undefined) {
        removals.push(kind.remove(old))
        changes.push(...kind.add(item))
      } else changes.push(...kind.change(old, item))
    }
  }
  return { removals, changes }
}

const isPlain = (net: ZoneConfig.NetResource): boolean => net.address === undefined && net.allowedAddress === undefined

const removeNet = (net: ZoneConfig.NetResource): Line =>
  removed(
    "net",
    ["physical", net.physical],
    ...(net.address === undefined ? [] : [["address", net.address] as const]),
    ...(net.allowedAddress === undefined ? [] : [["allowed-address", net.allowedAddress] as const])
  )

/**
 * A `net` without an address is named by its link alone, and that is refused while the link has others: those go first and come back.
 * Properties of a `net` cannot be cleared, so a changed one is replaced.
 */
const nets = (from: ReadonlyArray<ZoneConfig.NetResource>, to: ReadonlyArray<ZoneConfig.NetResource>): Change => {
  const wanted = new Map(to.map((net) => [netKey(net), net]))
  const stays = (net: ZoneConfig.NetResource) => isDeepStrictEqual(wanted.get(netKey(net)), net)
  const ambiguous = new Set(from.filter((net) => isPlain(net) && !stays(net)).map((net) => net.physical))
  const kept = new Set(from.filter((net) => stays(net) && !ambiguous.has(net.physical)).map(netKey))
  const gone = from.filter((net) => !kept.has(netKey(net)))
  return {
    removals: [...gone.filter((net) => !isPlain(net)), ...gone.filter(isPlain)].map(removeNet),
    changes: to.filter((net) => !kept.has(netKey(net))).flatMap(resources.net)
  }
}

const fsKind: Kind<ZoneConfig.FsResource> = {
  key: (fs) => fs.dir,
  remove: (fs) => removed("fs", ["dir", fs.dir]),
  add: resources.fs,
  change: (from, to) =>
    selected("fs", [["dir", to.dir]], [
      ...(from.special === to.special ? [] : [resources.fsProperties.special(to.special)]),
      ...(from.type === to.type ? [] : [resources.fsProperties.type(to.type)]),
      ...(from.raw === to.raw ? [] : to.raw === undefined ? ["clear raw"] : [resources.fsProperties.raw(to.raw)]),
      ...(isDeepStrictEqual(from.options, to.options) ? [] : ["set options=[]", ...resources.fsOptions(to.options)])
    ])
}

const attrKind: Kind<ZoneConfig.AttrResource> = {
  key: (attr) => attr.name,
  remove: (attr) => removed("attr", ["name", attr.name]),
  add: resources.attr,
  change: (from, to) =>
    selected("attr", [["name", to.name]], from.type === to.type ? resources.attrBody(to).slice(1) : resources.attrBody(to))
}

const rctlKind: Kind<ZoneConfig.RctlResource> = {
  key: (rctl) => rctl.name,
  remove: (rctl) => removed("rctl", ["name", rctl.name]),
  add: resources.rctl
}

const adminKind: Kind<ZoneConfig.AdminResource> = {
  key: (admin) => admin.user,
  remove: (admin) => removed("admin", ["user", admin.user]),
  add: resources.admin
}

const named = (resource: string, property: string, add: (name: string) => Array<Line>): Kind<string> => ({
  key: (name) => name,
  remove: (name) => removed(resource, [property, name]),
  add
})

/** A resource there is at most one of. */
const single = <A>(
  resource: string,
  from: A | undefined,
  to: A | undefined,
  add: (value: A) => Array<Line>,
  change?: (from: A, to: A) => Array<Line> | undefined
): Change => {
  if (isDeepStrictEqual(from, to)) return nothing
  if (to === undefined) return { removals: [`remove ${resource}`], changes: [] }
  if (from === undefined) return { removals: [], changes: add(to) }
  const body = change?.(from, to)
  return body === undefined
    ? { removals: [`remove ${resource}`], changes: add(to) }
    : { removals: [], changes: selected(resource, [], body) }
}

const memoryKinds = ["physical", "swap", "locked"] as const

const singles = (from: ZoneConfig.ZoneConfig, to: ZoneConfig.ZoneConfig): Change => {
  const parts = [
    single("dedicated-cpu", from.dedicatedCpu, to.dedicatedCpu, resources.dedicatedCpu, (before, after) =>
      before.importance !== undefined && after.importance === undefined
        ? undefined
        : resources.dedicatedCpuBody(after)),
    single("capped-cpu", from.cappedCpuPercent, to.cappedCpuPercent, resources.cappedCpu, (_, after) => [resources.cappedCpuBody(after)]),
    single("capped-memory", from.cappedMemory, to.cappedMemory, resources.cappedMemory, (before, after) =>
      memoryKinds.some((kind) => before[kind] !== undefined && after[kind] === undefined)
        ? undefined
        : resources.cappedMemoryBody(after, (kind) => before[kind] !== after[kind])),
    single("security-flags", from.securityFlags, to.securityFlags, resources.securityFlags)
  ]
  return { removals: parts.flatMap((part) => part.removals), changes: parts.flatMap((part) => part.changes) }
}

const text = (line: Line | undefined): string | undefined =>
  line === undefined || typeof line === "string" ? line : Either.getOrElse(line, () => "")

const globals = (from: ZoneConfig.ZoneConfig, to: ZoneConfig.ZoneConfig, installed: boolean): Change => {
  const before = new Map(resources.globalLines(from))
  const removals: Array<Line> = []
  const changes: Array<Line> = []
  for (const [property, line] of resources.globalLines(to)) {
    const old = before.get(property)
    if (text(old) === text(line)) continue
    if (line === undefined) removals.push(`clear ${property}`)
    else if (installed && (property === "zonepath" || property === "brand")) {
      changes.push(refuse(property, "cannot change once the zone is installed; uninstall it, or move it with zoneadm"))
    } else changes.push(line)
  }
  const limits = new Map(resources.limitLines(from).map(([alias, line]) => [alias.property, text(line)]))
  for (const [alias, line] of resources.limitLines(to)) {
    const old = limits.get(alias.property)
    if (old === text(line)) continue
    if (line === undefined) removals.push(`clear ${alias.property}`)
    else changes.push(line)
  }
  return { removals, changes }
}

/**
 * The commands that turn `from` into `to`, without `verify` and `commit`; none when the host could not tell the two apart.
 * `ZoneConfigRejected` names the first property of `to` that cannot be stored, or cannot change any more.
 *
 * @category combinators
 */
export const diff = (
  zone: string,
  from: ZoneConfig.ZoneConfig,
  to: ZoneConfig.ZoneConfig,
  options: DiffOptions = {}
): Either.Either<ReadonlyArray<string>, ZoneConfigRejected> => {
  const [before, after] = [normal(from), normal(to)]
  const global = globals(before, after, options.installed ?? true)
  const net = nets(before.net, after.net)
  const parts = [
    keyed(before.fs, after.fs, fsKind),
    keyed(before.device, after.device, named("device", "match", resources.device)),
    keyed(before.rctl, after.rctl, rctlKind),
    keyed(before.attr, after.attr, attrKind),
    keyed(before.dataset, after.dataset, named("dataset", "name", resources.dataset)),
    keyed(before.admin ?? [], after.admin ?? [], adminKind),
    singles(before, after)
  ]
  const lines = [
    ...net.removals,
    ...parts.flatMap((part) => part.removals),
    ...global.removals,
    ...global.changes,
    ...net.changes,
    ...parts.flatMap((part) => part.changes),
    ...problems(after, options.dialect ?? "omnios")
  ]
  return Either.mapLeft(
    Either.all(lines.map((line) => typeof line === "string" ? Either.right(line) : line)),
    (refused) =>
      new ZoneConfigRejected({ operation: "change the configuration of zone", object: zone, detail: `${refused.property}: ${refused.reason}` })
  )
}

/**
 * The script for `zonecfg -f` that turns `from` into `to`; `undefined` when there is nothing to change.
 *
 * @category combinators
 */
export const script = (
  zone: string,
  from: ZoneConfig.ZoneConfig,
  to: ZoneConfig.ZoneConfig,
  options: DiffOptions = {}
): Either.Either<string | undefined, ZoneConfigRejected> =>
  Either.map(diff(zone, from, to, options), (lines) => lines.length === 0 ? undefined : `${[...lines, "verify", "commit"].join("\n")}\n`)
