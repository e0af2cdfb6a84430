/** POST to a collection. */
import { type KubeObject, Names, Status, Timestamp } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import * as Admission from "../admission/Admission.js"
import type { ApiResponse } from "../ApiResponse.js"
import type { ResourceRequest } from "../internal/apiContext.js"
import * as body from "../internal/body.js"
import * as commit from "../internal/commit.js"
import * as eager from "../internal/eager.js"
import { keyOf } from "../internal/keys.js"
import * as tracking from "../internal/tracking.js"
import { originOf } from "../internal/origin.js"
import * as writeOptions from "../internal/writeOptions.js"

// As many names as Kubernetes tries before it gives up on a generateName.
const nameAttempts = 8

/** The namespace of a new object: that of the URL, which the body may repeat. */
const checkNamespace = (call: ResourceRequest, object: KubeObject.KubeObject): Effect.Effect<void, Status.Status> => {
  const given = object.metadata.namespace ?? ""
  const expected = call.kind.namespaced ? call.info.namespace ?? "" : ""
  if (call.kind.namespaced && expected === "") {
    return Effect.fail(Status.badRequest("an object of this kind must be created in a namespace"))
  }
  return given === "" || given === expected || !call.kind.namespaced
    ? Effect.void
    : Effect.fail(Status.badRequest("the namespace of the provided object does not match the namespace sent on the request"))
}

/** Fills the metadata that the server owns, whatever the client sent there. */
const claim = (call: ResourceRequest, object: KubeObject.KubeObject, name: string): KubeObject.KubeObject => {
  const { annotations, finalizers, generateName, labels, ownerReferences } = object.metadata
  const { context, info, kind } = call
  return {
    ...object,
    // Named one by one: a copy of all but some costs the engine several times as much. What is absent stays absent.
    metadata: {
      ...(generateName === undefined ? undefined : { generateName }),
      ...(labels === undefined ? undefined : { labels }),
      ...(annotations === undefined ? undefined : { annotations }),
      ...(ownerReferences === undefined ? undefined : { ownerReferences }),
      ...(finalizers === undefined ? undefined : { finalizers }),
      name,
      ...(kind.namespaced && info.namespace !== undefined ? { namespace: info.namespace } : undefined),
      uid: randomUUID(),
      creationTimestamp: Timestamp.secondsFromMillis(context.now()),
      ...(kind.tracksGeneration ? { generation: 1 } : undefined)
    }
  }
}

const store = (
  call: ResourceRequest,
  object: KubeObject.KubeObject,
  dryRun: boolean
): Effect.Effect<commit.Written, Status.Status> => {
  const { context, info, kind } = call
  const name = object.metadata.name ?? ""
  const key = keyOf(kind, info.namespace, name)
  if (!dryRun) return commit.create(context, kind, key, object, originOf(call, object))
  return context.cache.get(key) === undefined
    ? Effect.succeed(commit.pretend(object))
    : Effect.fail(Status.alreadyExists(kind, name))
}

const admit = (
  call: ResourceRequest,
  object: KubeObject.KubeObject,
  dryRun: boolean,
  entriesOf: (filled: KubeObject.KubeObject) => tracking.Entries
): Effect.Effect<KubeObject.KubeObject, Status.Status> => {
  const { context, info, kind, user } = call
  const name = object.metadata.name ?? ""
  const attributes: Admission.Attributes = {
    operation: "CREATE",
    kind,
    subresource: undefined,
    namespace: info.namespace,
    name,
    user,
    dryRun,
    old: undefined,
    onSettled: call.onSettled,
    warn: call.warn
  }
  const filled = kind.defaults(object)
  const prepared = kind.prepareForCreate(tracking.withEntries(filled, entriesOf(filled)), context.now())
  const changed = eager.map(Admission.mutate(context.plugins, prepared, attributes, context.view), (mutated) => kind.completeForCreate(mutated))
  const checked = eager.flatMap(changed, (admitted) =>
    eager.map(Admission.validate(context.plugins, admitted, attributes, context.view), () => admitted))
  return eager.flatMap(eager.mapError(checked, ({ status }) => status), (admitted) => {
    const problems = kind.validate(admitted)
    if (problems.length > 0) return Effect.fail(Status.invalid(kind, name, problems))
    const reviewed = Admission.review(context.plugins, admitted, attributes, context.view)
    return eager.map(eager.mapError(reviewed, ({ status }) => status), () => admitted)
  })
}

/**
 * Creates a decoded object: fills what the server owns, applies defaults and admission, validates and stores. With
 * `generateName` and no name, several names are tried.
 *
 * @param applied The owners of the fields when the object comes from an apply.
 * @internal
 */
export const createDecoded = (
  call: ResourceRequest,
  object: KubeObject.KubeObject,
  dryRun: boolean,
  applied?: { readonly managedFields: tracking.Entries }
): Effect.Effect<commit.Written, Status.Status> => {
  if (call.kind.custom?.isTerminating === true) {
    return Effect.fail(Status.methodNotAllowed("create not allowed while custom resource definition is terminating"))
  }
  const entriesOf = (filled: KubeObject.KubeObject) =>
    applied === undefined ? tracking.ofCreate(call, filled, object) : applied.managedFields
  const given = object.metadata.name ?? ""
  const base = object.metadata.generateName ?? ""
  const generated = given === "" && base !== ""
  const attempt = (left: number): Effect.Effect<commit.Written, Status.Status> => {
    const name = generated ? Names.generateName(base, call.context.random) : given
    const stored = eager.flatMap(admit(call, claim(call, object, name), dryRun, entriesOf), (admitted) => store(call, admitted, dryRun))
    if (!generated) return stored
    return eager.catchAll(stored, (status) => {
      if (status.reason !== "AlreadyExists") return Effect.fail(status)
      return left > 1 ? attempt(left - 1) : Effect.fail(Status.generateNameConflict(call.kind, name))
    })
  }
  return eager.suspend(() => attempt(nameAttempts))
}

/** Answers a create request: 201 with the stored object. @category combinators */
export const create = (call: ResourceRequest): Effect.Effect<ApiResponse, Status.Status> =>
  eager.flatMap(writeOptions.parse(call.info.query, "CreateOptions"), (options) =>
    body.withDecoded(call, call.kind, options.fieldValidation, ({ object, warnings }) =>
      eager.flatMap(checkNamespace(call, object), () =>
        (object.metadata.resourceVersion ?? "") === ""
          ? eager.map(createDecoded(call, object, options.dryRun), (result) => commit.respond(call, 201, result, warnings))
          : Effect.fail(Status.badRequest("resourceVersion should not be set on objects to be created")))))
