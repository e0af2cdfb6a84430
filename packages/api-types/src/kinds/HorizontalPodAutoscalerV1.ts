/** HorizontalPodAutoscaler of `autoscaling/v1`: the same autoscalers for clients that know of CPU alone. */
import { fromAutoscalerV1, toAutoscalerV1 } from "../conversion/AutoscalerConversion.js"
import type * as AutoscalingV1 from "../generated/AutoscalingV1.js"
import * as Kind from "../Kind.js"
import { autoscalerCells, autoscalerColumns } from "../printing/AutoscalerCells.js"
import { validateAutoscaler } from "../validation/AutoscalerValidation.js"
import { horizontalPodAutoscaler } from "./HorizontalPodAutoscaler.js"

type Autoscaler = AutoscalingV1.HorizontalPodAutoscaler

const emptyStatus: AutoscalingV1.HorizontalPodAutoscalerStatus = { currentReplicas: 0, desiredReplicas: 0 }

/** @category constructors */
export const horizontalPodAutoscalerV1: Kind.Kind<Autoscaler> = Kind.make<Autoscaler>({
  group: "autoscaling",
  version: "v1",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  shortNames: ["hpa"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
  storage: { kind: horizontalPodAutoscaler, toStored: fromAutoscalerV1, fromStored: toAutoscalerV1 },
  subresources: [{ name: "status", kind: "HorizontalPodAutoscaler", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  // What is stored has the defaults of the newer version, so these are shown from the beginning.
  defaults: (object) => {
    const status = object.status
    const { status: _, ...complete } = toAutoscalerV1(fromAutoscalerV1(object))
    return status === undefined ? complete : { ...complete, status }
  },
  prepareForCreate: (object) => ({ ...object, status: emptyStatus }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? emptyStatus }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec }),
  validateContent: (object) => validateAutoscaler(fromAutoscalerV1(object)),
  validateContentUpdate: (next) => validateAutoscaler(fromAutoscalerV1(next)),
  columns: autoscalerColumns,
  cells: (object, now) => autoscalerCells(fromAutoscalerV1(object), now)
})
