/** `zfs list` and `zfs get`: selection of datasets, values and columns. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import type { Dataset } from "../HostState.js"
import { getopt, hasFlag, lastValue, type ParsedArguments } from "../internal/getopt.js"
import { fail, ok, result, type Result } from "../internal/result.js"
import * as Datasets from "./Datasets.js"
import { shortDate } from "./Dates.js"
import * as Properties from "./Properties.js"
import * as Space from "./Space.js"
import { usage } from "./ZfsUsage.js"

const typeNames: Readonly<Record<string, ReadonlyArray<Dataset["type"]>>> = {
  filesystem: ["filesystem"],
  fs: ["filesystem"],
  volume: ["volume"],
  vol: ["volume"],
  snapshot: ["snapshot"],
  snap: ["snapshot"],
  bookmark: [],
  all: ["filesystem", "volume", "snapshot"]
}

const numbers = (context: HostContext, dataset: Dataset, name: string): number | undefined => {
  switch (name) {
    case "used":
    case "logicalused": return Space.used(context, dataset)
    case "available": return Space.available(context, dataset)
    case "referenced":
    case "logicalreferenced": return Space.referenced(context, dataset)
    case "usedbydataset": return Space.usedByDataset(context, dataset)
    case "written": return Space.written(context, dataset)
    case "usedbysnapshots": return Space.usedBySnapshots(context, dataset)
    case "usedbyrefreservation": return Space.usedByRefreservation(context, dataset)
    case "usedbychildren": return Space.usedByChildren(context, dataset)
    default: return undefined
  }
}

const workedOut: ReadonlySet<string> = new Set([
  "used", "logicalused", "available", "referenced", "logicalreferenced", "usedbydataset", "written", "usedbysnapshots", "usedbyrefreservation", "usedbychildren"
])

const isWorkedOut = (name: string): boolean => workedOut.has(name)

const fixed = (context: HostContext, dataset: Dataset, name: string, exact: boolean): string | undefined => {
  switch (name) {
    case "name": return dataset.name
    case "type": return dataset.type
    case "creation": return exact ? String(dataset.creation) : shortDate(dataset.creation)
    case "guid": return dataset.guid
    case "createtxg": return String(dataset.createtxg)
    case "origin": return dataset.origin === "" ? "-" : dataset.origin
    case "mounted": return dataset.type === "filesystem" ? (dataset.mounted ? "yes" : "no") : "-"
    case "compressratio": return exact ? "1.00" : "1.00x"
    case "userrefs": return dataset.type === "snapshot" ? String(dataset.holds.length) : "-"
    case "defer_destroy": return dataset.type === "snapshot" ? (dataset.deferred === true ? "on" : "off") : "-"
    case "receive_resume_token": return dataset.partial?.token ?? "-"
    case "clones": return dataset.type === "snapshot" ? Datasets.clonesOf(context.host, dataset.name).map((clone) => clone.name).join(",") : "-"
    case "mountpoint": return Datasets.mountpoint(context.host, dataset)
    default: return undefined
  }
}

const value = (context: HostContext, dataset: Dataset, name: string, exact: boolean): Properties.Effective => {
  if (!Properties.isUserProperty(name) && name !== "name" && !Properties.appliesTo(name, dataset.type)) {
    return { value: "-", source: "-" }
  }
  const number = numbers(context, dataset, name)
  if (number !== undefined) return { value: exact ? String(number) : Properties.human(number), source: "-" }
  const plain = fixed(context, dataset, name, exact)
  if (plain !== undefined && name !== "mountpoint") return { value: plain, source: "-" }
  const found = Properties.effective(context.host, dataset, name)
  if (name === "mountpoint") return { value: plain ?? found.value, source: found.source }
  if (!Properties.isSize(name)) return found
  if (found.value === "none") return { value: exact ? "0" : "none", source: found.source }
  const bytes = Properties.bytes(found.value)
  return bytes === undefined ? found : { value: exact ? String(bytes) : Properties.human(bytes), source: found.source }
}

interface Selection {
  readonly datasets: ReadonlyArray<Dataset>
  readonly missing: ReadonlyArray<string>
}

const depthBelow = (root: string, name: string): number =>
  name === root ? 0 : name.slice(root.length).split(/[/@]/).length - 1

const select = (context: HostContext, parsed: ParsedArguments, names: ReadonlyArray<string>, types: ReadonlyArray<Dataset["type"]> | undefined): Selection => {
  const { host } = context
  const limit = lastValue(parsed, "d") !== undefined
    ? Number(lastValue(parsed, "d"))
    : hasFlag(parsed, "r") || names.length === 0 ? Infinity : 0
  const wanted = types ?? ["filesystem", "volume"]
  const roots = names.length === 0 ? host.pools.map((pool) => pool.name) : names
  const found = new Set<Dataset>()
  const missing: Array<string> = []
  for (const name of roots) {
    const dataset = Datasets.find(host, name)
    if (dataset === undefined) {
      missing.push(name)
      continue
    }
    // A named snapshot is shown without `-t`; `-t snapshot fs` means the snapshots of that file system.
    const reach = limit === 0 && lastValue(parsed, "t") !== undefined && types?.includes("snapshot") === true && dataset.type !== "snapshot" ? 1 : limit
    for (const member of Datasets.tree(host, name)) {
      const direct = member === dataset && (types === undefined || wanted.includes(member.type))
      const below = member !== dataset && wanted.includes(member.type) && depthBelow(name, member.name) <= reach
      if (direct || below) found.add(member)
    }
  }
  // By name of the dataset, itself before its snapshots, and those by age.
  const owner = (dataset: Dataset) => Datasets.filesystemOf(dataset.name)
  const datasets = [...found].sort((a, b) =>
    owner(a) !== owner(b)
      ? owner(a) < owner(b) ? -1 : 1
      : a.type === "snapshot" && b.type === "snapshot" ? a.createtxg - b.createtxg : a.type === "snapshot" ? 1 : -1
  )
  return { datasets, missing }
}

const parseTypes = (parsed: ParsedArguments): ReadonlyArray<Dataset["type"]> | Result | undefined => {
  const text = lastValue(parsed, "t")
  if (text === undefined) return undefined
  const types: Array<Dataset["type"]> = []
  for (const word of text.split(",")) {
    const meant = typeNames[word]
    if (meant === undefined) return fail(`invalid type '${word}'`, 2)
    types.push(...meant)
  }
  return types
}

const isResult = (types: ReadonlyArray<Dataset["type"]> | Result | undefined): types is Result => types !== undefined && "exitCode" in types

const table = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>, scripted: boolean, right: ReadonlySet<number>): string => {
  if (scripted) return rows.map((row) => row.join("\t")).join("\n")
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)))
  return all.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0
      if (right.has(column)) return cell.padStart(width)
      return column === row.length - 1 ? cell : cell.padEnd(width)
    }).join("  ")
  ).join("\n")
}

const missingText = (names: ReadonlyArray<string>): string => names.map((name) => `cannot open '${name}': dataset does not exist`).join("\n")

const headers: Readonly<Record<string, string>> = { available: "AVAIL", referenced: "REFER", compressratio: "RATIO", readonly: "RDONLY" }

const badProperty = (subcommand: string, names: ReadonlyArray<string>, extra: ReadonlyArray<string>): Result | undefined => {
  const bad = names.find((name) => !extra.includes(name) && Properties.canonical(name) === undefined)
  return bad === undefined ? undefined : usage(subcommand, `bad property list: invalid property '${bad}'`)
}

const sorted = (context: HostContext, datasets: ReadonlyArray<Dataset>, parsed: ParsedArguments): ReadonlyArray<Dataset> => {
  const keys = parsed.options.filter(({ flag }) => flag === "s" || flag === "S")
  if (keys.length === 0) return datasets
  return [...datasets].sort((a, b) => {
    for (const { flag, value: property } of keys) {
      const name = Properties.canonical(property) ?? property
      const [left, right] = [value(context, a, name, true).value, value(context, b, name, true).value]
      const numeric = /^\d+$/.test(left) && /^\d+$/.test(right)
      const order = numeric ? Number(left) - Number(right) : left < right ? -1 : left > right ? 1 : 0
      if (order !== 0) return flag === "s" ? order : -order
    }
    return a.createtxg - b.createtxg
  })
}

/** `zfs list`. @category commands */
export const list: InstantCommand = (given, args) => {
  const context = Space.countingOnce(given)
  const parsed = getopt(args, "HS:d:o:prs:t:")
  if (parsed.error !== undefined) return usage("list", parsed.error)
  const types = parseTypes(parsed)
  if (isResult(types)) return types
  const columns = (lastValue(parsed, "o") ?? "name,used,available,referenced,mountpoint").split(",")
  const bad = badProperty("list", columns, ["name"])
  if (bad !== undefined) return bad
  const full = columns.map((name) => name === "name" ? name : Properties.canonical(name) ?? name)
  const { datasets, missing } = select(context, parsed, parsed.operands, types)
  if (datasets.length === 0 && missing.length === 0) return ok("no datasets available")
  const exact = hasFlag(parsed, "p")
  const rows = sorted(context, datasets, parsed).map((dataset) => full.map((name) => value(context, dataset, name, exact).value))
  const right = new Set(full.flatMap((name, column) => Properties.isSize(name) || name === "compressratio" ? [column] : []))
  const text = rows.length === 0 ? "" : table(full.map((name) => headers[name] ?? name.toUpperCase()), rows, hasFlag(parsed, "H"), right)
  return result(missing.length === 0 ? 0 : 1, text, missingText(missing))
}

const received = (dataset: Dataset, name: string, exact: boolean): string => {
  const text = dataset.received?.[name]
  if (text === undefined) return "-"
  const bytes = Properties.isSize(name) ? Properties.bytes(text) : undefined
  return bytes === undefined ? text : exact ? String(bytes) : Properties.human(bytes)
}

const fields = ["name", "property", "value", "received", "source"]

/** `zfs get`. @category commands */
export const get: InstantCommand = (given, args) => {
  const context = Space.countingOnce(given)
  const parsed = getopt(args, ":d:o:s:rt:Hp")
  if (parsed.error !== undefined) return usage("get", parsed.error)
  const [wanted, ...names] = parsed.operands
  if (wanted === undefined) return usage("get", "missing property argument")
  const types = parseTypes(parsed)
  if (isResult(types)) return types
  const columns = (lastValue(parsed, "o") ?? "name,property,value,source").split(",").flatMap((column) => column === "all" ? fields : [column])
  const unknown = columns.find((column) => !fields.includes(column))
  if (unknown !== undefined) return usage("get", `invalid column name '${unknown}'`)
  const properties = wanted.split(",")
  const bad = wanted === "all" ? undefined : badProperty("get", properties, ["name"])
  if (bad !== undefined) return bad
  const sources = lastValue(parsed, "s")?.split(",")
  const exact = hasFlag(parsed, "p")
  const { datasets, missing } = select(context, parsed, names, types ?? ["filesystem", "volume", "snapshot"])
  const rows = datasets.flatMap((dataset) => {
    const userNames = Datasets.userPropertyNames(context.host, dataset)
    const chosen = wanted === "all"
      ? [...Properties.names.filter((name) => Properties.appliesTo(name, dataset.type)), ...userNames]
      : properties.map((name) => Properties.canonical(name) ?? name)
    return chosen.flatMap((name) => {
      // What is worked out has no source, and takes a look at every file.
      if (sources !== undefined && !sources.includes("none") && isWorkedOut(name)) return []
      const found = value(context, dataset, name, exact)
      const kind = found.source === "-" ? "none" : found.source.startsWith("inherited") ? "inherited" : found.source
      if (wanted === "all" && found.value === "-" && (name === "receive_resume_token" || name === "origin" || name === "clones")) return []
      if (sources !== undefined && !sources.includes(kind)) return []
      const cells: Readonly<Record<string, string>> = { name: dataset.name, property: name, value: found.value, received: received(dataset, name, exact), source: found.source }
      return [columns.map((column) => cells[column] ?? "-")]
    })
  })
  const text = rows.length === 0 ? "" : table(columns.map((column) => column.toUpperCase()), rows, hasFlag(parsed, "H"), new Set())
  return result(missing.length === 0 ? 0 : 1, text, missingText(missing))
}
