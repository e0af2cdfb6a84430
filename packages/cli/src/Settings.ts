/**
 * Settings of a program, from three places that mean the same: a flag `--data-dir`, the environment variable `REDDWARF_DATA_DIR`, and the key
 * `data-dir` of a configuration file. A flag wins over the environment, the environment over the file, the file over the default.
 */
import * as Options from "@effect/cli/Options"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { parse as parseYaml } from "yaml"

/**
 * The configuration file cannot be used.
 *
 * @category errors
 */
export class SettingsFileInvalid extends Schema.TaggedError<SettingsFileInvalid>()("SettingsFileInvalid", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `configuration file ${this.file}: ${this.detail}`
  }
}

/** Largest configuration file that is read, in bytes. */
const MAX_FILE_BYTES = 1_048_576

const SettingsFile = Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Schema.Number, Schema.Boolean) })
const decodeFile = Schema.decodeUnknown(SettingsFile)

/** The file named by `--config FILE`, `--config=FILE` or the environment variable, if any. */
const fileName = (argv: ReadonlyArray<string>, environment: string | undefined): string | undefined => {
  const at = argv.findIndex((word) => word === "--config" || word.startsWith("--config="))
  const word = argv[at]
  if (word === undefined) return environment === "" ? undefined : environment
  return word === "--config" ? argv[at + 1] : word.slice("--config=".length)
}

const readSettings = (file: string, names: ReadonlyArray<string>): Effect.Effect<ReadonlyMap<string, string>, SettingsFileInvalid> =>
  Effect.gen(function*() {
    const text = yield* Effect.try({
      try: () => readFileSync(file, "utf8"),
      catch: (error) => new SettingsFileInvalid({ file, detail: `cannot be read: ${error instanceof Error ? error.message : String(error)}` })
    })
    if (text.length > MAX_FILE_BYTES) return yield* new SettingsFileInvalid({ file, detail: `is larger than ${String(MAX_FILE_BYTES)} bytes` })
    const parsed: unknown = yield* Effect.try({
      try: () => parseYaml(text) ?? {},
      catch: (error) => new SettingsFileInvalid({ file, detail: `is neither YAML nor JSON: ${error instanceof Error ? error.message : String(error)}` })
    })
    const entries = yield* decodeFile(parsed).pipe(
      Effect.mapError(() => new SettingsFileInvalid({ file, detail: "must be one mapping from setting names to strings, numbers or booleans" }))
    )
    const unknown = Object.keys(entries).find((key) => !names.includes(key))
    if (unknown !== undefined) {
      return yield* new SettingsFileInvalid({ file, detail: `unknown setting "${unknown}"; known are ${[...names].sort().join(", ")}` })
    }
    return new Map(Object.entries(entries).map(([key, value]) => [key, String(value)]))
  })

/**
 * Makes the environment and the configuration file (named by `--config` or `<prefix>_CONFIG`) the sources of every setting that no flag gives.
 *
 * `names` are the settings that the file may hold (see `namesOf`); any other key is refused, so that a misspelt setting is not silently ignored. Other variables of the environment
 * are found under their own names (`Config.string("HOME")`).
 *
 * @category layers
 */
export const layer = (options: {
  readonly argv: ReadonlyArray<string>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Prefix of the environment variables, such as `REDDWARF`. */
  readonly prefix: string
  readonly names: ReadonlyArray<string>
}): Layer.Layer<never, SettingsFileInvalid> =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const variable = (name: string): string => `${options.prefix}_${name.replaceAll("-", "_").toUpperCase()}`
    const file = fileName(options.argv, options.environment[variable("config")])
    const values = new Map(file === undefined ? [] : yield* readSettings(file, options.names))
    for (const name of options.names) {
      const value = options.environment[variable(name)]
      if (value !== undefined) values.set(name, value)
    }
    // Variables that programs share, such as HOME, keep their names. They are in upper case, which no setting is.
    for (const [name, value] of Object.entries(options.environment)) {
      if (value !== undefined && /^[A-Z][A-Z0-9_]*$/.test(name)) values.set(name, value)
    }
    return Layer.setConfigProvider(ConfigProvider.fromMap(values))
  }))

/**
 * A setting that is text.
 *
 * @category constructors
 */
export const text = (name: string): Options.Options<string> => Options.withFallbackConfig(Options.text(name), Config.string(name))

/**
 * A setting that is a whole number from `minimum` to `maximum`.
 *
 * @category constructors
 */
export const integer = (name: string, minimum: number, maximum: number): Options.Options<number> => {
  const valid = (value: number): boolean => value >= minimum && value <= maximum
  const message = `${name} must be a whole number from ${String(minimum)} to ${String(maximum)}`
  return Options.withFallbackConfig(
    Options.filterMap(Options.integer(name), (value) => valid(value) ? Option.some(value) : Option.none(), message),
    Config.integer(name).pipe(Config.validate({ message, validation: valid }))
  )
}

/**
 * A setting that need not be given: what holds then, and what the help says of it.
 *
 * @category combinators
 */
export const orElse = <A>(setting: Options.Options<A>, fallback: NoInfer<A>, description: string): Options.Options<A> =>
  setting.pipe(Options.withDefault(fallback), Options.withDescription(description))

/**
 * A setting that is one of a few words.
 *
 * @category constructors
 */
export const choice = <const A extends ReadonlyArray<string>>(name: string, words: A): Options.Options<A[number]> =>
  Options.withFallbackConfig(Options.choice(name, words), Config.literal(...words)(name))

/**
 * The names of the options of a command, which are those that the file and the environment may have too; only the file itself has none there.
 *
 * @category combinators
 */
export const namesOf = (options: Readonly<Record<string, Options.Options<unknown>>>): ReadonlyArray<string> =>
  Object.values(options)
    .flatMap((option) => Option.toArray(Options.getIdentifier(option)))
    .map((flag) => flag.replace(/^--/, ""))
    .filter((name) => name !== "config")

/**
 * The file that holds settings: declared so that help and parsing know it; `layer` has read it by then.
 *
 * @category constructors
 */
export const file = Options.text("config").pipe(
  Options.optional,
  Options.withDescription("YAML or JSON file with settings, one key to a flag without its dashes")
)
