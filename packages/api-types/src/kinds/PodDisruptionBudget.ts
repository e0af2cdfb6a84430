/** PodDisruptionBudget: how many pods of a set may be evicted at a time. */
import type * as PolicyV1 from "../generated/PolicyV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { validatePodDisruptionBudget } from "../validation/PodDisruptionBudgetValidation.js"

const emptyStatus: PolicyV1.PodDisruptionBudgetStatus = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }

const limitCell = (limit: number | string | undefined): string => (limit === undefined ? "N/A" : String(limit))

/** @category constructors */
export const podDisruptionBudget: Kind.Kind<PolicyV1.PodDisruptionBudget> = Kind.make<PolicyV1.PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  shortNames: ["pdb"],
  namespaced: true,
  schema: "io.k8s.api.policy.v1.PodDisruptionBudget",
  subresources: [{ name: "status", kind: "PodDisruptionBudget", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  allowUnconditionalUpdate: false,
  prepareForCreate: (object) => ({ ...object, status: emptyStatus }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? emptyStatus }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: validatePodDisruptionBudget,
  validateContentUpdate: validatePodDisruptionBudget,
  columns: [
    name,
    text("Min Available", "How many pods must stay available."),
    text("Max Unavailable", "How many pods may be unavailable."),
    { name: "Allowed Disruptions", type: "integer", description: "How many pods may be evicted now.", priority: 0 },
    age
  ],
  cells: (object, now) => [
    object.metadata.name ?? "",
    limitCell(object.spec?.minAvailable),
    limitCell(object.spec?.maxUnavailable),
    object.status?.disruptionsAllowed ?? 0,
    ageCell(object, now)
  ]
})
