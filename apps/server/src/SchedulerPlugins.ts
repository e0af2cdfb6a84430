/** Scheduler plugins with code of somebody's own: modules that are loaded when the program starts. */
import { Options } from "@effect/cli"
import { Settings } from "@reddwarf/cli"
import { PluginFactory, Registry, type SchedulerPlugin } from "@reddwarf/scheduler"
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

/** Name of the setting. */
export const name = "scheduler-plugins"

/** `--scheduler-plugins FILE,FILE`. */
export const option = Settings.text(name).pipe(
  Options.optional,
  Options.withDescription("JavaScript modules, joined by commas, that export `plugins`, a list of scheduler plugins; profiles of scheduler-config enable them by name")
)

const points = [
  "preEnqueue",
  "queueSort",
  "preFilter",
  "filter",
  "postFilter",
  "preScore",
  "score",
  "normalizeScores",
  "reserve",
  "unreserve",
  "permit",
  "preBind",
  "bind",
  "postBind"
] as const satisfies ReadonlyArray<keyof SchedulerPlugin.SchedulerPlugin>

const others: ReadonlyArray<string> = ["name", "requeueOn", "uses", "nodeLocal"] satisfies ReadonlyArray<keyof SchedulerPlugin.SchedulerPlugin>

/** Why a value is no plugin; nothing when it is one as far as can be seen. */
const problemOf = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return "is no object"
  const fields = new Map<string, unknown>(Object.entries(value))
  const called = fields.get("name")
  if (typeof called !== "string" || called === "") return "has no name"
  for (const point of points) {
    if (fields.has(point) && typeof fields.get(point) !== "function") return `${called}: ${point} is no function`
  }
  const unknown = [...fields.keys()].find((field) => !others.includes(field) && !points.some((point) => point === field))
  return unknown === undefined ? undefined : `${called}: there is no extension point ${unknown}`
}

const isPlugin = (value: unknown): value is SchedulerPlugin.SchedulerPlugin => problemOf(value) === undefined

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
    const wrong = found.findIndex((value) => !isPlugin(value))
    if (wrong >= 0) {
      return yield* new SchedulerPluginsInvalid({ file, detail: `plugins[${String(wrong)}] is no scheduler plugin: it ${problemOf(found[wrong]) ?? ""}` })
    }
    return found.filter(isPlugin)
  })

/** The built-in plugins and those of the modules. */
export const load = (files: Option.Option<string>) =>
  Effect.forEach(Option.match(files, { onNone: () => [], onSome: (text) => text.split(",").map((file) => file.trim()).filter((file) => file !== "") }), read).pipe(
    Effect.map((lists) => Registry.withPlugins(Registry.builtIn, ...lists.flat().map(PluginFactory.of)))
  )
