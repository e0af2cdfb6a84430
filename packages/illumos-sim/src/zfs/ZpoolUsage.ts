/** Usage errors of zpool, and the pools that a command names. */
import type { HostContext } from "../CommandContext.js"
import type { Pool } from "../HostState.js"
import { fail, type Result } from "../internal/result.js"

const grammar: Readonly<Record<string, string>> = {
  create: "create [-fnd] [-B] [-o property=value] ... \n\t    [-O file-system-property=value] ...\n\t    [-m mountpoint] [-R root] [-t tempname] <pool> <vdev> ...",
  destroy: "destroy [-f] <pool>",
  get: "get [-Hp] [-o \"all\" | field[,...]] <\"all\" | property[,...]> <pool> ...",
  iostat: "iostat [-v] [-T d|u] [pool] ... [interval [count]]",
  list: "list [-gHLpPv] [-o property[,...]] [-T d|u] [pool] ... [interval [count]]",
  offline: "offline [-t] <pool> <device> ...",
  online: "online [-e] <pool> <device> ...",
  scrub: "scrub [-s | -p] <pool> ...",
  set: "set <property=value> <pool>",
  status: "status [-gLPvxD] [-T d|u] [pool] ... [interval [count]]"
}

/** A usage error of one subcommand. @category constructors */
export const poolUsage = (subcommand: string, reason: string): Result => fail(`${reason}\nusage:\n\t${grammar[subcommand] ?? subcommand}`, 2)

/** The pools named, all when none is, and the complaints about those that do not exist. @category combinators */
export const choose = (context: HostContext, names: ReadonlyArray<string>): { readonly pools: ReadonlyArray<Pool>; readonly missing: string } => ({
  pools: context.host.pools.filter((pool) => names.length === 0 || names.includes(pool.name)),
  missing: names
    .filter((name) => !context.host.pools.some((pool) => pool.name === name))
    .map((name) => `cannot open '${name}': no such pool`)
    .join("\n")
})
