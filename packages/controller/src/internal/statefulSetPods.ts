/** The pods of a StatefulSet: which number each has, what it is made of, and how it is. Pure. */
import { type AppsV1, type CoreV1, Kinds, PodPhase } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import { isAvailable } from "./availability.js"
import * as podControl from "./podControl.js"

export const revisionLabel = "controller-revision-hash"
const nameLabel = "statefulset.kubernetes.io/pod-name"
const indexLabel = "apps.kubernetes.io/pod-index"

type Set = AppsV1.StatefulSet

export const replicas = ({ spec }: Set): number => spec?.replicas ?? 1

export const start = ({ spec }: Set): number => spec?.ordinals?.start ?? 0

/** Pods come and go one after the other. */
export const isOrdered = ({ spec }: Set): boolean => spec?.podManagementPolicy !== "Parallel"

/** The number of a pod of this set; undefined for any other pod. */
export const ordinalOf = (set: Set, pod: { readonly metadata: { readonly name?: string } }): number | undefined => {
  const prefix = `${set.metadata.name ?? ""}-`
  const { name = "" } = pod.metadata
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : ""
  return /^(0|[1-9]\d{0,8})$/.test(digits) ? Number(digits) : undefined
}

export const nameOf = (set: Set, ordinal: number): string => `${set.metadata.name ?? ""}-${String(ordinal)}`

/** The name of the claim that a pod has for a volume template. */
export const claimName = (set: Set, template: CoreV1.PersistentVolumeClaim, ordinal: number): string =>
  `${template.metadata.name ?? ""}-${nameOf(set, ordinal)}`

/** Labels by which a pod is found by its name and number. */
const identity = (set: Set, ordinal: number): Readonly<Record<string, string>> => ({
  [nameLabel]: nameOf(set, ordinal),
  [indexLabel]: String(ordinal)
})

/** The labels that a pod lacks to be what its name says; undefined if it has them. */
export const missingIdentity = (set: Set, pod: CoreV1.Pod): Readonly<Record<string, string>> | undefined => {
  const ordinal = ordinalOf(set, pod)
  const wanted = ordinal === undefined ? {} : identity(set, ordinal)
  return Object.entries(wanted).every(([key, value]) => pod.metadata.labels?.[key] === value) ? undefined : wanted
}

/** The pod of this number, made of a template of the set. */
export const draft = (set: Set, template: CoreV1.PodTemplateSpec, revision: string, ordinal: number): ApiClient.Draft<CoreV1.Pod> => {
  const { metadata: { generateName: _, ...metadata }, spec = { containers: [] }, ...rest } = podControl.fromTemplate(Kinds.statefulSet, set, template)
  const templates = set.spec?.volumeClaimTemplates ?? []
  const claims = templates.map((claim): CoreV1.Volume => ({
    name: claim.metadata.name ?? "",
    persistentVolumeClaim: { claimName: claimName(set, claim, ordinal) }
  }))
  const others = (spec.volumes ?? []).filter(({ name }) => !claims.some((claim) => claim.name === name))
  const serviceName = set.spec?.serviceName ?? ""
  return {
    ...rest,
    metadata: {
      ...metadata,
      name: nameOf(set, ordinal),
      labels: { ...metadata.labels, ...identity(set, ordinal), [revisionLabel]: revision }
    },
    spec: {
      ...spec,
      ...(claims.length === 0 ? {} : { volumes: [...claims, ...others] }),
      hostname: nameOf(set, ordinal),
      ...(serviceName === "" ? {} : { subdomain: serviceName })
    }
  }
}

export const revisionOf = (pod: CoreV1.Pod): string => pod.metadata.labels?.[revisionLabel] ?? ""

export const isReady = (pod: CoreV1.Pod): boolean => pod.status?.phase === "Running" && PodPhase.isReady(pod)

/** It serves, has done so for long enough, and will go on. */
export const isHealthy = (set: Set, pod: CoreV1.Pod, now: number): boolean =>
  isReady(pod) && !PodPhase.isTerminating(pod) && isAvailable(pod, set.spec?.minReadySeconds ?? 0, now)

/** Pods with a lower number keep the template that they had; undefined where the update waits for deletions. */
export const partition = ({ spec }: Set): number => spec?.updateStrategy?.rollingUpdate?.partition ?? 0

/** The pod of this number is to be made of the earlier template. */
export const keepsEarlier = (set: Set, ordinal: number): boolean => set.spec?.updateStrategy?.type !== "OnDelete" && ordinal < start(set) + partition(set)
