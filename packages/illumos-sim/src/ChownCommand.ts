/** `chown` on the emulated file system. */
import * as fs from "node:fs"
import * as path from "node:path"
import type { InstantCommand } from "./CommandContext.js"
import { getopt, hasFlag } from "./internal/getopt.js"
import { fail, ok } from "./internal/result.js"

const usage = "usage:\n\tchown [-fhR] owner[:group] file..."

/**
 * `chown [-fhR] <uid>[:<gid>] <file>…`. Without privileges on this machine nothing can be given away: then the command succeeds, as it
 * would for root, and the owner stays.
 *
 * @category commands
 */
export const run: InstantCommand = (context, args) => {
  const parsed = getopt(args, "fhR")
  if (parsed.error !== undefined) return fail(`chown: illegal option -- ${parsed.error.flag}\n${usage}`, 2)
  const [owner = "", ...names] = parsed.operands
  if (names.length === 0) return fail(usage, 2)
  const match = /^(\d{1,10})?(?::(\d{1,10}))?$/.exec(owner)
  if (match === null || owner === "") return fail(`chown: unknown user id ${owner.split(":")[0] ?? ""}`, 2)
  const change = (real: string): void => {
    const stat = fs.lstatSync(real)
    if (process.getuid?.() === 0) fs.lchownSync(real, Number(match[1] ?? stat.uid), Number(match[2] ?? stat.gid))
    if (hasFlag(parsed, "R") && stat.isDirectory()) for (const name of fs.readdirSync(real)) change(path.join(real, name))
  }
  for (const name of names) {
    const real = context.files.real(name)
    if (fs.lstatSync(real, { throwIfNoEntry: false }) === undefined) return fail(`chown: ${name}: No such file or directory`)
    change(real)
  }
  return ok()
}
