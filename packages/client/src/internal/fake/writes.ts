/**
 * The rules for writing objects: defaults, validation, resource versions, finalizers, graceful deletion.
 *
 * Plain functions, so that every write is atomic: JavaScript cannot interleave within one.
 */
import { randomUUID } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import { type Kind, type KubeObject, type MetaV1, Names, Status, Timestamp } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { isRecord } from "../decode.js"
import type { Store } from "./store.js"

/** What a write gives: the object, and whether it is gone. */
export interface Written {
  readonly object: KubeObject.KubeObject
  readonly removed: boolean
}

export type Result = Either.Either<Written, Status.Status>

export interface Context {
  readonly store: Store
  readonly namespaceKind: Kind.Kind
  readonly now: () => number
  readonly random: () => number
}

const kept = (object: KubeObject.KubeObject): Result => Either.right({ object, removed: false })

const field = (object: KubeObject.KubeObject, name: string): unknown => (isRecord(object) ? object[name] : undefined)

const without = (metadata: MetaV1.ObjectMeta, ...names: ReadonlyArray<keyof MetaV1.ObjectMeta>): MetaV1.ObjectMeta => {
  const copy: { -readonly [Name in keyof MetaV1.ObjectMeta]: MetaV1.ObjectMeta[Name] } = { ...metadata }
  for (const name of names) delete copy[name]
  return copy
}

const checkNamespace = (context: Context, kind: Kind.Kind, namespace: string | undefined, name: string): Status.Status | undefined => {
  if (!kind.namespaced) return undefined
  const found = context.store.get(context.namespaceKind, { name: namespace ?? "" })
  if (found === undefined) return Status.notFound(Status.resourceOf(context.namespaceKind), namespace ?? "")
  return found.metadata.deletionTimestamp === undefined ? undefined : Status.forbidden(
    Status.resourceOf(kind),
    name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
    [{ reason: "NamespaceTerminating", message: `namespace ${namespace} is being terminated`, field: "metadata.namespace" }]
  )
}

const nameFor = (context: Context, metadata: MetaV1.ObjectMeta): string =>
  metadata.name !== undefined && metadata.name !== "" || metadata.generateName === undefined
    ? metadata.name ?? ""
    : Names.generateName(metadata.generateName, context.random)

export const create = (context: Context, kind: Kind.Kind, namespace: string | undefined, body: KubeObject.KubeObject): Result => {
  const { store } = context
  if (namespace !== undefined && body.metadata.namespace !== undefined && body.metadata.namespace !== "" && body.metadata.namespace !== namespace) {
    return Either.left(Status.badRequest("the namespace of the provided object does not match the namespace sent on the request"))
  }
  const name = nameFor(context, body.metadata)
  const refusal = checkNamespace(context, kind, namespace, name)
  if (refusal !== undefined) return Either.left(refusal)
  const now = context.now()
  const draft = kind.completeForCreate(kind.defaults(kind.prepareForCreate({
    ...body,
    metadata: {
      ...without(body.metadata, "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"),
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: randomUUID(),
      creationTimestamp: Timestamp.secondsFromMillis(now),
      ...(kind.tracksGeneration ? { generation: 1 } : {})
    }
  }, now)))
  const errors = kind.validate(draft)
  if (errors.length > 0) return Either.left(Status.invalid(kind, name, errors))
  return store.get(kind, { namespace, name }) === undefined
    ? kept(store.put(kind, draft))
    : Either.left(Status.alreadyExists(Status.resourceOf(kind), name))
}

/** What a generation counts the changes of. */
const counted = (kind: Kind.Kind, object: KubeObject.KubeObject): unknown =>
  kind.generationContent === undefined ? field(object, "spec") : kind.generationContent(object)

/** Which part of an object a write replaces; a subresource with rules of its own brings them. */
export type Part = "object" | "status" | "finalize" | Kind.SubresourceUpdate

const prepare = (kind: Kind.Kind, part: Part, next: KubeObject.KubeObject, old: KubeObject.KubeObject): KubeObject.KubeObject => {
  if (typeof part === "object") return kind.defaults(part.prepare(next, old))
  if (part === "object") return kind.defaults(kind.prepareForUpdate(next, old))
  return part === "status" ? kind.prepareForStatusUpdate(next, old) : Object.assign({}, old, { spec: field(next, "spec") })
}

const isGone = (object: KubeObject.KubeObject): boolean => {
  const { deletionGracePeriodSeconds = 0, deletionTimestamp, finalizers = [] } = object.metadata
  const spec = field(object, "spec")
  const specFinalizers = isRecord(spec) && object.kind === "Namespace" && Array.isArray(spec["finalizers"]) ? spec["finalizers"].length : 0
  return deletionTimestamp !== undefined && deletionGracePeriodSeconds === 0 && finalizers.length === 0 && specFinalizers === 0
}

const store = (context: Context, kind: Kind.Kind, object: KubeObject.KubeObject): Result =>
  isGone(object) ? Either.right({ object: context.store.remove(kind, object), removed: true }) : kept(context.store.put(kind, object))

export const update = (context: Context, kind: Kind.Kind, old: KubeObject.KubeObject, body: KubeObject.KubeObject, part: Part): Result => {
  const name = old.metadata.name ?? ""
  const resource = Status.resourceOf(kind)
  const { resourceVersion = "", uid = "" } = body.metadata
  if (body.metadata.name !== name) {
    return Either.left(Status.badRequest(`the name of the object (${body.metadata.name ?? ""}) does not match the name on the URL (${name})`))
  }
  if (resourceVersion === "" && !kind.allowUnconditionalUpdate && part === "object") {
    return Either.left(Status.invalid(kind, name, [{
      path: "metadata.resourceVersion",
      reason: "FieldValueInvalid",
      message: "Invalid value: 0: must be specified for an update"
    }]))
  }
  if (resourceVersion !== "" && resourceVersion !== old.metadata.resourceVersion) return Either.left(Status.conflict(resource, name))
  if (uid !== "" && uid !== old.metadata.uid) {
    return Either.left(Status.conflict(
      resource,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid ?? ""}`
    ))
  }
  const { creationTimestamp, deletionGracePeriodSeconds, deletionTimestamp, generation } = old.metadata
  const { namespace } = old.metadata
  const owned = { creationTimestamp, deletionGracePeriodSeconds, deletionTimestamp, generation, namespace, uid: old.metadata.uid }
  const metadata: MetaV1.ObjectMeta = {
    ...without(body.metadata, "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation", "namespace", "uid"),
    ...Object.fromEntries(Object.entries(owned).filter(([, value]) => value !== undefined))
  }
  const prepared = prepare(kind, part, { ...body, metadata: { ...metadata, resourceVersion: old.metadata.resourceVersion ?? "" } }, old)
  if (isDeepStrictEqual(prepared, old)) return kept(old)
  const changed = part !== "status" && kind.tracksGeneration && !isDeepStrictEqual(counted(kind, prepared), counted(kind, old))
  const next = changed ? { ...prepared, metadata: { ...prepared.metadata, generation: (generation ?? 0) + 1 } } : prepared
  const errors = part === "finalize" ? [] : typeof part === "object" ? part.validate(next, old) : kind.validateUpdate(next, old)
  return errors.length > 0 ? Either.left(Status.invalid(kind, name, errors)) : store(context, kind, next)
}

const unsigned = (value: unknown): number | undefined => (typeof value === "number" ? (value < 0 ? 1 : value) : undefined)

const checkPreconditions = (kind: Kind.Kind, object: KubeObject.KubeObject, preconditions: unknown): Status.Status | undefined => {
  if (!isRecord(preconditions)) return undefined
  const conflict = (label: string, wanted: unknown, actual: string | undefined): Status.Status | undefined =>
    typeof wanted !== "string" || wanted === actual ? undefined : Status.conflict(
      Status.resourceOf(kind),
      object.metadata.name ?? "",
      `Precondition failed: ${label} in precondition: ${wanted}, ${label} in object meta: ${actual ?? ""}`
    )
  return conflict("UID", preconditions["uid"], object.metadata.uid) ??
    conflict("ResourceVersion", preconditions["resourceVersion"], object.metadata.resourceVersion)
}

/** The finalizers of an object whose deletion begins, by the propagation policy of a DeleteOptions body. */
const withPropagation = (finalizers: ReadonlyArray<string>, policy: unknown): ReadonlyArray<string> => {
  if (typeof policy !== "string") return finalizers
  const others = finalizers.filter((each) => each !== "orphan" && each !== "foregroundDeletion")
  return policy === "Orphan" ? [...others, "orphan"] : policy === "Foreground" ? [...others, "foregroundDeletion"] : others
}

/** Deletes at once, or marks the object as being deleted when finalizers or a grace period keep it. `options` is a DeleteOptions body. */
export const remove = (context: Context, kind: Kind.Kind, object: KubeObject.KubeObject, options: unknown): Result => {
  const body = isRecord(options) ? options : {}
  const refusal = checkPreconditions(kind, object, body["preconditions"])
  if (refusal !== undefined) return Either.left(refusal)
  const grace = kind.deletionGrace?.(object, unsigned(body["gracePeriodSeconds"])) ?? 0
  const { deletionGracePeriodSeconds = 0, deletionTimestamp, finalizers: present = [], generation, ...metadata } = object.metadata
  const finalizers = deletionTimestamp === undefined ? withPropagation(present, body["propagationPolicy"]) : present
  // A second delete can only shorten the grace period.
  if (deletionTimestamp !== undefined && grace >= deletionGracePeriodSeconds) return kept(object)
  const marked: KubeObject.KubeObject = {
    ...object,
    metadata: {
      ...metadata,
      ...(finalizers.length === 0 ? {} : { finalizers }),
      ...(generation === undefined ? {} : { generation: deletionTimestamp === undefined ? generation + 1 : generation }),
      deletionTimestamp: Timestamp.secondsFromMillis(context.now() + grace * 1000),
      deletionGracePeriodSeconds: grace
    }
  }
  return store(context, kind, kind === context.namespaceKind ? Object.assign({}, marked, { status: { phase: "Terminating" } }) : marked)
}

/** Places a pod on a node, once. */
export const bind = (context: Context, kind: Kind.Kind, pod: KubeObject.KubeObject, body: unknown): Result => {
  const target = isRecord(body) && isRecord(body["target"]) ? body["target"]["name"] : undefined
  const name = pod.metadata.name ?? ""
  if (typeof target !== "string" || target === "") return Either.left(Status.badRequest("the Binding names no target node"))
  const spec = field(pod, "spec")
  const status = field(pod, "status")
  const bound = isRecord(spec) ? spec["nodeName"] : undefined
  if (pod.metadata.deletionTimestamp !== undefined) {
    return Either.left(Status.conflict({ group: "", plural: "pods/binding" }, name, `pod ${name} is being deleted, cannot be assigned to a host`))
  }
  if (typeof bound === "string" && bound !== "") {
    return Either.left(Status.conflict({ group: "", plural: "pods/binding" }, name, `pod ${name} is already assigned to node "${bound}"`))
  }
  const conditions: ReadonlyArray<unknown> = isRecord(status) && Array.isArray(status["conditions"]) ? status["conditions"] : []
  const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: Timestamp.secondsFromMillis(context.now()) }
  const next = Object.assign({}, pod, {
    spec: { ...(isRecord(spec) ? spec : {}), nodeName: target },
    status: {
      ...(isRecord(status) ? status : {}),
      conditions: [...conditions.filter((each) => !isRecord(each) || each["type"] !== "PodScheduled"), scheduled]
    }
  })
  return kept(context.store.put(kind, next))
}
