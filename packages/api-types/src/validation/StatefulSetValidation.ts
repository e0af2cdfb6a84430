/** Rules of a StatefulSet. */
import { forbidden, invalid, notSupported, required } from "../FieldError.js"
import type * as AppsV1 from "../generated/AppsV1.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { nonNegative, optionalName } from "../internal/fieldRules.js"
import { amountOf, atMostAll, countOrShare } from "../internal/intOrPercent.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { validateKeptRunning, validatePodTemplate, validateSelector, validateTemplateSelected } from "./PodTemplateValidation.js"
import { validateReplicaStatus } from "./ReplicaStatusValidation.js"

const validateRollingUpdate = (path: string, { maxUnavailable, partition }: AppsV1.RollingUpdateStatefulSetStrategy): Errors => [
  ...nonNegative(`${path}.partition`, partition),
  ...(maxUnavailable === undefined
    ? []
    : [
        ...countOrShare(`${path}.maxUnavailable`, maxUnavailable),
        ...(amountOf(maxUnavailable) === 0 ? [invalid(`${path}.maxUnavailable`, maxUnavailable, "cannot be 0")] : []),
        ...atMostAll(`${path}.maxUnavailable`, maxUnavailable)
      ])
]

const validateStrategy = (path: string, strategy: AppsV1.StatefulSetUpdateStrategy): Errors => {
  const { rollingUpdate, type = "" } = strategy
  if (type === "") return [required(path)]
  if (type === "RollingUpdate") return rollingUpdate === undefined ? [] : validateRollingUpdate(`${path}.rollingUpdate`, rollingUpdate)
  if (type !== "OnDelete") return [invalid(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")]
  return rollingUpdate === undefined
    ? []
    : [invalid(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")]
}

const validateManagement = (path: string, policy: string): Errors => {
  if (policy === "") return [required(path)]
  return policy === "OrderedReady" || policy === "Parallel" ? [] : [invalid(path, policy, "must be 'OrderedReady' or 'Parallel'")]
}

const validateRetention = (path: string, policy: AppsV1.StatefulSetPersistentVolumeClaimRetentionPolicy | undefined): Errors =>
  policy === undefined
    ? []
    : (["whenDeleted", "whenScaled"] as const).flatMap((field) => {
        const value = policy[field] ?? ""
        return value === "Retain" || value === "Delete" ? [] : [notSupported(`${path}.${field}`, value, ["Delete", "Retain"])]
      })

/** The template with the volumes that the controller adds: one for each claim, instead of one of the same name. */
const withClaimedVolumes = ({ template, volumeClaimTemplates = [] }: AppsV1.StatefulSetSpec): CoreV1.PodTemplateSpec => {
  const claimed = volumeClaimTemplates.map(({ metadata: { name = "" } }) => ({ name, persistentVolumeClaim: { claimName: name } }))
  if (claimed.length === 0 || template.spec === undefined) return template
  const others = (template.spec.volumes ?? []).filter(({ name }) => !claimed.some((volume) => volume.name === name))
  return { ...template, spec: { ...template.spec, volumes: [...others, ...claimed] } }
}

const validateSpec = (spec: AppsV1.StatefulSetSpec): Errors => {
  const { selector, template } = spec
  return [
    ...validateManagement("spec.podManagementPolicy", spec.podManagementPolicy ?? ""),
    ...validateStrategy("spec.updateStrategy", spec.updateStrategy ?? {}),
    ...validateRetention("spec.persistentVolumeClaimRetentionPolicy", spec.persistentVolumeClaimRetentionPolicy),
    ...nonNegative("spec.replicas", spec.replicas),
    ...nonNegative("spec.minReadySeconds", spec.minReadySeconds),
    ...nonNegative("spec.ordinals.start", spec.ordinals?.start),
    ...nonNegative("spec.revisionHistoryLimit", spec.revisionHistoryLimit),
    ...validateSelector("spec.selector", selector, "statefulset"),
    ...validateTemplateSelected("spec", selector, template),
    ...validatePodTemplate("spec.template", withClaimedVolumes(spec)),
    ...validateKeptRunning("spec.template", template, "StatefulSet")
  ]
}

/** @category combinators */
export const validateStatefulSet = ({ spec }: AppsV1.StatefulSet): Errors =>
  spec === undefined
    ? [required("spec.selector")]
    : [...optionalName("spec.serviceName", spec.serviceName, Names.isDns1123Label), ...validateSpec(spec)]

const mutable = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds"
] as const

const fixedPart = (spec: AppsV1.StatefulSetSpec | undefined): unknown =>
  Object.fromEntries(Object.entries(spec ?? {}).filter(([field]) => !mutable.some((name) => name === field)))

const mayChange = mutable.map((field) => `'${field}'`).join(", ").replace(/, ('minReadySeconds')$/, " and $1")

/** @category combinators */
export const validateStatefulSetUpdate = (next: AppsV1.StatefulSet, old: AppsV1.StatefulSet): Errors => [
  ...(next.spec === undefined ? [required("spec.selector")] : validateSpec(next.spec)),
  ...(semanticEqual(fixedPart(next.spec), fixedPart(old.spec))
    ? []
    : [forbidden("spec", `updates to statefulset spec for fields other than ${mayChange} are forbidden`)]),
  ...validateReplicaStatus(next.status, old.status)
]
