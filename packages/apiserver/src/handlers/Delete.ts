/** DELETE of one object or of a collection. */
import { type KubeObject, Status, Timestamp } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Admission from "../admission/Admission.js"
import type { ApiResponse } from "../ApiResponse.js"
import { objectOf, type ResourceRequest } from "../internal/apiContext.js"
import * as change from "../internal/change.js"
import * as commit from "../internal/commit.js"
import * as deleteOptions from "../internal/deleteOptions.js"
import * as eager from "../internal/eager.js"
import * as failures from "../internal/failures.js"
import { equals, get, isArray, isObject } from "../internal/jsonValue.js"
import { keyOf } from "../internal/keys.js"
import * as listOptions from "../internal/listOptions.js"
import * as page from "../internal/page.js"
import { originOf } from "../internal/origin.js"
import * as propagation from "../internal/propagation.js"
import * as render from "../internal/render.js"
import * as selections from "../internal/selection.js"
import { respond as respondList } from "./List.js"

/** What became of an object: gone, or still there and on its way out. */
interface Outcome {
  readonly removed: boolean
  readonly result: commit.Written
}

/** Namespaces are kept by finalizers in their spec until the namespace controller has emptied them. */
const specFinalizers = (object: KubeObject.KubeObject): number => {
  const own = object.kind === "Namespace" ? get(get(object, "spec"), "finalizers") : undefined
  return isArray(own) ? own.length : 0
}

const terminating = (object: KubeObject.KubeObject): KubeObject.KubeObject => {
  if (object.kind !== "Namespace") return object
  const status = get(object, "status")
  const next = { ...object, status: { ...(isObject(status) ? status : {}), phase: "Terminating" } }
  return next
}

/** The object once its deletion was asked for; the same one when that had been done before. */
const mark = (
  call: ResourceRequest,
  object: KubeObject.KubeObject,
  grace: number,
  finalizers: ReadonlyArray<string>
): KubeObject.KubeObject => {
  const { deletionGracePeriodSeconds: before, deletionTimestamp, generation } = object.metadata
  const first = deletionTimestamp === undefined
  // A later request may shorten the grace, never lengthen it.
  const sooner = first || grace < (before ?? 0)
  if (!sooner && equals(finalizers, object.metadata.finalizers ?? [])) return object
  const { finalizers: _, ...metadata } = object.metadata
  const due = {
    deletionTimestamp: Timestamp.secondsFromMillis(call.context.now() + grace * 1000),
    deletionGracePeriodSeconds: grace
  }
  return terminating({
    ...object,
    metadata: {
      ...metadata,
      ...(finalizers.length === 0 ? {} : { finalizers }),
      ...(first && call.kind.tracksGeneration ? { generation: (generation ?? 0) + 1 } : {}),
      ...(sooner ? due : {})
    }
  })
}

const unmet = (
  { kind }: ResourceRequest,
  name: string,
  current: change.Current,
  options: deleteOptions.DeleteOptions
): Status.Status | undefined => {
  const { uid = "" } = current.object.metadata
  if (options.uid !== undefined && options.uid !== uid) {
    return Status.conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid}`
    )
  }
  if (options.resourceVersion === undefined || options.resourceVersion === String(current.revision)) return undefined
  return Status.conflict(
    kind,
    name,
    `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${current.revision}). The object might have been modified`
  )
}

const attempt = (
  call: ResourceRequest,
  name: string,
  options: deleteOptions.DeleteOptions
): Effect.Effect<Outcome, commit.Raced | commit.Refused> =>
  eager.suspend((): Effect.Effect<Outcome, commit.Raced | commit.Refused> => {
    const { context, info, kind } = call
    const current = change.currentOf(call, name)
    if (current === undefined) return Effect.fail(commit.refused(failures.missing(kind, name)))
    const problem = unmet(call, name, current, options)
    if (problem !== undefined) return Effect.fail(commit.refused(problem))
    const { object, revision } = current
    const grace = kind.deletionGrace?.(object, options.gracePeriodSeconds) ?? 0
    const present = object.metadata.finalizers ?? []
    const first = object.metadata.deletionTimestamp === undefined
    const awaited = first ? (kind.deletionFinalizers ?? []).filter((name) => !present.includes(name)) : []
    const finalizers = [...propagation.finalizersOf(object, options.propagation), ...awaited]
    const key = keyOf(kind, info.namespace, name)
    if (grace === 0 && finalizers.length === 0 && specFinalizers(object) === 0) {
      const removal = options.dryRun
        ? Effect.succeed(commit.pretend(object))
        : commit.remove(context, kind, key, revision, object, originOf(call, object))
      return eager.map(removal, (result) => ({ removed: true, result }))
    }
    const next = mark(call, object, grace, finalizers)
    if (next === object) return Effect.succeed({ removed: false, result: { bytes: current.bytes, object } })
    const marked = options.dryRun ? Effect.succeed(commit.pretend(next)) : commit.update(context, kind, key, revision, next, originOf(call, next))
    return eager.map(marked, (result) => ({ removed: false, result }))
  })

const admit = (call: ResourceRequest, name: string, dryRun: boolean): Effect.Effect<void, Status.Status> => {
  const { context, info, kind, user } = call
  const entry = context.cache.get(keyOf(kind, info.namespace, name))
  entry?.remember?.()
  const attributes: Admission.Attributes = {
    operation: "DELETE",
    kind,
    subresource: undefined,
    namespace: info.namespace,
    name,
    user,
    dryRun,
    old: entry === undefined ? undefined : objectOf(entry),
    warn: call.warn
  }
  const checked = eager.flatMap(Admission.validate(context.plugins, undefined, attributes, context.view), () =>
    // Nobody is asked about what is not there.
    entry === undefined ? Effect.void : Admission.review(context.plugins, undefined, attributes, context.view))
  return eager.mapError(checked, ({ status }) => status)
}

/** Deletes one object by all rules. @internal */
export const deleteNamed = (
  call: ResourceRequest,
  name: string,
  options: deleteOptions.DeleteOptions
): Effect.Effect<Outcome, Status.Status> =>
  eager.suspend(() =>
    eager.flatMap(admit(call, name, options.dryRun), () =>
      commit.retrying(
        call.context,
        options.resourceVersion === undefined ? commit.maxAttempts : 1,
        attempt(call, name, options),
        () => Status.conflict(call.kind, name)
      ))
  )

// Kinds whose deletion is answered with the object although it is gone.
const returnsObject = new Set(["Pod", "Namespace"])

/** Answers a delete request: the object as long as it remains, else a Status. @category combinators */
export const deleteOne = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  eager.flatMap(deleteOptions.read(call), (options) =>
    eager.map(deleteNamed(call, name, options), (outcome) => answerOf(call, name, options, outcome)))

const answerOf = (
  call: ResourceRequest,
  name: string,
  options: deleteOptions.DeleteOptions,
  { removed, result }: Outcome
): ApiResponse => {
  const { kind } = call
  const warnings = propagation.warningOf(result.object, options.propagation)
  if (!removed || returnsObject.has(kind.kind)) return commit.respond(call, 200, result, warnings)
  const { uid } = result.object.metadata
  const answer = render.other(
    call,
    200,
    Status.success({
      name,
      ...(kind.group === "" ? {} : { group: kind.group }),
      kind: kind.plural,
      ...(uid === undefined ? {} : { uid })
    })
  )
  return commit.warn(answer, warnings)
}

// They share transactions, and other writers still find their places in line.
const deletedAtOnce = 256

/** Answers the delete of a collection with the list of what was deleted. @category combinators */
export const deleteCollection = (call: ResourceRequest): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const options = yield* deleteOptions.read(call)
    const selection = yield* selections.parse(call.kind, call.info.query)
    const { limit } = yield* listOptions.parse(call.info.query, false)
    const found = page.current(call, selection, limit, undefined)
    const deleted = yield* Effect.forEach(found.items, (item) => {
      const { metadata } = objectOf(item)
      const info = metadata.namespace === undefined ? call.info : { ...call.info, namespace: metadata.namespace }
      return deleteNamed({ ...call, info }, metadata.name ?? "", options).pipe(
        Effect.map(({ result }): ReadonlyArray<page.Item> => [{ key: item.key, revision: item.revision, bytes: result.bytes, object: result.object }]),
        // Whoever was faster has done what was asked for.
        Effect.catchIf((status) => status.code === 404, () => Effect.succeed([]))
      )
    }, { concurrency: deletedAtOnce })
    return respondList(call, {
      items: deleted.flat(),
      revision: call.context.cache.revision(),
      next: undefined,
      remaining: undefined
    })
  })
