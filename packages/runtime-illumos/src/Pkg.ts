/** pkg: which packages are installed, on distributions with the image packaging system (OmniOS, OpenIndiana, Helios). */
import * as Effect from "effect/Effect"
import * as CommandLine from "./CommandLine.js"
import type { CommandRunner, CommandUnavailable } from "./CommandRunner.js"
import { lines } from "./internal/parsable.js"

/** One installed package. @category models */
export interface Package {
  /** Such as `system/zones/brand/lx`. */
  readonly name: string
  /** Publisher, where it is not the preferred one. */
  readonly publisher?: string
  /** Component, build and branch, such as `0.5.11-151054.0`. */
  readonly version: string
  /** Whether it is kept at this version, and whether it was renamed or is obsolete: the second and third letter of the last column. */
  readonly frozen: boolean
  readonly obsolete: boolean
}

/** Installed packages whose names match one of the patterns, which may hold `*`. @category constructors */
export const list = (...patterns: ReadonlyArray<string>): CommandLine.CommandLine => CommandLine.make("/usr/bin/pkg", "list", "-H", ...patterns)

/** Reads the output of {@link list}. Lines of another form are passed over. @category combinators */
export const parse = (text: string): ReadonlyArray<Package> =>
  lines(text).flatMap((line): ReadonlyArray<Package> => {
    const match = /^(\S+)(?: \(([^)]+)\))?\s+(\S+)\s+([i-])([f-])([or-])$/.exec(line.trimEnd())
    const [, name = "", publisher, version = "", , frozen, obsolete] = match ?? []
    if (match === null) return []
    return [{ name, ...(publisher === undefined ? {} : { publisher }), version, frozen: frozen === "f", obsolete: obsolete !== "-" }]
  })

/**
 * The installed packages that match; `undefined` on a host without pkg. A pattern that matches nothing is no failure.
 *
 * @category constructors
 */
export const installed = (
  runner: CommandRunner["Type"],
  ...patterns: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Package> | undefined, CommandUnavailable> =>
  runner.run(list(...patterns)).pipe(
    Effect.map(({ stdout }): ReadonlyArray<Package> | undefined => parse(stdout)),
    Effect.catchIf((error) => error.reason === "NotFound", () => Effect.succeed(undefined))
  )
