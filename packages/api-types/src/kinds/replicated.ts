/** What ReplicaSets and their predecessors, the ReplicationControllers, have in common. */
import type { PodTemplateSpec } from "../generated/CoreV1.js"
import { age, ageCell, name } from "../internal/columns.js"
import type * as Kind from "../Kind.js"
import type { KubeObject } from "../KubeObject.js"
import { containerCells, containerColumns, count, selectorColumn } from "../printing/WorkloadCells.js"

interface Replicated extends KubeObject {
  readonly spec?: { readonly replicas?: number; readonly template?: PodTemplateSpec }
  readonly status?: { readonly replicas: number; readonly readyReplicas?: number }
}

/** Everything but names, defaults and rules. `selector` shows which pods are meant. */
export const replicated = <A extends Replicated>(kind: string, selector: (object: A) => string) =>
  ({
    kind,
    categories: ["all"],
    namespaced: true,
    subresources: [
      { name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"] },
      { name: "status", kind, verbs: ["get", "patch", "update"] }
    ],
    scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
    tracksGeneration: true,
    prepareForCreate: (object: A): A => ({ ...object, status: { replicas: 0 } }),
    prepareForUpdate: (next: A, old: A): A => ({ ...next, status: old.status ?? { replicas: 0 } }),
    prepareForStatusUpdate: (next: A, old: A): A => ({ ...next, ...(old.spec === undefined ? {} : { spec: old.spec }) }),
    columns: [
      name,
      count("Desired", "Replicas that should be there."),
      count("Current", "Replicas that are there."),
      count("Ready", "Replicas that are ready."),
      age,
      ...containerColumns,
      selectorColumn
    ],
    cells: (object: A, now: number): ReadonlyArray<Kind.Cell> => [
      object.metadata.name ?? "",
      object.spec?.replicas ?? 0,
      object.status?.replicas ?? 0,
      object.status?.readyReplicas ?? 0,
      ageCell(object, now),
      ...containerCells(object.spec?.template),
      selector(object)
    ]
  }) satisfies Partial<Kind.Kind<A>>
