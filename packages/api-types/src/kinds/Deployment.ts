/** Deployment: replicas of a pod that are replaced step by step when the template changes. */
import { podTemplateDefaults } from "../defaults/PodTemplateDefaults.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import { orElse } from "../internal/strings.js"
import * as Kind from "../Kind.js"
import { containerCells, containerColumns, selectorCell, selectorColumn } from "../printing/WorkloadCells.js"
import { validateDeployment, validateDeploymentUpdate } from "../validation/DeploymentValidation.js"

const strategyDefaults = (strategy: AppsV1.DeploymentStrategy): AppsV1.DeploymentStrategy => {
  const type = orElse(strategy.type, "RollingUpdate")
  if (type !== "RollingUpdate") return { ...strategy, type }
  const { maxSurge = "25%", maxUnavailable = "25%" } = strategy.rollingUpdate ?? {}
  return { type, rollingUpdate: { maxUnavailable, maxSurge } }
}

const defaults = (object: AppsV1.Deployment): AppsV1.Deployment => {
  const { spec } = object
  if (spec === undefined) return object
  return {
    ...object,
    spec: {
      ...spec,
      replicas: spec.replicas ?? 1,
      template: podTemplateDefaults(spec.template),
      strategy: strategyDefaults(spec.strategy ?? {}),
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
      progressDeadlineSeconds: spec.progressDeadlineSeconds ?? 600
    }
  }
}

// The status endpoint keeps the labels of the object too.
const keepSpec = (next: AppsV1.Deployment, old: AppsV1.Deployment): AppsV1.Deployment => {
  const { labels: _, ...metadata } = next.metadata
  const { labels } = old.metadata
  return {
    ...next,
    metadata: labels === undefined ? metadata : { ...metadata, labels },
    ...(old.spec === undefined ? {} : { spec: old.spec })
  }
}

/** @category constructors */
export const deployment: Kind.Kind<AppsV1.Deployment> = Kind.make<AppsV1.Deployment>({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  shortNames: ["deploy"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.apps.v1.Deployment",
  subresources: [
    { name: "scale", kind: "Scale", group: "autoscaling", version: "v1", verbs: ["get", "patch", "update"] },
    { name: "status", kind: "Deployment", verbs: ["get", "patch", "update"] }
  ],
  scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
  tracksGeneration: true,
  // The controller copies annotations to its ReplicaSets, so it has to see that they changed.
  generationContent: ({ metadata, spec }) => ({ spec, annotations: metadata.annotations ?? {} }),
  defaults,
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? {} }),
  prepareForStatusUpdate: keepSpec,
  validateContent: validateDeployment,
  validateContentUpdate: validateDeploymentUpdate,
  columns: [
    name,
    text("Ready", "Replicas that are ready, of those that should be."),
    text("Up-to-date", "Replicas made of the current template."),
    text("Available", "Replicas that have been ready for long enough."),
    age,
    ...containerColumns,
    selectorColumn
  ],
  cells: (object, now) => {
    const { spec, status = {} } = object
    return [
      object.metadata.name ?? "",
      `${status.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
      String(status.updatedReplicas ?? 0),
      String(status.availableReplicas ?? 0),
      ageCell(object, now),
      ...containerCells(spec?.template),
      selectorCell(spec?.selector)
    ]
  }
})
