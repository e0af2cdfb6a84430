/** DaemonSet: one pod on every node that takes it. */
import { podTemplateDefaults } from "../defaults/PodTemplateDefaults.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import { orElse } from "../internal/strings.js"
import { semanticEqual } from "../internal/structure.js"
import * as Kind from "../Kind.js"
import { containerCells, containerColumns, count, labelsCell, selectorCell, selectorColumn } from "../printing/WorkloadCells.js"
import { validateDaemonSet, validateDaemonSetUpdate } from "../validation/DaemonSetValidation.js"

const strategyDefaults = (strategy: AppsV1.DaemonSetUpdateStrategy): AppsV1.DaemonSetUpdateStrategy => {
  const type = orElse(strategy.type, "RollingUpdate")
  if (type !== "RollingUpdate") return { ...strategy, type }
  const { maxSurge = 0, maxUnavailable = 1 } = strategy.rollingUpdate ?? {}
  return { type, rollingUpdate: { maxUnavailable, maxSurge } }
}

const defaults = (object: AppsV1.DaemonSet): AppsV1.DaemonSet => {
  const { spec } = object
  if (spec === undefined) return object
  return {
    ...object,
    spec: {
      ...spec,
      template: podTemplateDefaults(spec.template),
      updateStrategy: strategyDefaults(spec.updateStrategy ?? {}),
      revisionHistoryLimit: spec.revisionHistoryLimit ?? 10
    }
  }
}

const generationAnnotation = "deprecated.daemonset.template.generation"

/** Counts the changes of the template in an annotation, from the time before ControllerRevisions. */
const withTemplateGeneration = (object: AppsV1.DaemonSet, generation: string): AppsV1.DaemonSet => ({
  ...object,
  metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [generationAnnotation]: generation } }
})

const keepTemplateGeneration = (next: AppsV1.DaemonSet, old: AppsV1.DaemonSet): AppsV1.DaemonSet => {
  const before = old.metadata.annotations?.[generationAnnotation] ?? "0"
  if (!/^\d{1,15}$/.test(before)) return next
  const isSame = semanticEqual(next.spec?.template, old.spec?.template)
  return isSame && before === "0" ? next : withTemplateGeneration(next, isSame ? before : String(Number(before) + 1))
}

const nothingScheduled: AppsV1.DaemonSetStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0
}

/** @category constructors */
export const daemonSet: Kind.Kind<AppsV1.DaemonSet> = Kind.make<AppsV1.DaemonSet>({
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  shortNames: ["ds"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.apps.v1.DaemonSet",
  subresources: [{ name: "status", kind: "DaemonSet", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  defaults,
  prepareForCreate: (object) => withTemplateGeneration({ ...object, status: nothingScheduled }, "1"),
  prepareForUpdate: (next, old) => keepTemplateGeneration({ ...next, status: old.status ?? nothingScheduled }, old),
  prepareForStatusUpdate: (next, old) => ({ ...next, ...(old.spec === undefined ? {} : { spec: old.spec }) }),
  validateContent: validateDaemonSet,
  validateContentUpdate: validateDaemonSetUpdate,
  columns: [
    name,
    count("Desired", "Nodes that should run the pod."),
    count("Current", "Nodes that run the pod and should."),
    count("Ready", "Nodes whose pod is ready."),
    count("Up-to-date", "Nodes whose pod is made of the current template."),
    count("Available", "Nodes whose pod has been ready for long enough."),
    text("Node Selector", "Labels of the nodes that take the pod."),
    age,
    ...containerColumns,
    selectorColumn
  ],
  cells: (object, now) => {
    const { spec, status } = object
    return [
      object.metadata.name ?? "",
      status?.desiredNumberScheduled ?? 0,
      status?.currentNumberScheduled ?? 0,
      status?.numberReady ?? 0,
      status?.updatedNumberScheduled ?? 0,
      status?.numberAvailable ?? 0,
      labelsCell(spec?.template.spec?.nodeSelector),
      ageCell(object, now),
      ...containerCells(spec?.template),
      selectorCell(spec?.selector)
    ]
  }
})
