/** `zpool list`, `zpool get` and `zpool status`. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import { getopt, hasFlag, lastValue } from "../internal/getopt.js"
import { fail, ok, result } from "../internal/result.js"
import * as Faults from "../Faults.js"
import * as Datasets from "./Datasets.js"
import * as Properties from "./Properties.js"

type Pool = HostContext["host"]["pools"][number]

const short: Readonly<Record<string, string>> = { alloc: "allocated", frag: "fragmentation", cap: "capacity", dedup: "dedupratio", expandsz: "expandsize", ckpoint: "checkpoint" }

const allocated = (context: HostContext, pool: Pool): number => {
  if (Faults.find(context.host, "outOfSpace", (fault) => fault.pool === pool.name) !== undefined) return pool.size
  const top = Datasets.find(context.host, pool.name)
  return top === undefined ? 0 : Math.min(pool.size, Datasets.used(context, top))
}

const values = (context: HostContext, pool: Pool, exact: boolean): Readonly<Record<string, string>> => {
  const used = allocated(context, pool)
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
    health: "ONLINE",
    altroot: "-",
    guid: pool.guid,
    readonly: "off",
    listsnapshots: "off",
    autoexpand: "off",
    failmode: "wait",
    version: "-"
  }
}

const usage = (reason: string, grammar: string) => fail(`${reason}\nusage:\n\t${grammar}`, 2)

const choose = (context: HostContext, names: ReadonlyArray<string>) => ({
  pools: context.host.pools.filter((pool) => names.length === 0 || names.includes(pool.name)),
  missing: names
    .filter((name) => !context.host.pools.some((pool) => pool.name === name))
    .map((name) => `cannot open '${name}': no such pool`)
    .join("\n")
})

const columnsTable = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>, scripted: boolean): string => {
  if (scripted) return rows.map((row) => row.join("\t")).join("\n")
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)))
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n")
}

const list: InstantCommand = (context, args) => {
  const grammar = "list [-gHLpPv] [-o property[,...]] [-T d|u] [pool] ... [interval [count]]"
  const parsed = getopt(args, ":gHLo:pPT:v")
  if (parsed.error !== undefined) return usage(`invalid option '${parsed.error.flag}'`, grammar)
  const header = (lastValue(parsed, "o") ?? "name,size,alloc,free,ckpoint,expandsz,frag,cap,dedup,health,altroot").split(",")
  const known = values(context, { name: "", size: 1, guid: "" }, true)
  const bad = header.find((name) => !((short[name] ?? name) in known))
  if (bad !== undefined) return usage(`bad property list: invalid property '${bad}'`, grammar)
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
  const grammar = "get [-Hp] [-o \"all\" | field[,...]] <\"all\" | property[,...]> <pool> ..."
  const parsed = getopt(args, ":Hpo:")
  if (parsed.error !== undefined) return usage(`invalid option '${parsed.error.flag}'`, grammar)
  const [wanted, ...names] = parsed.operands
  if (wanted === undefined) return usage("missing property argument", grammar)
  const { pools, missing } = choose(context, names)
  const columns = (lastValue(parsed, "o") ?? "name,property,value,source").replace("all", "name,property,value,source").split(",")
  const rows: Array<ReadonlyArray<string>> = []
  for (const pool of pools) {
    const row = values(context, pool, hasFlag(parsed, "p"))
    const chosen = wanted === "all" ? Object.keys(row).filter((name) => name !== "name") : wanted.split(",").map((name) => short[name] ?? name)
    for (const property of chosen) {
      const value = row[property]
      if (value === undefined) return usage(`bad property list: invalid property '${property}'`, grammar)
      const cells: Readonly<Record<string, string>> = { name: pool.name, property, value, source: property === "failmode" || property === "autoexpand" ? "default" : "-" }
      rows.push(columns.map((column) => cells[column] ?? "-"))
    }
  }
  return result(missing === "" ? 0 : 1, rows.length === 0 ? "" : columnsTable(columns.map((column) => column.toUpperCase()), rows, hasFlag(parsed, "H")), missing)
}

const status: InstantCommand = (context, args) => {
  const parsed = getopt(args, "gLPvxDT:")
  if (parsed.error !== undefined) return usage(`invalid option '${parsed.error.flag}'`, "status [-gLPvxD] [-T d|u] [pool] ... [interval [count]]")
  const { pools, missing } = choose(context, parsed.operands)
  if (missing !== "") return fail(missing)
  if (context.host.pools.length === 0) return ok("no pools available")
  if (hasFlag(parsed, "x")) return ok("all pools are healthy")
  return ok(pools.map((pool) =>
    [
      `  pool: ${pool.name}`,
      " state: ONLINE",
      "  scan: none requested",
      "config:",
      "",
      "\tNAME        STATE     READ WRITE CKSUM",
      `\t${pool.name.padEnd(10)}  ONLINE       0     0     0`,
      "\t  c1t0d0    ONLINE       0     0     0",
      "",
      "errors: No known data errors"
    ].join("\n")
  ).join("\n\n"))
}

const subcommands: Readonly<Record<string, InstantCommand>> = { list, get, status }

/** `zpool <subcommand> …`. @category commands */
export const run: InstantCommand = (context, args, stdin) => {
  const [name, ...rest] = args
  const all = "usage: zpool command args ...\nwhere 'command' is one of the following:\n\n\tlist\n\tget\n\tstatus"
  if (name === undefined) return fail(`missing command\n${all}`, 2)
  const command = subcommands[name]
  return command === undefined ? fail(`unrecognized command '${name}'\n${all}`, 2) : command(context, rest, stdin)
}
