/** StatefulSet: pods with names, volumes and an order of their own. */
import { podTemplateDefaults } from "../defaults/PodTemplateDefaults.js"
import { volumeClaimDefaults } from "../defaults/VolumeClaimDefaults.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import { orElse } from "../internal/strings.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { containerCells, containerColumns } from "../printing/WorkloadCells.js"
import { validateStatefulSet, validateStatefulSetUpdate } from "../validation/StatefulSetValidation.js"

const strategyDefaults = (strategy: AppsV1.StatefulSetUpdateStrategy): AppsV1.StatefulSetUpdateStrategy => {
  const type = orElse(strategy.type, "RollingUpdate")
  if (type !== "RollingUpdate") return { ...strategy, type }
  const { maxUnavailable = 1, partition = 0 } = strategy.rollingUpdate ?? {}
  return { type, rollingUpdate: { partition, maxUnavailable } }
}

const defaults = (object: AppsV1.StatefulSet): AppsV1.StatefulSet => {
  const { spec } = object
  if (spec === undefined) return object
  const retention = spec.persistentVolumeClaimRetentionPolicy
  return {
    ...object,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      template: podTemplateDefaults(spec.template),
      ...(spec.volumeClaimTemplates === undefined
        ? {}
        : {
            volumeClaimTemplates: spec.volumeClaimTemplates.map((claim) => ({
              ...volumeClaimDefaults(claim),
              kind: "PersistentVolumeClaim",
              apiVersion: "v1"
            }))
          }),
      podManagementPolicy: orElse(spec.podManagementPolicy, "OrderedReady"),
      updateStrategy: strategyDefaults(spec.updateStrategy ?? {}),
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
      persistentVolumeClaimRetentionPolicy: {
        whenDeleted: orElse(retention?.whenDeleted, "Retain"),
        whenScaled: orElse(retention?.whenScaled, "Retain")
      }
    }
  }
}

const nothingRuns: AppsV1.StatefulSetStatus = { replicas: 0, availableReplicas: 0 }

/** @category constructors */
export const statefulSet: Kind.Kind<AppsV1.StatefulSet> = Kind.make<AppsV1.StatefulSet>({
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  shortNames: ["sts"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.apps.v1.StatefulSet",
  subresources: [
    { name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"] },
    { name: "status", kind: "StatefulSet", verbs: ["get", "patch", "update"] }
  ],
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
  tracksGeneration: true,
  // The name becomes part of the host names of its pods.
  nameRule: Names.isDns1123Label,
  defaults,
  prepareForCreate: (object) => ({ ...object, status: nothingRuns }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? nothingRuns }),
  prepareForStatusUpdate: (next, old) => ({ ...next, ...(old.spec === undefined ? {} : { spec: old.spec }) }),
  validateContent: validateStatefulSet,
  validateContentUpdate: validateStatefulSetUpdate,
  columns: [name, text("Ready", "Replicas that are ready, of those that should be."), age, ...containerColumns],
  cells: (object, now) => [
    object.metadata.name ?? "",
    `${object.status?.readyReplicas ?? 0}/${object.spec?.replicas ?? 0}`,
    ageCell(object, now),
    ...containerCells(object.spec?.template)
  ]
})
