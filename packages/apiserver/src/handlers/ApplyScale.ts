/** PATCH of `<resource>/<name>/scale` by server-side apply: owns the number of replicas of an object, and nothing else of it. */
import { Kind, type KubeObject, Status, SubresourceKinds } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as FieldManager from "../fields/FieldManager.js"
import * as TableSchema from "../fields/TableSchema.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as change from "../internal/change.js"
import * as commit from "../internal/commit.js"
import * as failures from "../internal/failures.js"
import { get } from "../internal/jsonValue.js"
import { withReplicas } from "../internal/scalePaths.js"
import * as tracking from "../internal/tracking.js"
import * as writeOptions from "../internal/writeOptions.js"
import * as Apply from "./Apply.js"

const { scale: scaleKind } = SubresourceKinds

/** What a Scale says about the object that it scales. */
const configurationOf = (
  { kind }: ResourceRequest,
  paths: Kind.ScalePaths,
  name: string,
  scale: KubeObject.KubeObject,
  hasReplicas: boolean
): KubeObject.KubeObject => {
  const bare: KubeObject.KubeObject = { apiVersion: Kind.apiVersion(kind), kind: kind.kind, metadata: { name } }
  return hasReplicas ? withReplicas(paths, bare, scale) : bare
}

/** Applies a Scale; gives the scaled object. @internal */
export const apply = (
  call: ResourceRequest,
  paths: Kind.ScalePaths,
  name: string
): Effect.Effect<commit.Written, Status.Status> =>
  Effect.gen(function*() {
    const { context, info, kind } = call
    const options = yield* writeOptions.parse(info.query, "PatchOptions", true)
    const { configuration } = yield* Apply.readConfiguration({ ...call, kind: scaleKind }, options.fieldValidation)
    const { object: scale } = yield* body.decode(scaleKind, configuration, undefined, options.fieldValidation)
    const hasReplicas = get(get(configuration, "spec"), "replicas") !== undefined
    const attempt = Effect.suspend((): Effect.Effect<commit.Written, commit.Raced | commit.Refused> => {
      const current = change.currentOf(call, name)
      if (current === undefined) return Effect.fail(commit.refused(failures.missing(kind, name)))
      return Effect.gen(function*() {
        const schema = TableSchema.ofKind(kind)
        const sent = configurationOf(call, paths, name, scale, hasReplicas)
        const applied = yield* FieldManager.apply(schema, current.object, sent, tracking.writerOf(call), options.force)
        const { object } = yield* body.decode(kind, applied.object, undefined, "Ignore")
        return { object, managedFields: applied.managedFields }
      }).pipe(
        Effect.mapError(commit.refused),
        Effect.flatMap((merged) =>
          change.apply({ ...call, info: { ...info, subresource: undefined } }, current, merged.object, options.dryRun, merged)
        )
      )
    })
    return yield* commit.retrying(context, commit.maxAttempts, attempt, () => Status.conflict(kind, name))
  })
