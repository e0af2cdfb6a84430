/** POST of a Binding: assigns a pod to a node, once. */
import { Kinds, type KubeObject, Status, Timestamp } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { ApiResponse } from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as change from "../internal/change.js"
import * as commit from "../internal/commit.js"
import * as failures from "../internal/failures.js"
import { get, isArray, isObject } from "../internal/jsonValue.js"
import { keyOf } from "../internal/keys.js"
import { originOf } from "../internal/origin.js"
import * as render from "../internal/render.js"
import * as sideAdmission from "../internal/sideAdmission.js"
import * as writeOptions from "../internal/writeOptions.js"

const bindingResource = { group: "", plural: "pods/binding" }

const conditionsWith = (conditions: unknown, time: string): ReadonlyArray<unknown> => [
  ...(isArray(conditions) ? conditions.filter((condition) => get(condition, "type") !== "PodScheduled") : []),
  { type: "PodScheduled", status: "True", lastProbeTime: null, lastTransitionTime: time }
]

const record = (value: unknown): object => isObject(value) ? value : {}

/** A pod that has a node is not nominated to one any more. */
const withoutNomination = (status: unknown): object =>
  Object.fromEntries(Object.entries(record(status)).filter(([name]) => name !== "nominatedNodeName"))

/** A pod with its spec and status. */
interface Placed extends KubeObject.KubeObject {
  readonly spec: object
  readonly status: object
}

const bound = (
  pod: KubeObject.KubeObject,
  binding: KubeObject.KubeObject,
  node: string,
  time: string
): Placed => {
  const { annotations, labels } = binding.metadata
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(annotations === undefined ? {} : { annotations: { ...pod.metadata.annotations, ...annotations } }),
      ...(labels === undefined ? {} : { labels: { ...pod.metadata.labels, ...labels } }),
      ...(Kinds.pod.tracksGeneration ? { generation: (pod.metadata.generation ?? 0) + 1 } : {})
    },
    spec: { ...record(get(pod, "spec")), nodeName: node },
    status: {
      ...withoutNomination(get(pod, "status")),
      conditions: conditionsWith(get(get(pod, "status"), "conditions"), time)
    }
  }
}

const problemOf = (pod: KubeObject.KubeObject, binding: KubeObject.KubeObject, name: string): Status.Status | undefined => {
  const { uid } = binding.metadata
  const node = get(get(pod, "spec"), "nodeName")
  const gates = get(get(pod, "spec"), "schedulingGates")
  if (uid !== undefined && uid !== "" && uid !== pod.metadata.uid) {
    return Status.conflict(
      bindingResource,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid ?? ""}`
    )
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    return Status.conflict(bindingResource, name, `pod ${name} is being deleted, cannot be assigned to a host`)
  }
  if (typeof node === "string" && node !== "") {
    return Status.conflict(bindingResource, name, `pod ${name} is already assigned to node ${JSON.stringify(node)}`)
  }
  return isArray(gates) && gates.length > 0
    ? Status.conflict(bindingResource, name, `pod ${name} has non-empty .spec.schedulingGates`)
    : undefined
}

/**
 * Answers `pods/<name>/binding` and, with the name in the body, `bindings`. A pod that is assigned, going away or held back
 * by a scheduling gate is refused with a conflict.
 *
 * @category combinators
 */
export const bind = (call: ResourceRequest, podName: string | undefined): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const { context, info } = call
    const options = yield* writeOptions.parse(info.query, "CreateOptions")
    const { object, warnings } = yield* body.read(call, Kinds.binding, options.fieldValidation)
    const name = podName ?? object.metadata.name ?? ""
    if (podName !== undefined && (object.metadata.name ?? podName) !== podName) {
      return yield* Effect.fail(
        Status.badRequest(`the name in the binding (${object.metadata.name ?? ""}) does not match the name on the URL (${podName})`)
      )
    }
    const binding = {
      ...object,
      metadata: { ...object.metadata, name, ...(info.namespace === undefined ? {} : { namespace: info.namespace }) }
    }
    const problems = Kinds.binding.validate(Kinds.binding.defaults({ target: {}, ...binding }))
    if (problems.length > 0) return yield* Effect.fail(Status.invalid(Kinds.binding, name, problems))
    const node = get(get(binding, "target"), "name")
    const podCall = { ...call, kind: Kinds.pod }
    yield* sideAdmission.create({ ...podCall, info: { ...info, subresource: "binding" } }, name, binding, options.dryRun)
    const attempt = Effect.suspend((): Effect.Effect<commit.Written, commit.Raced | commit.Refused> => {
      const current = change.currentOf(podCall, name)
      if (current === undefined) return Effect.fail(commit.refused(failures.missing(Kinds.pod, name)))
      const problem = problemOf(current.object, binding, name)
      if (problem !== undefined) return Effect.fail(commit.refused(problem))
      const next = bound(
        current.object,
        binding,
        typeof node === "string" ? node : "",
        Timestamp.secondsFromMillis(context.now())
      )
      return options.dryRun
        ? Effect.succeed(commit.pretend(next))
        : commit.update(context, Kinds.pod, keyOf(Kinds.pod, info.namespace, name), current.revision, next, originOf(podCall, next))
    })
    yield* commit.retrying(context, commit.maxAttempts, attempt, () => Status.conflict(bindingResource, name))
    return commit.warn(render.other(call, 201, Status.success(undefined, 201)), warnings)
  })
