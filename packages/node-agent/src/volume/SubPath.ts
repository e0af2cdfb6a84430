/**
 * Paths inside volumes. Whoever writes into a volume can put symbolic links there: what is missing of a path is made one folder after the
 * other, nothing is made or mounted through a link that leads out of the volume, and what is mounted is named by its real path.
 */
import { CommandLine, type CommandRunner } from "@reddwarf/runtime-illumos"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as fs from "node:fs"

/** The path cannot be used, for people. @category errors */
export class SubPathRefused extends Data.TaggedError("SubPathRefused")<{ readonly message: string }> {}

const refused = (subPath: string, why: string) =>
  new SubPathRefused({ message: `failed to prepare subPath ${JSON.stringify(subPath)}: ${why}` })

const inside = (root: string, path: string): boolean => path === root || path.startsWith(root === "/" ? "/" : `${root}/`)

const partsOf = (subPath: string): ReadonlyArray<string> => subPath.split("/").filter((part) => part !== "" && part !== ".")

/** Walks with plain synchronous calls, so that between look and step there is no time for anybody of this process. */
const walk = (base: string, subPath: string): string => {
  const root = fs.realpathSync(base)
  let at = root
  for (const part of partsOf(subPath)) {
    if (part === "..") throw new Error("it leads out of the volume")
    const next = `${at === "/" ? "" : at}/${part}`
    const stat = fs.lstatSync(next, { throwIfNoEntry: false })
    if (stat === undefined) {
      fs.mkdirSync(next, { mode: 0o750 })
      fs.chmodSync(next, 0o755)
    }
    at = stat?.isSymbolicLink() === true ? fs.realpathSync(next) : next
    if (!inside(root, at)) throw new Error("it is a symbolic link that leads out of the volume")
  }
  return at
}

/**
 * The real path of a sub-path of a folder of this host; what is missing is made.
 *
 * @category combinators
 */
export const onHost = (base: string, subPath: string): Effect.Effect<string, SubPathRefused> =>
  Effect.try({
    try: () => walk(base, subPath),
    catch: (cause) => refused(subPath, cause instanceof Error ? cause.message : String(cause))
  })

/**
 * The path of a sub-path of a dataset; what is missing is made. Works by commands of the host, as datasets are where its ZFS mounts them.
 * Symbolic links are refused, whereever they lead.
 *
 * @category combinators
 */
export const onDataset = (
  runner: CommandRunner.CommandRunner["Type"],
  mountpoint: string,
  subPath: string
): Effect.Effect<string, SubPathRefused> =>
  Effect.gen(function*() {
    const run = (program: string, ...args: ReadonlyArray<string>) =>
      Effect.mapError(runner.run(CommandLine.make(program, ...args)), (error) => refused(subPath, error.message))
    let at = mountpoint
    for (const part of partsOf(subPath)) {
      if (part === ".." || /[\n\r\0]/.test(part)) return yield* refused(subPath, "it leads out of the volume")
      const next = `${at}/${part}`
      const look = yield* run("/usr/bin/ls", "-1dl", next)
      if (look.exitCode !== 0) {
        const made = yield* run("/usr/bin/mkdir", next)
        if (made.exitCode !== 0) return yield* refused(subPath, made.stderr.trim())
      } else if (look.stdout.startsWith("l")) {
        return yield* refused(subPath, `${next} is a symbolic link; name the folder it leads to`)
      }
      at = next
    }
    return at
  })
