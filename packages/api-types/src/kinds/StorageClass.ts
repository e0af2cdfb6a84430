/** StorageClass: a way in which volumes are made. */
import { forbidden } from "../FieldError.js"
import type * as StorageV1 from "../generated/StorageV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { oneOf, optionalOneOf, requiredName } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { validateImmutable } from "../validation/MetadataValidation.js"

const defaultAnnotations = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]

const isDefault = ({ metadata }: StorageV1.StorageClass): boolean => defaultAnnotations.some((key) => metadata.annotations?.[key] === "true")

const validate = (object: StorageV1.StorageClass): Errors => [
  ...requiredName("provisioner", object.provisioner.toLowerCase(), Names.isQualifiedName),
  ...oneOf("reclaimPolicy", object.reclaimPolicy, ["Delete", "Retain"]),
  ...optionalOneOf("volumeBindingMode", object.volumeBindingMode, ["Immediate", "WaitForFirstConsumer"])
]

const kept = (field: string, next: unknown, old: unknown): Errors =>
  semanticEqual(next, old) ? [] : [forbidden(field, `updates to ${field} are forbidden.`)]

const validateUpdate = (next: StorageV1.StorageClass, old: StorageV1.StorageClass): Errors => [
  ...kept("parameters", next.parameters, old.parameters),
  ...kept("provisioner", next.provisioner, old.provisioner),
  ...kept("reclaimPolicy", next.reclaimPolicy, old.reclaimPolicy),
  ...validateImmutable("volumeBindingMode", next.volumeBindingMode, old.volumeBindingMode)
]

/** @category constructors */
export const storageClass: Kind.Kind<StorageV1.StorageClass> = Kind.make<StorageV1.StorageClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "StorageClass",
  plural: "storageclasses",
  shortNames: ["sc"],
  namespaced: false,
  schema: "io.k8s.api.storage.v1.StorageClass",
  defaults: (object) => ({ ...object, reclaimPolicy: object.reclaimPolicy ?? "Delete", volumeBindingMode: object.volumeBindingMode ?? "Immediate" }),
  validateContent: validate,
  validateContentUpdate: validateUpdate,
  columns: [
    name,
    text("Provisioner", "Who makes the volumes."),
    text("ReclaimPolicy", "What becomes of volumes that nobody claims any longer."),
    text("VolumeBindingMode", "When a volume is made or chosen."),
    text("AllowVolumeExpansion", "Whether volumes can grow."),
    age
  ],
  cells: (object, now) => [
    `${object.metadata.name ?? ""}${isDefault(object) ? " (default)" : ""}`,
    object.provisioner,
    object.reclaimPolicy ?? "Delete",
    object.volumeBindingMode ?? "Immediate",
    String(object.allowVolumeExpansion ?? false),
    ageCell(object, now)
  ]
})
