/** CSIStorageCapacity: how much storage of a class there is for some nodes. */
import type * as StorageV1 from "../generated/StorageV1.js"
import { name, text } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { nonNegative, requiredName } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import * as Quantity from "../Quantity.js"
import { validateImmutable } from "../validation/MetadataValidation.js"
import { validateLabelSelector } from "../validation/SchedulingValidation.js"

const amount = (path: string, value: string | undefined): Errors =>
  value === undefined ? [] : nonNegative(path, Quantity.toNumber(Quantity.fromText(value)))

const validate = (object: StorageV1.CSIStorageCapacity): Errors => [
  ...validateLabelSelector("nodeTopology", object.nodeTopology),
  ...requiredName("storageClassName", object.storageClassName, Names.isDns1123Subdomain),
  ...amount("capacity", object.capacity),
  ...amount("maximumVolumeSize", object.maximumVolumeSize)
]

/** @category constructors */
export const csiStorageCapacity: Kind.Kind<StorageV1.CSIStorageCapacity> = Kind.make<StorageV1.CSIStorageCapacity>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSIStorageCapacity",
  plural: "csistoragecapacities",
  namespaced: true,
  schema: "io.k8s.api.storage.v1.CSIStorageCapacity",
  allowUnconditionalUpdate: false,
  validateContent: validate,
  validateContentUpdate: (next, old) => [
    ...validate(next),
    ...validateImmutable("nodeTopology", next.nodeTopology, old.nodeTopology),
    ...validateImmutable("storageClassName", next.storageClassName, old.storageClassName)
  ],
  columns: [name, text("StorageClassName", "The class of the storage."), text("Capacity", "How much there is.")],
  cells: (object) => [object.metadata.name ?? "", object.storageClassName, object.capacity ?? "<unset>"]
})
