/** PATCH of one object by server-side apply: the body says which fields its manager wants to have, and with which values. */
import { Kind, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { ApiResponse } from "../ApiResponse.js"
import * as AppliedFields from "../fields/AppliedFields.js"
import * as FieldManager from "../fields/FieldManager.js"
import * as TableSchema from "../fields/TableSchema.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as appliedBody from "../internal/appliedBody.js"
import * as body from "../internal/body.js"
import * as change from "../internal/change.js"
import * as commit from "../internal/commit.js"
import * as failures from "../internal/failures.js"
import { get, isObject, type JsonObject } from "../internal/jsonValue.js"
import * as tracking from "../internal/tracking.js"
import * as writeOptions from "../internal/writeOptions.js"
import { createDecoded } from "./Create.js"
import { checkIdentity } from "./Update.js"

const text = (value: unknown, name: string): string => {
  const found = get(value, name)
  return typeof found === "string" ? found : ""
}

const groupVersionOf = (apiVersion: string): readonly [group: string, version: string] => {
  const slash = apiVersion.indexOf("/")
  return slash < 0 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
}

const badRequest = (message: string) => Either.left(Status.badRequest(message))

/** What is wrong with a configuration, before anything is merged. */
const check = (call: ResourceRequest, configuration: unknown): Either.Either<JsonObject, Status.Status> => {
  const { kind } = call
  if (!isObject(configuration)) {
    const type = Array.isArray(configuration) ? "array" : typeof configuration
    return badRequest(
      `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${type} into Go value of type map[string]interface {}`
    )
  }
  const [group, version] = groupVersionOf(text(configuration, "apiVersion"))
  const given = text(configuration, "kind")
  if (group !== kind.group || version !== kind.version || given !== kind.kind) {
    return badRequest(`invalid object type: ${group}/${version}, Kind=${given}`)
  }
  const metadata = get(configuration, "metadata")
  const managedFields = get(metadata, "managedFields")
  if (managedFields !== undefined && managedFields !== null) return badRequest("metadata.managedFields must be nil")
  const problem = AppliedFields.problemOf(TableSchema.ofKind(kind).root, configuration)
  if (problem === undefined) return Either.right(configuration)
  const object = `${text(metadata, "namespace")}/${text(metadata, "name")}; ${Kind.apiVersion(kind)}, Kind=${kind.kind}`
  return Either.left(Status.failure(500, "", `failed to create typed patch object (${object}): ${problem}`))
}

/** The configuration of a request, with what is to be said about fields that it names twice. @internal */
export const readConfiguration = (
  call: ResourceRequest,
  validation: writeOptions.FieldValidation
): Effect.Effect<{ readonly configuration: JsonObject; readonly warnings: ReadonlyArray<string> }, Status.Status> =>
  call.request.body.pipe(
    Effect.mapError(({ status }) => status),
    Effect.flatMap(appliedBody.parse),
    Effect.flatMap(({ duplicates, value }) => {
      if (validation === "Strict" && duplicates.length > 0) {
        return Effect.fail(Status.badRequest(`error strict decoding YAML: ${duplicates.join(", ")}`))
      }
      const warnings = validation === "Ignore" ? [] : duplicates
      return Effect.map(check(call, value), (configuration) => ({ configuration, warnings }))
    })
  )

/** The merged object, decoded, with the owners of its fields. */
interface Merged {
  readonly object: KubeObject.KubeObject
  readonly managedFields: tracking.Entries
  readonly warnings: ReadonlyArray<string>
}

const merge = (
  call: ResourceRequest,
  live: KubeObject.KubeObject | undefined,
  configuration: JsonObject,
  options: writeOptions.WriteOptions
): Either.Either<Merged, Status.Status> =>
  Either.gen(function*() {
    const schema = TableSchema.ofKind(call.kind)
    const applied = yield* FieldManager.apply(schema, live, configuration, tracking.writerOf(call), options.force)
    const { object, warnings } = yield* body.decode(call.kind, applied.object, undefined, options.fieldValidation)
    return { object, managedFields: applied.managedFields, warnings }
  })

const create = (
  call: ResourceRequest,
  name: string,
  configuration: JsonObject,
  options: writeOptions.WriteOptions
): Effect.Effect<commit.Written, Status.Status> =>
  Effect.gen(function*() {
    const { kind } = call
    const metadata = get(configuration, "metadata")
    if (text(metadata, "resourceVersion") !== "" || call.info.subresource !== undefined) {
      return yield* Effect.fail(failures.missing(kind, name))
    }
    const uid = text(metadata, "uid")
    if (uid !== "") {
      return yield* Effect.fail(Status.conflict(
        kind,
        name,
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`
      ))
    }
    if (text(metadata, "name") === "") {
      return yield* Effect.fail(
        Status.badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
      )
    }
    const merged = yield* merge(call, undefined, configuration, options)
    yield* checkIdentity(call, merged.object, name)
    return yield* createDecoded(call, merged.object, options.dryRun, merged)
  })

const update = (
  call: ResourceRequest,
  name: string,
  current: change.Current,
  configuration: JsonObject,
  options: writeOptions.WriteOptions
): Effect.Effect<commit.Written, commit.Raced | commit.Refused> =>
  Effect.gen(function*() {
    const merged = yield* merge(call, current.object, configuration, options)
    yield* checkIdentity(call, merged.object, name)
    const expected = text(get(configuration, "metadata"), "resourceVersion")
    if (expected !== "" && expected !== String(current.revision)) return yield* Effect.fail(Status.conflict(call.kind, name))
    return merged
  }).pipe(
    Effect.mapError(commit.refused),
    Effect.flatMap((merged) => change.apply(call, current, merged.object, options.dryRun, merged))
  )

/** Answers an apply request: 200, or 201 when there was no such object. @category combinators */
export const apply = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { context, info, kind } = call
    const options = yield* writeOptions.parse(info.query, "PatchOptions", true)
    const { configuration, warnings } = yield* readConfiguration(call, options.fieldValidation)
    const attempt = Effect.suspend((): Effect.Effect<readonly [number, commit.Written], commit.Raced | commit.Refused> => {
      const current = change.currentOf(call, name)
      return current === undefined
        ? Effect.mapBoth(create(call, name, configuration, options), {
          // Somebody else created it in the meantime: there is something to merge with now.
          onFailure: (status): commit.Raced | commit.Refused =>
            status.reason === "AlreadyExists" ? { _tag: "Raced", revision: undefined } : commit.refused(status),
          onSuccess: (created) => [201, created] as const
        })
        : Effect.map(update(call, name, current, configuration, options), (changed) => [200, changed] as const)
    })
    const [code, result] = yield* commit.retrying(context, commit.maxAttempts, attempt, () => Status.conflict(kind, name))
    return commit.respond(call, code, result, warnings)
  })
