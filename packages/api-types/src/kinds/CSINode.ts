/** CSINode: the storage drivers of a node. */
import { duplicate } from "../FieldError.js"
import type * as StorageV1 from "../generated/StorageV1.js"
import { age, ageCell, name } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { present, uniqueNames } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"

const validate = ({ spec }: StorageV1.CSINode): Errors => [
  ...spec.drivers.flatMap((driver, index) => [
    ...present(`spec.drivers[${index}].name`, driver.name),
    ...present(`spec.drivers[${index}].nodeID`, driver.nodeID)
  ]),
  ...uniqueNames(spec.drivers.map((driver) => driver.name), (index) => `spec.drivers[${index}].name`, duplicate)
]

/** @category constructors */
export const csiNode: Kind.Kind<StorageV1.CSINode> = Kind.make<StorageV1.CSINode>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "CSINode",
  plural: "csinodes",
  namespaced: false,
  schema: "io.k8s.api.storage.v1.CSINode",
  allowUnconditionalUpdate: false,
  validateContent: validate,
  validateContentUpdate: validate,
  columns: [name, { name: "Drivers", type: "integer", description: "How many drivers the node has.", priority: 0 }, age],
  cells: (object, now) => [object.metadata.name ?? "", object.spec.drivers.length, ageCell(object, now)]
})
