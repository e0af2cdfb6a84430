/** Namespace: a scope for names. */
import type * as FieldError from "../FieldError.js"
import { invalid, invalidEach } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"

const nameLabel = "kubernetes.io/metadata.name"

const withNameLabel = (object: CoreV1.Namespace): CoreV1.Namespace => {
  const own = object.metadata.name ?? ""
  // A namespace without a name yet gets its label when the name is made.
  if (own === "" || object.metadata.labels?.[nameLabel] === own) return object
  return { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, [nameLabel]: own } } }
}

const withPhase = (object: CoreV1.Namespace): CoreV1.Namespace =>
  (object.status?.phase ?? "") === "" ? { ...object, status: { ...object.status, phase: "Active" } } : object

const withFinalizer = (object: CoreV1.Namespace): CoreV1.Namespace =>
  object.spec?.finalizers?.includes("kubernetes") === true
    ? object
    : { ...object, spec: { ...object.spec, finalizers: [...(object.spec?.finalizers ?? []), "kubernetes"] } }

const validateFinalizers = ({ spec }: CoreV1.Namespace): ReadonlyArray<FieldError.FieldError> =>
  (spec?.finalizers ?? []).flatMap((finalizer) => {
    const problems = invalidEach("spec.finalizers", finalizer, Names.isQualifiedName(finalizer))
    return problems.length > 0 || finalizer.includes("/") || finalizer === "kubernetes"
      ? problems
      : [invalid("spec.finalizers", finalizer, "name is neither a standard finalizer name nor is it fully qualified")]
  })

const validatePhase = ({ metadata, status }: CoreV1.Namespace): ReadonlyArray<FieldError.FieldError> => {
  const phase = status?.phase ?? ""
  if (metadata.deletionTimestamp === undefined) {
    return phase === "Active" || phase === ""
      ? []
      : [invalid("status.Phase", phase, "may only be 'Active' if `deletionTimestamp` is empty")]
  }
  return phase === "Terminating"
    ? []
    : [invalid("status.Phase", phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")]
}

/** @category constructors */
export const namespace: Kind.Kind<CoreV1.Namespace> = Kind.make<CoreV1.Namespace>({
  version: "v1",
  kind: "Namespace",
  plural: "namespaces",
  shortNames: ["ns"],
  namespaced: false,
  schema: "io.k8s.api.core.v1.Namespace",
  // Emptying and removing namespaces one by one is the task of a controller: no deletecollection.
  verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
  subresources: [
    { name: "finalize", kind: "Namespace", verbs: ["update"] },
    { name: "status", kind: "Namespace", verbs: ["get", "patch", "update"] }
  ],
  nameRule: Names.isDns1123Label,
  defaults: (object) => withPhase(withNameLabel(object)),
  prepareForCreate: (object) => withFinalizer(withNameLabel({ ...object, status: { phase: "Active" } })),
  prepareForUpdate: (next, old) => ({ ...next, spec: old.spec ?? {}, status: old.status ?? {} }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: validateFinalizers,
  validateContentUpdate: (next) => [...validateFinalizers(next), ...validatePhase(next)],
  selectableFields: { "status.phase": (object) => object.status?.phase ?? "" },
  columns: [name, text("Status", "Active, or Terminating while its content is removed."), age],
  cells: (object, now) => [object.metadata.name ?? "", object.status?.phase ?? "", ageCell(object, now)]
})
