/** `zpool`: `list` and `get`, and dispatch to the other subcommands. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import { getopt, hasFlag, lastValue } from "../internal/getopt.js"
import { fail, ok, result } from "../internal/result.js"
import * as Pools from "./Pools.js"
import * as Properties from "./Properties.js"
import * as Space from "./Space.js"
import * as Change from "./ZpoolChange.js"
import { iostat, status } from "./ZpoolStatus.js"
import { choose, poolUsage } from "./ZpoolUsage.js"

type Pool = HostContext["host"]["pools"][number]

const short: Readonly<Record<string, string>> = { alloc: "allocated", frag: "fragmentation", cap: "capacity", dedup: "dedupratio", expandsz: "expandsize", ckpoint: "checkpoint" }

const values = (context: HostContext, pool: Pool, exact: boolean): Readonly<Record<string, string>> => {
  const used = Space.allocated(context, pool.name)
  const bytes = (amount: number) => exact ? String(amount) : Properties.human(amount)
  const percent = (amount: number) => `${amount}${exact ? "" : "%"}`
  return {
    name: pool.name,
    size: bytes(pool.size),
    allocated: bytes(used),
    free: bytes(pool.size - used),
    checkpoint: "-",
    expandsize: "-",
    fragmentation: percent(0),
    capacity: percent(Math.floor((used * 100) / pool.size)),
    dedupratio: exact ? "1.00" : "1.00x",
    health: Pools.health(context, pool),
    altroot: "-",
    guid: pool.guid,
    readonly: "off",
    listsnapshots: "off",
    autoexpand: "off",
    autoreplace: "off",
    delegation: "on",
    failmode: "wait",
    comment: "-",
    cachefile: "-",
    version: "-",
    ...pool.properties
  }
}

const columnsTable = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>, scripted: boolean): string => {
  if (scripted) return rows.map((row) => row.join("\t")).join("\n")
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)))
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n")
}

const list: InstantCommand = (context, args) => {
  const parsed = getopt(args, ":gHLo:pPT:v")
  if (parsed.error !== undefined) return poolUsage("list", `invalid option '${parsed.error.flag}'`)
  const header = (lastValue(parsed, "o") ?? "name,size,alloc,free,ckpoint,expandsz,frag,cap,dedup,health,altroot").split(",")
  const known = values(context, { name: "", size: 1, guid: "" }, true)
  const bad = header.find((name) => !((short[name] ?? name) in known))
  if (bad !== undefined) return poolUsage("list", `bad property list: invalid property '${bad}'`)
  const { pools, missing } = choose(context, parsed.operands)
  if (pools.length === 0 && missing === "") return ok("no pools available")
  const rows = pools.map((pool) => {
    const row = values(context, pool, hasFlag(parsed, "p"))
    return header.map((name) => row[short[name] ?? name] ?? "-")
  })
  const title = header.map((name) => (Object.entries(short).find(([, long]) => long === name)?.[0] ?? name).toUpperCase())
  return result(missing === "" ? 0 : 1, rows.length === 0 ? "" : columnsTable(title, rows, hasFlag(parsed, "H")), missing)
}

const get: InstantCommand = (context, args) => {
  const parsed = getopt(args, ":Hpo:")
  if (parsed.error !== undefined) return poolUsage("get", `invalid option '${parsed.error.flag}'`)
  const [wanted, ...names] = parsed.operands
  if (wanted === undefined) return poolUsage("get", "missing property argument")
  const { pools, missing } = choose(context, names)
  const columns = (lastValue(parsed, "o") ?? "name,property,value,source").replace("all", "name,property,value,source").split(",")
  const rows: Array<ReadonlyArray<string>> = []
  for (const pool of pools) {
    const row = values(context, pool, hasFlag(parsed, "p"))
    const chosen = wanted === "all" ? Object.keys(row).filter((name) => name !== "name") : wanted.split(",").map((name) => short[name] ?? name)
    for (const property of chosen) {
      const value = row[property]
      if (value === undefined) return poolUsage("get", `bad property list: invalid property '${property}'`)
      const cells: Readonly<Record<string, string>> = { name: pool.name, property, value, source: pool.properties?.[property] !== undefined ? "local" : property in Change.settable ? "default" : "-" }
      rows.push(columns.map((column) => cells[column] ?? "-"))
    }
  }
  return result(missing === "" ? 0 : 1, rows.length === 0 ? "" : columnsTable(columns.map((column) => column.toUpperCase()), rows, hasFlag(parsed, "H")), missing)
}

const subcommands: Readonly<Record<string, InstantCommand>> = {
  create: Change.create,
  destroy: Change.destroy,
  list,
  iostat,
  status,
  online: Change.turn("online"),
  offline: Change.turn("offline"),
  scrub: Change.scrub,
  get,
  set: Change.set
}

/** `zpool <subcommand> …`. @category commands */
export const run: InstantCommand = (context, args, stdin) => {
  const [name, ...rest] = args
  const all = "usage: zpool command args ...\nwhere 'command' is one of the following:\n\n"
    + Object.keys(subcommands).map((subcommand) => `\t${subcommand}`).join("\n")
  if (name === undefined) return fail(`missing command\n${all}`, 2)
  const command = subcommands[name]
  return command === undefined ? fail(`unrecognized command '${name}'\n${all}`, 2) : command(context, rest, stdin)
}
