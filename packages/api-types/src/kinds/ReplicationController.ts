/** ReplicationController: what was there before ReplicaSets. */
import { podTemplateDefaults } from "../defaults/PodTemplateDefaults.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import * as Kind from "../Kind.js"
import { labelsCell } from "../printing/WorkloadCells.js"
import { validateReplicationController, validateReplicationControllerUpdate } from "../validation/ReplicaSetValidation.js"
import { replicated } from "./replicated.js"

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
  ...replicated<CoreV1.ReplicationController>("ReplicationController", ({ spec }) => labelsCell(spec?.selector)),
  version: "v1",
  plural: "replicationcontrollers",
  shortNames: ["rc"],
  schema: "io.k8s.api.core.v1.ReplicationController",
  defaults,
  validateContent: validateReplicationController,
  validateContentUpdate: validateReplicationControllerUpdate,
  selectableFields: { "status.replicas": (object) => String(object.status?.replicas ?? 0) }
})
