/** What a pod needs of other objects of its namespace. */
import type { CoreV1 } from "@reddwarf/api-types"

/** One object, by its plural name. */
export interface Reference {
  readonly resource: "secrets" | "configmaps" | "persistentvolumeclaims" | "serviceaccounts"
  readonly name: string
}

interface Named {
  readonly name?: string
}

type Source = NonNullable<CoreV1.ProjectedVolumeSource["sources"]>[number]

const to = (resource: Reference["resource"], ...named: ReadonlyArray<string | undefined>): ReadonlyArray<Reference> =>
  named.flatMap((name) => name === undefined || name === "" ? [] : [{ resource, name }])

const ofContainer = ({ env = [], envFrom = [] }: CoreV1.Container | CoreV1.EphemeralContainer): ReadonlyArray<Reference> => [
  ...env.flatMap(({ valueFrom }) => [
    ...to("secrets", valueFrom?.secretKeyRef?.name),
    ...to("configmaps", valueFrom?.configMapKeyRef?.name)
  ]),
  ...envFrom.flatMap(({ configMapRef, secretRef }) => [...to("secrets", secretRef?.name), ...to("configmaps", configMapRef?.name)])
]

const ofSource = ({ configMap, secret }: Source): ReadonlyArray<Reference> => [...to("secrets", secret?.name), ...to("configmaps", configMap?.name)]

/** Secrets that drivers of volumes are given. */
const driverSecrets = (volume: CoreV1.Volume): ReadonlyArray<string | undefined> => {
  const references: ReadonlyArray<Named | undefined> = [
    volume.cephfs?.secretRef,
    volume.csi?.nodePublishSecretRef,
    volume.flexVolume?.secretRef,
    volume.iscsi?.secretRef,
    volume.rbd?.secretRef,
    volume.scaleIO?.secretRef,
    volume.storageos?.secretRef
  ]
  return [volume.azureFile?.secretName, ...references.map((reference) => reference?.name)]
}

const ofVolume = (pod: CoreV1.Pod) => (volume: CoreV1.Volume): ReadonlyArray<Reference> => [
  ...to("secrets", volume.secret?.secretName, ...driverSecrets(volume)),
  ...to("configmaps", volume.configMap?.name),
  ...to("persistentvolumeclaims", volume.persistentVolumeClaim?.claimName),
  // The claim of an ephemeral volume is made for the pod.
  ...(volume.ephemeral === undefined ? [] : to("persistentvolumeclaims", `${pod.metadata.name ?? ""}-${volume.name}`)),
  ...(volume.projected?.sources ?? []).flatMap(ofSource)
]

/** Everything that a pod refers to; an object that it needs twice is there twice. */
export const of = (pod: CoreV1.Pod): ReadonlyArray<Reference> => {
  const { containers = [], ephemeralContainers = [], imagePullSecrets = [], initContainers = [], serviceAccountName, volumes = [] } = pod.spec ?? {}
  return [
    ...to("serviceaccounts", serviceAccountName),
    ...to("secrets", ...imagePullSecrets.map(({ name }) => name)),
    ...[...initContainers, ...containers, ...ephemeralContainers].flatMap(ofContainer),
    ...volumes.flatMap(ofVolume(pod))
  ]
}

/** Set on pods that only show what a node runs by itself. */
export const mirrorAnnotation = "kubernetes.io/config.mirror"
