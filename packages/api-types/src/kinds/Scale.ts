/** Scale: the number of replicas of an object, as its `scale` subresource shows it; never stored. */
import { invalid } from "../FieldError.js"
import type * as AutoscalingV1 from "../generated/AutoscalingV1.js"
import { age, ageCell, name } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { count } from "../printing/WorkloadCells.js"

/** @category constructors */
export const scale: Kind.Kind<AutoscalingV1.Scale> = Kind.make<AutoscalingV1.Scale>({
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  plural: "scales",
  namespaced: true,
  schema: "io.k8s.api.autoscaling.v1.Scale",
  verbs: [],
  validateContent: ({ spec }) => {
    const replicas = spec?.replicas ?? 0
    return replicas < 0 ? [invalid("spec.replicas", replicas, "must be greater than or equal to 0")] : []
  },
  columns: [
    name,
    count("Desired", "Replicas that should be there."),
    count("Available", "Replicas that are there."),
    age
  ],
  cells: (object, now) => [object.metadata.name ?? "", object.spec?.replicas ?? 0, object.status?.replicas ?? 0, ageCell(object, now)]
})
