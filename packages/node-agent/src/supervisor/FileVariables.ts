/**
 * Variables of a container whose values are in files that other containers of the pod write. They are read when an attempt starts, by the
 * supervisor, so that it happens while neither the agent nor the API server is there. Part of `spec.json`.
 */
import * as Schema from "effect/Schema"

/**
 * One key of one file.
 *
 * @category schemas
 */
export const FileKey = Schema.Struct({
  /** Name of the volume, for messages. */
  volume: Schema.String,
  /** Where the zone has the volume, absolute. */
  directory: Schema.String,
  /** Relative to that; never through a symbolic link. */
  path: Schema.String,
  key: Schema.String,
  /** A file or key that is not there leaves the variable out; else it keeps the container from starting. */
  optional: Schema.Boolean
})
/** @category models */
export type FileKey = typeof FileKey.Type

/**
 * A variable that is not known before the start: the first one of a file, and all that are declared behind it, because they may refer to it.
 *
 * @category schemas
 */
export const LateVariable = Schema.Union(
  Schema.Struct({ type: Schema.Literal("file"), name: Schema.NonEmptyString, from: FileKey }),
  /** A text in which `$(NAME)` stands for the variables before it. */
  Schema.Struct({ type: Schema.Literal("text"), name: Schema.NonEmptyString, text: Schema.String }),
  Schema.Struct({ type: Schema.Literal("value"), name: Schema.NonEmptyString, value: Schema.String })
)
/** @category models */
export type LateVariable = typeof LateVariable.Type

/**
 * What of a process the files decide.
 *
 * @category schemas
 */
export const LateProcess = Schema.Struct({
  /** In their order, behind those of the process. */
  variables: Schema.NonEmptyArray(LateVariable),
  /** Program and arguments with references to variables. */
  argv: Schema.NonEmptyArray(Schema.String)
})
/** @category models */
export type LateProcess = typeof LateProcess.Type

/**
 * A variable with its value.
 *
 * @category schemas
 */
export const Variable = Schema.Struct({ name: Schema.NonEmptyString, value: Schema.String })
/** @category models */
export type Variable = typeof Variable.Type

/**
 * The variables of a process with those that were read for its current attempt: of one name, the later one counts.
 *
 * @category combinators
 */
export const joined = (known: ReadonlyArray<Variable>, read: ReadonlyArray<Variable> | undefined): ReadonlyArray<Variable> =>
  read === undefined
    ? known
    : [...new Map([...known, ...read].map(({ name, value }) => [name, value] as const))].map(([name, value]) => ({ name, value }))
