/** `zpool status` and `zpool iostat`. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import type { Pool } from "../HostState.js"
import { getopt, hasFlag } from "../internal/getopt.js"
import { fail, ok } from "../internal/result.js"
import { longDate } from "./Dates.js"
import * as Pools from "./Pools.js"
import * as Properties from "./Properties.js"
import * as Space from "./Space.js"
import { choose, poolUsage } from "./ZpoolUsage.js"

interface Row {
  readonly name: string
  readonly state: string
}

const configuration = (context: HostContext, pool: Pool, state: string): ReadonlyArray<string> => {
  const shown = state === "SUSPENDED" ? "ONLINE" : state
  const rows: Array<Row> = [{ name: pool.name, state: shown }]
  Pools.groups(pool).forEach((group, index) => {
    const device = (name: string) => Pools.deviceState(pool, name)
    if (group.kind === "stripe") rows.push(...group.names.map((name) => ({ name: `  ${name}`, state: device(name) })))
    else rows.push({ name: `  ${group.kind}-${index}`, state: Pools.groupState(pool, group) }, ...group.names.map((name) => ({ name: `    ${name}`, state: device(name) })))
  })
  const width = Math.max(10, ...rows.map((row) => row.name.length))
  return [
    `\t${"NAME".padEnd(width)}  STATE     READ WRITE CKSUM`,
    ...rows.map((row) => `\t${row.name.padEnd(width)}  ${row.state.padEnd(8)}     0     0     0`)
  ]
}

const describe = (context: HostContext, pool: Pool): string => {
  const state = Pools.state(context, pool)
  const why = Pools.explanation(state)
  const scan = pool.scrubbed === undefined ? "none requested" : `scrub repaired 0 in 0 days 00:00:00 with 0 errors on ${longDate(pool.scrubbed)}`
  return [
    `  pool: ${pool.name}`,
    ` state: ${state}`,
    ...(why === undefined ? [] : [`status: ${why.status}`, `action: ${why.action}`]),
    `  scan: ${scan}`,
    "config:",
    "",
    ...configuration(context, pool, state),
    "",
    "errors: No known data errors"
  ].join("\n")
}

/** `zpool status`. @category commands */
export const status: InstantCommand = (context, args) => {
  const parsed = getopt(args, "gLPvxDT:")
  if (parsed.error !== undefined) return poolUsage("status", `invalid option '${parsed.error.flag}'`)
  const { missing, pools } = choose(context, parsed.operands)
  if (missing !== "") return fail(missing)
  if (context.host.pools.length === 0) return ok("no pools available")
  const shown = hasFlag(parsed, "x") ? pools.filter((pool) => Pools.state(context, pool) !== "ONLINE") : pools
  if (shown.length > 0) return ok(shown.map((pool) => describe(context, pool)).join("\n\n"))
  return ok(parsed.operands.length === 0 ? "all pools are healthy" : pools.map((pool) => `pool '${pool.name}' is healthy`).join("\n"))
}

/** `zpool iostat` without an interval: nothing is measured, so all rates are 0. @category commands */
export const iostat: InstantCommand = (context, args) => {
  const parsed = getopt(args, "gLPT:v")
  if (parsed.error !== undefined) return poolUsage("iostat", `invalid option '${parsed.error.flag}'`)
  const { missing, pools } = choose(context, parsed.operands)
  if (missing !== "") return fail(missing)
  if (pools.length === 0) return ok("no pools available")
  const width = Math.max(10, ...pools.map((pool) => pool.name.length))
  const lines = pools.map((pool) => {
    const taken = Space.allocated(context, pool.name)
    const numbers = [taken, pool.size - taken].map((bytes) => Properties.human(bytes).padStart(5))
    return `${pool.name.padEnd(width)}  ${[...numbers, ...Array.from({ length: 4 }, () => "0".padStart(5))].join("  ")}`
  })
  return ok([
    `${"".padEnd(width)}     capacity     operations    bandwidth`,
    `${"pool".padEnd(width)}  alloc   free   read  write   read  write`,
    ["-".repeat(width), ...Array.from({ length: 6 }, () => "-----")].join("  "),
    ...lines
  ].join("\n"))
}
