/** Scheduler plugins with code of somebody's own: modules that are loaded when the program starts. */
import { Options } from "@effect/cli"
import { Settings } from "@reddwarf/cli"
import { PluginFactory, Registry, SchedulerPlugin } from "@reddwarf/scheduler"
import { Effect, Option, Schema } from "effect"
import { resolve } from "node:path"
import { pathToFileURL } from "node:url"

/** A module cannot be used. */
export class SchedulerPluginsInvalid extends Schema.TaggedError<SchedulerPluginsInvalid>()("SchedulerPluginsInvalid", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.file}: ${this.detail}`
  }
}

/** `--scheduler-plugins FILE,FILE`. */
export const option = Settings.text("scheduler-plugins").pipe(
  Options.optional,
  Options.withDescription("JavaScript modules, joined by commas, that export `plugins`, a list of scheduler plugins; profiles of scheduler-config enable them by name")
)

const reasonOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

const read = (file: string) =>
  Effect.gen(function*() {
    const loaded: unknown = yield* Effect.tryPromise({
      try: () => import(pathToFileURL(resolve(file)).href),
      catch: (error) => new SchedulerPluginsInvalid({ file, detail: `cannot be loaded: ${reasonOf(error)}` })
    })
    const list: unknown = typeof loaded === "object" && loaded !== null && "plugins" in loaded ? loaded.plugins : undefined
    if (!Array.isArray(list)) return yield* new SchedulerPluginsInvalid({ file, detail: "must export `plugins`, a list of scheduler plugins" })
    const found: ReadonlyArray<unknown> = list
    const wrong = found.findIndex((value) => !SchedulerPlugin.isPlugin(value))
    if (wrong >= 0) {
      return yield* new SchedulerPluginsInvalid({ file, detail: `plugins[${String(wrong)}] is no scheduler plugin: it ${SchedulerPlugin.problemOf(found[wrong]) ?? ""}` })
    }
    return found.filter(SchedulerPlugin.isPlugin)
  })

/** The built-in plugins and those of the modules. */
export const load = (files: Option.Option<string>) =>
  Effect.forEach(Option.match(files, { onNone: () => [], onSome: (text) => text.split(",").map((file) => file.trim()).filter((file) => file !== "") }), read).pipe(
    Effect.map((lists) => Registry.withPlugins(Registry.builtIn, ...lists.flat().map(PluginFactory.of)))
  )
