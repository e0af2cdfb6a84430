/** A folder for `PATH` with a small program for each program of the host, so that scripts find a simulated host by name. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"
import { programPaths } from "./SimulatedHost.js"

/** The folder cannot be made. @category errors */
export class PathFolderFailed extends Schema.TaggedError<PathFolderFailed>()("PathFolderFailed", {
  folder: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `programs of the simulated host in ${this.folder}: ${this.detail}; give a folder that is empty or was made for this`
  }
}

/** @category models */
export interface Options {
  /** Where the programs go; made when absent. */
  readonly folder: string
  /**
   * The words that come before the host's command: `reddwarf-illumos-sim` with the options that name the host. All paths are absolute, for the
   * programs are called from anywhere.
   */
  readonly command: readonly [string, ...ReadonlyArray<string>]
  /** Also the programs that every system has (`ls`, `cp`, `ps`, …): then the scripts see nothing but the simulated host. Default not. */
  readonly all?: boolean
}

/** Programs that scripts of this machine need for themselves. */
const common = new Set(["cp", "ls", "mv", "rm", "ps", "cat", "chmod", "chown", "mkdir", "rmdir", "uname", "hostid", "id", "df", "mount", "umount", "ping", "getent", "ntpq", "chronyc", "date", "dig", "nslookup", "curl"])

const mark = "# a program of a simulated illumos host\n"

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

const isOurs = (file: string): boolean => fs.readFileSync(file, "utf8").includes(mark)

/**
 * Writes the programs, and gives their names. What is in the folder and was not written here is left alone, and a name of such a file is
 * refused.
 *
 * @category constructors
 */
export const write = (options: Options): Effect.Effect<ReadonlyArray<string>, PathFolderFailed> =>
  Effect.try({
    try: () => {
      fs.mkdirSync(options.folder, { recursive: true })
      const names = programPaths.map((program) => path.basename(program)).filter((name) => options.all === true || !common.has(name))
      for (const name of new Set(names)) {
        const file = path.join(options.folder, name)
        if (fs.existsSync(file) && !isOurs(file)) throw new Error(`${name} is there already and is another program`)
        const temporary = `${file}.${process.pid}.new`
        fs.writeFileSync(temporary, `#!/bin/sh\n${mark}exec ${[...options.command, name].map(quote).join(" ")} "$@"\n`, { mode: 0o755 })
        // A program that is being called is replaced as a whole.
        fs.renameSync(temporary, file)
      }
      return [...new Set(names)].sort()
    },
    catch: (error) => new PathFolderFailed({ folder: options.folder, detail: error instanceof Error ? error.message : String(error) })
  })
