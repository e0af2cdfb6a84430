/** Admission: objects are created only in namespaces that exist and are not going away; some namespaces stay for good. */
import { ApiError, Kinds, type KubeObject, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, ClusterView, Plugin } from "./Admission.js"

/** Namespaces that cannot be deleted. @category models */
export const immortal: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"])

/** Namespaces that every cluster begins with. @category models */
export const initial: ReadonlyArray<string> = ["default", "kube-system", "kube-public", "kube-node-lease"]

const checkDelete = ({ kind, name, subresource }: Attributes): Effect.Effect<void, ApiError.ApiError> =>
  kind === Kinds.namespace && subresource === undefined && immortal.has(name)
    ? ApiError.fail(Status.forbidden(kind, name, "this namespace may not be deleted"))
    : Effect.void

const checkCreate = (
  object: KubeObject.KubeObject | undefined,
  { kind, namespace }: Attributes,
  view: ClusterView
): Effect.Effect<void, ApiError.ApiError> => {
  if (!kind.namespaced || namespace === undefined) return Effect.void
  const parent = view.get(Kinds.namespace, undefined, namespace)
  if (parent === undefined) return ApiError.fail(Status.notFound(Kinds.namespace, namespace))
  if (parent.metadata.deletionTimestamp === undefined) return Effect.void
  return ApiError.fail(
    Status.forbidden(
      kind,
      object?.metadata.name ?? "",
      `unable to create new content in namespace ${namespace} because it is being terminated`,
      [{
        reason: "NamespaceTerminating",
        message: `namespace ${namespace} is being terminated`,
        field: "metadata.namespace"
      }]
    )
  )
}

/** Refuses creates in missing or terminating namespaces (404, 403) and deletes of immortal ones (403). @category constructors */
export const plugin: Plugin = {
  name: "NamespaceLifecycle",
  validate: (object, attributes, view) => {
    if (attributes.operation === "DELETE") return checkDelete(attributes)
    return attributes.operation === "CREATE" && attributes.subresource === undefined
      ? checkCreate(object, attributes, view)
      : Effect.void
  }
}
