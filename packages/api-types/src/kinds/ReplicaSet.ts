/** ReplicaSet: a number of pods made of one template. */
import { podTemplateDefaults } from "../defaults/PodTemplateDefaults.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import * as Kind from "../Kind.js"
import { selectorCell } from "../printing/WorkloadCells.js"
import { validateReplicaSet, validateReplicaSetUpdate } from "../validation/ReplicaSetValidation.js"
import { replicated } from "./replicated.js"

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
  ...replicated<AppsV1.ReplicaSet>("ReplicaSet", ({ spec }) => selectorCell(spec?.selector)),
  group: "apps",
  version: "v1",
  plural: "replicasets",
  shortNames: ["rs"],
  schema: "io.k8s.api.apps.v1.ReplicaSet",
  defaults,
  validateContent: validateReplicaSet,
  validateContentUpdate: validateReplicaSetUpdate
})
