/** Reads the variables of a container that are in files, when one of its attempts starts. */
import { type CommandRunner, Zlogin, type ZoneName } from "@reddwarf/runtime-illumos"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as EnvFile from "../container/EnvFile.js"
import * as Expansion from "../container/Expansion.js"
import * as Environments from "../supervisor/Environments.js"
import type * as FileVariables from "../supervisor/FileVariables.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** A variable cannot be had, for people. */
export class FileVariableMissing extends Data.TaggedError("FileVariableMissing")<{ readonly message: string }> {}

const missing = 3
const refused = 4

/**
 * Read inside the zone, where the volume is whatever it is made of, and where a path can lead to nothing but what the pod has. Links are not
 * followed: one that a container puts there must not show it the volumes of others.
 */
const readScript = `cd "./$1" 2>/dev/null || exit ${missing}
shift
while [ $# -gt 1 ]; do
  [ -h "$1" ] && exit ${refused}
  cd "./$1" 2>/dev/null || exit ${missing}
  shift
done
[ -h "$1" ] && exit ${refused}
[ -e "$1" ] || exit ${missing}
[ -f "$1" ] || exit ${refused}
exec dd if="./$1" bs=${EnvFile.maximumBytes + 1} count=1 2>/dev/null`

/** The text of a file; undefined when it is not there. */
const readFile = (runner: CommandRunner.CommandRunner["Type"], zone: ZoneName.ZoneName, { directory, path, volume }: FileVariables.FileKey) =>
  Effect.gen(function*() {
    const parts = path.split("/").filter((part) => part !== "" && part !== ".")
    const fail = (why: string) => new FileVariableMissing({ message: `couldn't parse env file: ${path} in volume ${volume} ${why}` })
    if (parts.length === 0 || parts.includes("..")) return yield* fail("is no file in it")
    const result = yield* Effect.mapError(
      Zlogin.run(runner, zone, ["/bin/sh", "-c", readScript, "sh", directory, ...parts], { timeout: "10 seconds", failsafe: true }),
      (error) => fail(`cannot be read: ${error.message}`)
    )
    if (result.exitCode === missing) return undefined
    if (result.exitCode === refused) return yield* fail("is a symbolic link, or no file; write a plain file there")
    if (result.exitCode !== 0) return yield* fail(`cannot be read: ${result.stderr.trim() || `status ${result.exitCode}`}`)
    if (Buffer.byteLength(result.stdout) > EnvFile.maximumBytes) return yield* fail(`is larger than ${EnvFile.maximumBytes} bytes`)
    return result.stdout
  })

/** What was read for one attempt: the process with it, and the variables that were not known before. */
export interface Resolved {
  readonly container: Files.ContainerSpec
  readonly variables: ReadonlyArray<FileVariables.Variable> | undefined
}

/** The process with everything that files say about it. Each file is read once, however many variables it has. */
export const resolve = (
  runner: CommandRunner.CommandRunner["Type"],
  zone: ZoneName.ZoneName,
  container: Files.ContainerSpec
): Effect.Effect<Resolved, FileVariableMissing> =>
  Effect.gen(function*() {
    const { late } = container
    if (late === undefined) return { container, variables: undefined }
    const texts = new Map<string, string | undefined>()
    const values = new Map(container.env.map(({ name, value }) => [name, value] as const))
    const read = new Map<string, string>()
    const set = (name: string, value: string) => {
      values.set(name, value)
      read.set(name, value)
    }
    const lookUp = (name: string) => values.get(name)
    for (const variable of late.variables) {
      if (variable.type === "value") set(variable.name, variable.value)
      if (variable.type === "text") set(variable.name, Expansion.expand(variable.text, lookUp))
      if (variable.type !== "file") continue
      const { from } = variable
      const place = `${from.directory}\n${from.path}`
      if (!texts.has(place)) texts.set(place, yield* readFile(runner, zone, from))
      const text = texts.get(place)
      const fail = (why: string) => new FileVariableMissing({ message: why })
      if (text === undefined) {
        if (from.optional) continue
        return yield* fail(`couldn't parse env file: there is no file ${from.path} in volume ${from.volume}`)
      }
      const value = yield* Either.mapLeft(EnvFile.valueOf(text, from.key), (why) =>
        new FileVariableMissing({ message: `couldn't parse env file: ${from.path} in volume ${from.volume}: ${why}` }))
      if (value === undefined) {
        if (from.optional) continue
        return yield* fail(`environment variable key ${JSON.stringify(from.key)} not found in file ${from.path} of volume ${from.volume}`)
      }
      if (value.includes("\0")) return yield* fail(`the value of key ${from.key} in file ${from.path} of volume ${from.volume} holds a NUL character; remove it`)
      set(variable.name, value)
    }
    const variables = [...read].map(([name, value]) => ({ name, value }))
    const [program, ...rest] = late.argv
    return {
      container: { ...container, argv: [Expansion.expand(program, lookUp), ...rest.map((word) => Expansion.expand(word, lookUp))] },
      variables
    }
  })

/** The process as one of its attempts runs: with the variables that it was started with. */
export const asStarted = (container: Files.ContainerSpec, state: Pick<Files.ContainerState, "fileVariables" | "startedWith">): Files.ContainerSpec =>
  state.fileVariables === undefined && state.startedWith?.env === undefined ? container : { ...container, env: Environments.ofAttempt(container.env, state) }
