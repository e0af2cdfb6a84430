/** VolumeAttributesClass: properties of volumes that can be changed while they are used. */
import { forbidden } from "../FieldError.js"
import type * as StorageV1 from "../generated/StorageV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import { requiredName } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"

/** @category constructors */
export const volumeAttributesClass: Kind.Kind<StorageV1.VolumeAttributesClass> = Kind.make<StorageV1.VolumeAttributesClass>({
  group: "storage.k8s.io",
  version: "v1",
  kind: "VolumeAttributesClass",
  plural: "volumeattributesclasses",
  shortNames: ["vac"],
  namespaced: false,
  schema: "io.k8s.api.storage.v1.VolumeAttributesClass",
  validateContent: ({ driverName }) => requiredName("driverName", driverName, Names.isDns1123Subdomain),
  validateContentUpdate: (next, old) => [
    ...(next.driverName === old.driverName ? [] : [forbidden("driverName", "updates to driverName are forbidden.")]),
    ...(semanticEqual(next.parameters, old.parameters) ? [] : [forbidden("parameters", "updates to parameters are forbidden.")])
  ],
  columns: [name, text("DriverName", "The driver that the properties are for."), age],
  cells: (object, now) => [object.metadata.name ?? "", object.driverName, ageCell(object, now)]
})
