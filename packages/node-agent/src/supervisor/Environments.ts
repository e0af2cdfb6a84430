/**
 * What the next attempts of the containers of a pod are started with where that is not what `spec.json` says any more: what their variables are
 * taken from has changed since the pod was handed over. The agent keeps it in `environment.json`, the supervisor reads it before each attempt; so a
 * container that is started again while no agent is there has what was known last.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as durableFile from "../internal/durableFile.js"
import { joined, LateProcess, Variable } from "./FileVariables.js"
import type { SupervisorFileFailed } from "./SupervisorError.js"
import * as Paths from "./SupervisorPaths.js"

/**
 * One container. It is `started` with another command and other variables, or it is not: what it needs is `missing`.
 *
 * @category schemas
 */
export const RenewedProcess = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("started"),
    name: Schema.String,
    argv: Schema.NonEmptyArray(Schema.String),
    env: Schema.Array(Variable),
    late: Schema.optional(LateProcess)
  }),
  Schema.Struct({
    type: Schema.Literal("missing"),
    name: Schema.String,
    /** What is missing, for people. */
    message: Schema.String
  })
)
/** @category models */
export type RenewedProcess = typeof RenewedProcess.Type

/**
 * `environment.json`. Containers that are not in it are started as the specification says.
 *
 * @category schemas
 */
export const Environments = Schema.Struct({
  schema: Schema.Literal(1),
  /** That of the specification which it belongs to: beside another one it says nothing. */
  generation: Schema.optional(Schema.String),
  /** As in the specification: hash over the ConfigMaps and Secrets behind it. */
  environment: Schema.String,
  containers: Schema.Array(RenewedProcess)
})
/** @category models */
export type Environments = typeof Environments.Type

/**
 * What an attempt was started with, where there was such a file: part of the state of its container.
 *
 * @category schemas
 */
export const StartedWith = Schema.Struct({
  generation: Schema.optional(Schema.String),
  environment: Schema.String,
  /** Absent: those of the specification. */
  env: Schema.optional(Schema.Array(Variable))
})
/** @category models */
export type StartedWith = typeof StartedWith.Type

const EnvironmentsJson = Schema.parseJson(Environments, { space: 1 })

/** Text form, by which two of them can be compared. @category combinators */
export const encode: (environments: Environments) => string = Schema.encodeSync(EnvironmentsJson)

/** What is there for a pod. @category constructors */
export const read = (dataDir: string, uid: string): Effect.Effect<Option.Option<Environments>, SupervisorFileFailed, FileSystem.FileSystem> =>
  durableFile.read(Paths.environments(dataDir, uid), EnvironmentsJson)

/**
 * Takes the place of what was there; nothing, where the specification says all. The folder of the pod must exist.
 *
 * @category constructors
 */
export const write = (
  dataDir: string,
  uid: string,
  environments: Environments | undefined
): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> => {
  const path = Paths.environments(dataDir, uid)
  return environments !== undefined
    ? durableFile.write(path, encode(environments))
    : Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.mapError(fs.remove(path, { force: true }), durableFile.failed("remove", path)))
}

/**
 * The variables of an attempt: what it was started with, and what was read from files for it.
 *
 * @category combinators
 */
export const ofAttempt = (
  known: ReadonlyArray<Variable>,
  { fileVariables, startedWith }: { readonly fileVariables?: ReadonlyArray<Variable> | undefined; readonly startedWith?: StartedWith | undefined }
): ReadonlyArray<Variable> => joined(startedWith?.env ?? known, fileVariables)
