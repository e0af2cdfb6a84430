/** ConfigMap: configuration as text or bytes. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { age, ageCell, name } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { validateConfigMap, validateConfigMapUpdate } from "../validation/ConfigMapValidation.js"

/** @category constructors */
export const configMap: Kind.Kind<CoreV1.ConfigMap> = Kind.make<CoreV1.ConfigMap>({
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  shortNames: ["cm"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.ConfigMap",
  validateContent: validateConfigMap,
  validateContentUpdate: validateConfigMapUpdate,
  columns: [
    name,
    { name: "Data", type: "string", description: "Number of keys, text and binary.", priority: 0 },
    age
  ],
  cells: (object, now) => [
    object.metadata.name ?? "",
    Object.keys(object.data ?? {}).length + Object.keys(object.binaryData ?? {}).length,
    ageCell(object, now)
  ]
})
