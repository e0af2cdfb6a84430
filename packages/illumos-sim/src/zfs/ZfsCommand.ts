/** `zfs`: dispatch to the subcommands that are emulated. */
import type { HostContext, InstantCommand } from "../CommandContext.js"
import * as Faults from "../Faults.js"
import { fail, ok } from "../internal/result.js"
import { allow, unallow } from "./ZfsAllow.js"
import { clone, create } from "./ZfsCreate.js"
import { destroy } from "./ZfsDestroy.js"
import { get, list } from "./ZfsList.js"
import { mount, promote, rename, unmount } from "./ZfsMove.js"
import { inherit, set } from "./ZfsProperty.js"
import { receive } from "./ZfsReceive.js"
import { send } from "./ZfsSend.js"
import { hold, holds, rollback, snapshot } from "./ZfsSnapshot.js"

const subcommands: Readonly<Record<string, InstantCommand>> = {
  create,
  destroy,
  snapshot,
  snap: snapshot,
  rollback,
  clone,
  promote,
  rename,
  list,
  set,
  get,
  inherit,
  mount,
  unmount,
  umount: unmount,
  send,
  receive,
  recv: receive,
  allow,
  unallow,
  hold: hold("hold"),
  holds,
  release: hold("release")
}

const usageText = "usage: zfs command args ...\nwhere 'command' is one of the following:\n\n"
  + Object.keys(subcommands).map((name) => `\t${name}`).join("\n")

const reading: ReadonlySet<string> = new Set(["list", "get", "holds"])

/** Why a pool that is named in the arguments lets nothing be done. */
const poolProblem = ({ host }: HostContext, name: string, args: ReadonlyArray<string>): string | undefined => {
  for (const { pool, state } of Faults.all(host, "poolHealth")) {
    const operand = args.find((word) => word === pool || word.startsWith(`${pool}/`) || word.startsWith(`${pool}@`))
    if (operand === undefined || state === "DEGRADED") continue
    if (state !== "SUSPENDED") return `cannot open '${operand}': pool is unavailable`
    if (!reading.has(name)) return `cannot ${name} '${operand}': pool I/O is currently suspended`
  }
  return undefined
}

/** `zfs <subcommand> …`. @category commands */
export const run: InstantCommand = (context, args, stdin) => {
  const [name, ...rest] = args
  if (name === undefined) return fail(`missing command\n${usageText}`, 2)
  if (name === "-?" || name === "help") return ok(usageText)
  const command = subcommands[name]
  if (command === undefined) return fail(`unrecognized command '${name}'\n${usageText}`, 2)
  const problem = poolProblem(context, name, rest)
  return problem === undefined ? command(context, rest, stdin) : fail(problem)
}
