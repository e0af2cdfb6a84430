/** `zfs`: dispatch to the subcommands that are emulated. */
import type { InstantCommand } from "../CommandContext.js"
import { fail, ok } from "../internal/result.js"
import * as Change from "./ZfsChange.js"
import { destroy } from "./ZfsDestroy.js"
import { get, list } from "./ZfsList.js"
import * as Datasets from "./Datasets.js"
import { notOpen } from "./ZfsUsage.js"

const holds: InstantCommand = (context, args) => {
  const names = args.filter((word) => !word.startsWith("-"))
  const rows: Array<string> = []
  for (const name of names) {
    const snapshot = Datasets.find(context.host, name)
    if (snapshot === undefined) return notOpen(name)
    rows.push(...snapshot.holds.map((tag) => `${name}  ${tag}  -`))
  }
  return ok(["NAME  TAG  TIMESTAMP", ...rows].join("\n"))
}

const subcommands: Readonly<Record<string, InstantCommand>> = {
  create: Change.create,
  destroy,
  list,
  get,
  set: Change.set,
  inherit: Change.inherit,
  snapshot: Change.snapshot,
  snap: Change.snapshot,
  clone: Change.clone,
  promote: Change.promote,
  rename: Change.rename,
  rollback: Change.rollback,
  mount: Change.mount,
  unmount: Change.unmount,
  umount: Change.unmount,
  hold: Change.hold("hold"),
  release: Change.hold("release"),
  holds
}

const usageText = "usage: zfs command args ...\nwhere 'command' is one of the following:\n\n"
  + Object.keys(subcommands).map((name) => `\t${name}`).join("\n")

/** `zfs <subcommand> …`. @category commands */
export const run: InstantCommand = (context, args, stdin) => {
  const [name, ...rest] = args
  if (name === undefined) return fail(`missing command\n${usageText}`, 2)
  if (name === "-?" || name === "help") return ok(usageText)
  const command = subcommands[name]
  return command === undefined ? fail(`unrecognized command '${name}'\n${usageText}`, 2) : command(context, rest, stdin)
}
