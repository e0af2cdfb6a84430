/** ReplicationController: what was there before ReplicaSets. */
import { podTemplateDefaults } from "../defaults/PodTemplateDefaults.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import { age, ageCell, name } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { containerCells, containerColumns, count, labelsCell, selectorColumn } from "../printing/WorkloadCells.js"
import { validateReplicationController, validateReplicationControllerUpdate } from "../validation/ReplicaSetValidation.js"

const isEmpty = (labels: Readonly<Record<string, string>> | undefined): boolean => Object.keys(labels ?? {}).length === 0

// The labels of the template are those of the object and of its selector, unless these say otherwise.
const defaults = (object: CoreV1.ReplicationController): CoreV1.ReplicationController => {
  const spec = object.spec ?? {}
  const labels = spec.template?.metadata?.labels
  return {
    ...object,
    ...(labels !== undefined && isEmpty(object.metadata.labels) ? { metadata: { ...object.metadata, labels } } : {}),
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      ...(labels !== undefined && isEmpty(spec.selector) ? { selector: labels } : {}),
      ...(spec.template === undefined ? {} : { template: podTemplateDefaults(spec.template) })
    }
  }
}

/** @category constructors */
export const replicationController: Kind.Kind<CoreV1.ReplicationController> = Kind.make<CoreV1.ReplicationController>({
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  shortNames: ["rc"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.ReplicationController",
  subresources: [
    { name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"] },
    { name: "status", kind: "ReplicationController", verbs: ["get", "patch", "update"] }
  ],
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
  tracksGeneration: true,
  defaults,
  prepareForCreate: (object) => ({ ...object, status: { replicas: 0 } }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? { replicas: 0 } }),
  prepareForStatusUpdate: (next, old) => ({ ...next, ...(old.spec === undefined ? {} : { spec: old.spec }) }),
  validateContent: validateReplicationController,
  validateContentUpdate: validateReplicationControllerUpdate,
  selectableFields: { "status.replicas": (object) => String(object.status?.replicas ?? 0) },
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
    labelsCell(object.spec?.selector)
  ]
})
