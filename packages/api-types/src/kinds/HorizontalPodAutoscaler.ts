/** HorizontalPodAutoscaler: scales a set of pods by what is measured. This version is the one that is stored. */
import { autoscalerDefaults } from "../defaults/AutoscalerDefaults.js"
import type * as AutoscalingV2 from "../generated/AutoscalingV2.js"
import * as Kind from "../Kind.js"
import { autoscalerCells, autoscalerColumns } from "../printing/AutoscalerCells.js"
import { validateAutoscaler } from "../validation/AutoscalerValidation.js"

const emptyStatus: AutoscalingV2.HorizontalPodAutoscalerStatus = { desiredReplicas: 0, currentMetrics: [] }

/** @category constructors */
export const horizontalPodAutoscaler: Kind.Kind<AutoscalingV2.HorizontalPodAutoscaler> = Kind.make<AutoscalingV2.HorizontalPodAutoscaler>({
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
  subresources: [{ name: "status", kind: "HorizontalPodAutoscaler", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  defaults: autoscalerDefaults,
  prepareForCreate: (object) => ({ ...object, status: emptyStatus }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? emptyStatus }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec }),
  validateContent: validateAutoscaler,
  validateContentUpdate: validateAutoscaler,
  columns: autoscalerColumns,
  cells: autoscalerCells
})
