/** VolumeAttachment: a volume that is to be attached to a node. */
import { invalid, required } from "../FieldError.js"
import type * as StorageV1 from "../generated/StorageV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { requiredName } from "../internal/fieldRules.js"
import { equal } from "../internal/structure.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { immutable } from "../validation/MetadataValidation.js"

const validate = ({ spec }: StorageV1.VolumeAttachment): Errors => {
  const { inlineVolumeSpec, persistentVolumeName = "" } = spec.source
  return [
    ...requiredName("spec.attacher", spec.attacher, Names.isDns1123Subdomain),
    ...(inlineVolumeSpec === undefined && persistentVolumeName === ""
      ? [required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName")]
      : []),
    ...(inlineVolumeSpec !== undefined && persistentVolumeName !== ""
      ? [invalid("spec.source", spec.source, "must specify exactly one of inlineVolumeSpec and persistentVolumeName")]
      : []),
    ...requiredName("spec.nodeName", spec.nodeName, Names.isDns1123Subdomain)
  ]
}

const validateUpdate = (next: StorageV1.VolumeAttachment, old: StorageV1.VolumeAttachment): Errors =>
  equal(next.spec, old.spec) ? [] : [invalid("spec", next.spec, immutable)]

/** @category constructors */
export const volumeAttachment: Kind.Kind<StorageV1.VolumeAttachment> = Kind.make<StorageV1.VolumeAttachment>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttachment",
  plural: "volumeattachments",
  namespaced: false,
  schema: "io.k8s.api.storage.v1.VolumeAttachment",
  subresources: [{ name: "status", kind: "VolumeAttachment", verbs: ["get", "patch", "update"] }],
  allowUnconditionalUpdate: false,
  prepareForCreate: (object) => ({ ...object, status: { attached: false } }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? { attached: false } }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec }),
  validateContent: validate,
  validateContentUpdate: validateUpdate,
  columns: [
    name,
    text("Attacher", "Who attaches it."),
    text("PV", "The volume."),
    text("Node", "The node."),
    { name: "Attached", type: "boolean", description: "Whether it is attached.", priority: 0 },
    age
  ],
  cells: (object, now) => [
    object.metadata.name ?? "",
    object.spec.attacher,
    object.spec.source.persistentVolumeName ?? "",
    object.spec.nodeName,
    object.status?.attached ?? false,
    ageCell(object, now)
  ]
})
