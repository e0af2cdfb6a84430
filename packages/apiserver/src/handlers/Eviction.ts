/** POST of `pods/<name>/eviction`: a delete that disruption budgets can refuse. */
import { Kinds, type KubeObject, Status, Timestamp } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Request from "../ApiRequest.js"
import type { ApiResponse } from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as change from "../internal/change.js"
import * as commit from "../internal/commit.js"
import { originOf } from "../internal/origin.js"
import * as deleteOptions from "../internal/deleteOptions.js"
import * as budgets from "../internal/disruptionBudget.js"
import * as failures from "../internal/failures.js"
import { get, isArray, isObject } from "../internal/jsonValue.js"
import { keyOf } from "../internal/keys.js"
import * as render from "../internal/render.js"
import * as sideAdmission from "../internal/sideAdmission.js"
import { deleteNamed } from "./Delete.js"

type Attempt<A> = Effect.Effect<A, commit.Raced | commit.Refused>

const unprotected = new Set<unknown>(["Succeeded", "Failed", "Pending"])

/** Whether no budget counts this pod: it does not serve, or is on its way out already. */
const isUnprotected = (pod: KubeObject.KubeObject): boolean =>
  pod.metadata.deletionTimestamp !== undefined || unprotected.has(get(get(pod, "status"), "phase"))

/** Takes one disruption from the budget of a pod. Refused when the budget has none left. */
const spendBudget = (call: ResourceRequest, name: string, pod: KubeObject.KubeObject, dryRun: boolean): Attempt<void> =>
  Effect.suspend((): Attempt<void> => {
    const { context } = call
    const [found, ...more] = budgets.budgetsOf(context, pod)
    if (found === undefined) return Effect.void
    if (more.length > 0) return Effect.fail(commit.refused(budgets.ambiguous()))
    if (budgets.sparesBudget(found.budget, pod)) return Effect.void
    const spent = budgets.spend(found.budget, name, Timestamp.secondsFromMillis(context.now()))
    if (Either.isLeft(spent)) return Effect.fail(commit.refused(spent.left))
    return dryRun
      ? Effect.void
      : Effect.asVoid(commit.update(context, Kinds.podDisruptionBudget, found.key, found.revision, spent.right))
  })

const withCondition = (pod: KubeObject.KubeObject, time: string): KubeObject.KubeObject => {
  const status = get(pod, "status")
  const conditions = get(status, "conditions")
  const others = isArray(conditions) ? conditions.filter((condition) => get(condition, "type") !== "DisruptionTarget") : []
  const target = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastProbeTime: null,
    lastTransitionTime: time
  }
  const next = { ...pod, status: { ...(isObject(status) ? status : {}), conditions: [...others, target] } }
  return next
}

/** Says in the pod's status why it ends, so that its owner does not take it for a failure. */
const announce = (call: ResourceRequest, name: string): Attempt<void> =>
  Effect.suspend((): Attempt<void> => {
    const { context, info } = call
    const current = change.currentOf(call, name)
    if (current === undefined) return Effect.fail(commit.refused(failures.missing(Kinds.pod, name)))
    if (current.object.metadata.deletionTimestamp !== undefined) return Effect.void
    const next = withCondition(current.object, Timestamp.secondsFromMillis(context.now()))
    return Effect.asVoid(commit.update(context, Kinds.pod, keyOf(Kinds.pod, info.namespace, name), current.revision, next, originOf(call, next)))
  })

const preconditionOf = (pod: KubeObject.KubeObject, name: string, options: deleteOptions.DeleteOptions): Status.Status | undefined => {
  const { resourceVersion, uid } = pod.metadata
  if (options.uid !== undefined && options.uid !== uid) {
    return Status.conflict(Kinds.pod, name, `Precondition failed: UID in precondition: ${options.uid}, UID in object meta: ${uid ?? ""}`)
  }
  return options.resourceVersion === undefined || options.resourceVersion === resourceVersion
    ? undefined
    : Status.conflict(
      Kinds.pod,
      name,
      `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion ?? ""}). The object might have been modified`
    )
}

const evictionOf = ({ info }: ResourceRequest, value: unknown, name: string): KubeObject.KubeObject => ({
  ...(isObject(value) ? value : {}),
  apiVersion: "policy/v1",
  kind: "Eviction",
  metadata: { name, ...(info.namespace === undefined ? {} : { namespace: info.namespace }) }
})

/** Answers an eviction: 201 once the pod is being deleted, 429 when its budget does not allow that now. @category combinators */
export const evict = (call: ResourceRequest, name: string): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const bytes = yield* Effect.mapError(call.request.body, ({ status }) => status)
    const { value } = yield* body.parse(bytes, Request.header(call.request, "content-type"), "Eviction")
    if (get(value, "kind") !== "Eviction") {
      return yield* Effect.fail(Status.badRequest("the body of an eviction must be an Eviction object of policy/v1"))
    }
    const given = get(get(value, "metadata"), "name")
    if (given !== undefined && given !== "" && given !== name) {
      return yield* Effect.fail(Status.badRequest("name in URL does not match name in Eviction object"))
    }
    const options = yield* deleteOptions.fromValue(get(value, "deleteOptions") ?? {}, call.info.query)
    const podCall = { ...call, info: { ...call.info, subresource: undefined } }
    const retrying = <A>(attempt: Attempt<A>) =>
      commit.retrying(call.context, commit.maxAttempts, attempt, () => Status.conflict(Kinds.pod, name))
    const current = change.currentOf(podCall, name)
    if (current === undefined) return yield* Effect.fail(failures.missing(Kinds.pod, name))
    const pod = current.object
    const unmet = preconditionOf(pod, name, options)
    if (unmet !== undefined) return yield* Effect.fail(unmet)
    // Whoever may refuse an eviction is asked before anything is written: the budget is not spent on what does not happen.
    yield* sideAdmission.create(call, name, evictionOf(call, value, name), options.dryRun)
    if (!isUnprotected(pod)) yield* retrying(spendBudget(podCall, name, pod, options.dryRun))
    if (!options.dryRun) yield* retrying(announce(podCall, name))
    const { resourceVersion: _, ...others } = options
    // The version was checked above; writing the condition has made a new one of the same pod.
    yield* deleteNamed({ ...podCall, context: { ...call.context, plugins: [] } }, name, { ...others, resourceVersion: undefined, uid: options.uid ?? pod.metadata.uid })
    return render.other(call, 201, Status.success(undefined, 201))
  })
