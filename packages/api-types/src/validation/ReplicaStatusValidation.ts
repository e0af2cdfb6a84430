/** Rules of the numbers in a controller's status: a part is never more than the whole. */
import { invalid } from "../FieldError.js"
import type { Errors } from "../internal/fieldRules.js"
import { nonNegative } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"

/** Numbers of a status by field; fields that are none are left alone. @category models */
export interface ReplicaStatus {
  readonly replicas?: number
  readonly readyReplicas?: number
  readonly availableReplicas?: number
  readonly fullyLabeledReplicas?: number
  readonly updatedReplicas?: number
  readonly currentReplicas?: number
  readonly unavailableReplicas?: number
  readonly terminatingReplicas?: number
  readonly observedGeneration?: number
  readonly collisionCount?: number
}

const numbers = [
  "replicas",
  "fullyLabeledReplicas",
  "updatedReplicas",
  "readyReplicas",
  "currentReplicas",
  "availableReplicas",
  "unavailableReplicas",
  "terminatingReplicas",
  "observedGeneration",
  "collisionCount"
] as const

const parts = ["fullyLabeledReplicas", "updatedReplicas", "readyReplicas", "currentReplicas", "availableReplicas"] as const

/** Problems of a changed status. @category combinators */
export const validateReplicaStatus = (next: ReplicaStatus | undefined, old: ReplicaStatus | undefined): Errors => {
  if (next === undefined || semanticEqual(next, old)) return []
  const { availableReplicas = 0, readyReplicas = 0, replicas = 0 } = next
  return [
    ...numbers.flatMap((field) => nonNegative(`status.${field}`, next[field])),
    ...parts.flatMap((field) => {
      const part = next[field] ?? 0
      return part > replicas ? [invalid(`status.${field}`, part, "cannot be greater than status.replicas")] : []
    }),
    ...(availableReplicas > readyReplicas
      ? [invalid("status.availableReplicas", availableReplicas, "cannot be greater than readyReplicas")]
      : [])
  ]
}
