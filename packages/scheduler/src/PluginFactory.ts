/** How a plugin comes from a configuration: its name, the type of its arguments, and the way to make it from them. */
import type { ApiClient } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as DecodeProblems from "./internal/decodeProblems.js"
import type { SchedulerPlugin } from "./SchedulerPlugin.js"

/**
 * The arguments of a plugin are not what it takes. `path` is within the arguments, such as `scoringStrategy.type`.
 *
 * @category errors
 */
export class InvalidPluginArgs extends Schema.TaggedError<InvalidPluginArgs>()("InvalidPluginArgs", {
  plugin: Schema.String,
  problems: Schema.Array(Schema.Struct({ path: Schema.String, detail: Schema.String }))
}) {
  override get message(): string {
    return this.problems.map(({ detail, path }) => `arguments of plugin ${this.plugin}${path === "" ? "" : `, ${path}`}: ${detail}`).join("; ")
  }
}

/**
 * A plugin that a configuration can name.
 *
 * @category models
 */
export interface PluginFactory {
  readonly name: string
  /** Makes the plugin; `args` is the `args` of its `pluginConfig`, or `{}`. */
  readonly make: (args: unknown) => Effect.Effect<SchedulerPlugin, InvalidPluginArgs, ApiClient.ApiClient | Scope.Scope>
}

const noArgs = Schema.Struct({})

/**
 * The arguments as this schema reads them; unknown fields are errors, `apiVersion` and `kind` are left out.
 *
 * @category combinators
 */
export const decodeArgs = <A, I>(plugin: string, schema: Schema.Schema<A, I>): (args: unknown) => Either.Either<A, InvalidPluginArgs> => {
  const decode = Schema.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })
  return (args) => {
    const own = typeof args === "object" && args !== null && !Array.isArray(args)
      ? Object.fromEntries(Object.entries(args).filter(([name]) => name !== "apiVersion" && name !== "kind"))
      : args
    return Either.mapLeft(decode(own), (error) => new InvalidPluginArgs({ plugin, problems: DecodeProblems.of(error) }))
  }
}

/**
 * A plugin with arguments. Give every field of the schema a default, so that `{}` is valid.
 *
 * @category constructors
 */
export const make = <A, I>(options: {
  readonly name: string
  readonly args: Schema.Schema<A, I>
  readonly make: (args: A) => SchedulerPlugin | Effect.Effect<SchedulerPlugin, never, ApiClient.ApiClient | Scope.Scope>
}): PluginFactory => {
  const decode = decodeArgs(options.name, options.args)
  return {
    name: options.name,
    make: (args) =>
      Effect.flatMap(decode(args), (decoded) => {
        const made = options.make(decoded)
        return Effect.isEffect(made) ? made : Effect.succeed(made)
      })
  }
}

/**
 * A plugin that takes no arguments.
 *
 * @category constructors
 */
export const of = (plugin: SchedulerPlugin): PluginFactory => make({ name: plugin.name, args: noArgs, make: () => plugin })
