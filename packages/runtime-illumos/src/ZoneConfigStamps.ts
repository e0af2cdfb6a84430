/**
 * Which stored configurations of zones were written since the last look: one listing of `/etc/zones` for all of them, where an export of each
 * would be a process each.
 */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandRunner } from "./CommandRunner.js"
import { HostCommandFailed, type HostError } from "./HostError.js"
import { lines } from "./internal/parsable.js"

/** Lists the files with times to the nanosecond. The slash follows `/etc/zones` where it is a link. @category constructors */
export const list: CommandLine.CommandLine = CommandLine.make("/usr/bin/ls", "-E", "/etc/zones/")

/** `-rw-r--r--   1 root     root        1024 2026-11-21 10:00:00.123456789 +0000 web.xml` */
const row = /^-\S+\s+\d+\s+\S+\s+\S+\s+(\d+)\s+(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}) (.+)\.xml$/

/** A word for the stored configuration of each zone, by its name: another one after each write. @category combinators */
export const parse = (stdout: string): ReadonlyMap<string, string> =>
  new Map(lines(stdout).flatMap((line) => {
    const [, size = "", time = "", zone = ""] = row.exec(line) ?? []
    return zone === "" ? [] : [[zone, `${size} ${time}`] as const]
  }))

/**
 * Looks at all of them. A zone that is not named has no stored configuration.
 *
 * @category combinators
 */
export const read = (runner: CommandRunner["Type"]): Effect.Effect<ReadonlyMap<string, string>, HostError> =>
  Effect.flatMap(runner.run(list), (result) => {
    if (result.exitCode === 0) return Effect.succeed(parse(result.stdout))
    // A host that never had a zone need not have the folder.
    return result.stderr.includes("No such file or directory") ? Effect.succeed(new Map<string, string>()) : Effect.fail(
      new HostCommandFailed({ operation: "list", object: "/etc/zones", detail: result.stderr.trim(), exitCode: result.exitCode })
    )
  })
