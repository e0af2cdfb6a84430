/** ControllerRevision: a state of a DaemonSet or StatefulSet that can be returned to. */
import type * as FieldError from "../FieldError.js"
import { required } from "../FieldError.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import { age, ageCell, none, text } from "../internal/columns.js"
import { name } from "../internal/columns.js"
import { nonNegative } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import { validateImmutable } from "../validation/MetadataValidation.js"

const validate = ({ data, revision }: AppsV1.ControllerRevision): ReadonlyArray<FieldError.FieldError> => [
  ...(data === undefined || data === null ? [required("data", "data is mandatory")] : []),
  ...nonNegative("revision", revision)
]

const ownerOf = (object: AppsV1.ControllerRevision): string => {
  const owner = object.metadata.ownerReferences?.find(({ controller }) => controller === true)
  if (owner === undefined) return none
  const [group, version] = owner.apiVersion.split("/")
  // As messages name a kind: `statefulset.apps`, and the version alone for the core group.
  return `${owner.kind.toLowerCase()}${version === undefined ? "" : `.${group ?? ""}`}/${owner.name}`
}

/** @category constructors */
export const controllerRevision: Kind.Kind<AppsV1.ControllerRevision> = Kind.make<AppsV1.ControllerRevision>({
  group: "apps",
  version: "v1",
  kind: "ControllerRevision",
  plural: "controllerrevisions",
  namespaced: true,
  schema: "io.k8s.api.apps.v1.ControllerRevision",
  validateContent: validate,
  validateContentUpdate: (next, old) => [...validate(next), ...validateImmutable("data", next.data, old.data)],
  columns: [name, text("Controller", "Object whose state this is."), text("Revision", "Number of the state; a higher one is newer."), age],
  cells: (object, now) => [object.metadata.name ?? "", ownerOf(object), object.revision, ageCell(object, now)]
})
