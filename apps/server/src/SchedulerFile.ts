/** The scheduler's configuration file: where it is named, and how it is read. */
import { Options } from "@effect/cli"
import { Settings } from "@reddwarf/cli"
import { SchedulerConfiguration } from "@reddwarf/scheduler"
import { Effect, Option, Schema } from "effect"
import { readFileSync, statSync } from "node:fs"
import { parse } from "yaml"

/** The file cannot be used. */
export class SchedulerFileInvalid extends Schema.TaggedError<SchedulerFileInvalid>()("SchedulerFileInvalid", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.detail}`
  }
}

/** `--scheduler-config FILE`. */
export const option = Settings.text("scheduler-config").pipe(
  Options.optional,
  Options.withDescription("YAML or JSON file with a KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1): profiles, plugins and their arguments")
)

/** Largest file that is read, in bytes. */
const maxBytes = 1_048_576

const reasonOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

const read = (file: string) =>
  Effect.gen(function*() {
    const text = yield* Effect.try({
      try: () => statSync(file).size > maxBytes ? undefined : readFileSync(file, "utf8"),
      catch: (error) => new SchedulerFileInvalid({ file, detail: `cannot be read: ${reasonOf(error)}` })
    })
    if (text === undefined) return yield* new SchedulerFileInvalid({ file, detail: `is larger than ${String(maxBytes)} bytes` })
    const value: unknown = yield* Effect.try({
      try: () => parse(text),
      catch: (error) => new SchedulerFileInvalid({ file, detail: `is neither YAML nor JSON: ${reasonOf(error)}` })
    })
    return yield* Effect.mapError(SchedulerConfiguration.decode(value), ({ message }) => new SchedulerFileInvalid({ file, detail: message }))
  })

/** What the file says, or what holds without one. */
export const load = (file: Option.Option<string>) =>
  Option.match(file, { onNone: () => Effect.succeed(SchedulerConfiguration.defaults), onSome: read })
