/** ReplicaSet: a number of pods made of one template. */
import { podTemplateDefaults } from "../defaults/PodTemplateDefaults.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import { age, ageCell, name } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { containerCells, containerColumns, count, selectorCell, selectorColumn } from "../printing/WorkloadCells.js"
import { validateReplicaSet, validateReplicaSetUpdate } from "../validation/ReplicaSetValidation.js"

const defaults = (object: AppsV1.ReplicaSet): AppsV1.ReplicaSet => {
  const { spec } = object
  if (spec === undefined) return object
  return {
    ...object,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      ...(spec.template === undefined ? {} : { template: podTemplateDefaults(spec.template) })
    }
  }
}

/** @category constructors */
export const replicaSet: Kind.Kind<AppsV1.ReplicaSet> = Kind.make<AppsV1.ReplicaSet>({
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  shortNames: ["rs"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.apps.v1.ReplicaSet",
  subresources: [
    { name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"] },
    { name: "status", kind: "ReplicaSet", verbs: ["get", "patch", "update"] }
  ],
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
  tracksGeneration: true,
  defaults,
  prepareForCreate: (object) => ({ ...object, status: { replicas: 0 } }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? { replicas: 0 } }),
  prepareForStatusUpdate: (next, old) => ({ ...next, ...(old.spec === undefined ? {} : { spec: old.spec }) }),
  validateContent: validateReplicaSet,
  validateContentUpdate: validateReplicaSetUpdate,
  columns: [
    name,
    count("Desired", "Replicas that should be there."),
    count("Current", "Replicas that are there."),
    count("Ready", "Replicas that are ready."),
    age,
    ...containerColumns,
    selectorColumn
  ],
  cells: (object, now) => [
    object.metadata.name ?? "",
    object.spec?.replicas ?? 0,
    object.status?.replicas ?? 0,
    object.status?.readyReplicas ?? 0,
    ageCell(object, now),
    ...containerCells(object.spec?.template),
    selectorCell(object.spec?.selector)
  ]
})
