/**
 * PersistentVolumeClaims of a pod, and what the volumes behind them are on this node: ZFS datasets that the node keeps, or paths of the node.
 */
import { type CoreV1, Kinds, Quantity } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

/** Driver of volumes that are datasets, and provisioner of their StorageClasses. @category models */
export const driver = "reddwarf.io/zfs"

/** Attribute of such a volume with the name of the node that has it. @category models */
export const nodeAttribute = "reddwarf.io/node"

/** What a volume of the pod claims, as far as it is there. @category models */
export interface Claim {
  readonly name: string
  readonly readOnly: boolean
  /** Made for this volume of this pod alone. */
  readonly ephemeral: boolean
  readonly claim?: CoreV1.PersistentVolumeClaim | undefined
  readonly volume?: CoreV1.PersistentVolume | undefined
}

/** Claims by volume of the pod. @category models */
export type Claims = ReadonlyMap<string, Claim>

/** A volume as this node has it. @category models */
export type Backing =
  | { readonly type: "dataset"; readonly name: string; readonly owner: string; readonly quota: number; readonly marks: Readonly<Record<string, string>> }
  | { readonly type: "local"; readonly path: string }
  | { readonly type: "hostPath"; readonly source: CoreV1.HostPathVolumeSource }

const claimsOf = (pod: CoreV1.Pod): ReadonlyArray<readonly [volume: string, claim: Claim]> =>
  (pod.spec?.volumes ?? []).flatMap((volume): ReadonlyArray<readonly [string, Claim]> => {
    const { ephemeral, name, persistentVolumeClaim: claim } = volume
    if (claim !== undefined) return [[name, { name: claim.claimName, readOnly: claim.readOnly === true, ephemeral: false }]]
    return ephemeral === undefined ? [] : [[name, { name: `${pod.metadata.name ?? ""}-${name}`, readOnly: false, ephemeral: true }]]
  })

/**
 * Reads the claims of the pod and their volumes. Those that do not exist are left out: whether that matters is for the reader to say.
 *
 * @category constructors
 */
export const read = (client: Pick<ApiClient.Service, "get">, pod: CoreV1.Pod): Effect.Effect<Claims, ClientError.ClientError> => {
  const { namespace } = pod.metadata
  const optional = <A>(effect: Effect.Effect<A, ClientError.ClientError>) =>
    Effect.catchIf(Effect.map(effect, (found): A | undefined => found), ClientError.isNotFound, () => Effect.succeed(undefined))
  return Effect.forEach(claimsOf(pod), ([volume, reference]) =>
    Effect.gen(function*() {
      const claim = yield* optional(client.get(Kinds.persistentVolumeClaim, { namespace, name: reference.name }))
      const { volumeName = "" } = claim?.spec ?? {}
      const bound = claim?.status?.phase === "Bound" && volumeName !== ""
      const found = bound ? yield* optional(client.get(Kinds.persistentVolume, { name: volumeName })) : undefined
      return [volume, { ...reference, claim, volume: found }] as const
    }), { concurrency: 4 }).pipe(Effect.map((entries) => new Map(entries)))
}

/** Bytes of a volume. @category combinators */
export const capacityOf = (volume: CoreV1.PersistentVolume): number => {
  const quantity = Quantity.parse(volume.spec?.capacity?.["storage"] ?? "0")
  return Either.isLeft(quantity) ? 0 : Quantity.toNumber(quantity.right)
}

/** Marks of a dataset by which the node knows its volume again. @category constructors */
export const marksOf = (volume: CoreV1.PersistentVolume): Readonly<Record<string, string>> => ({
  kind: "persistent-volume",
  pv: volume.metadata.name ?? "",
  reclaim: volume.spec?.persistentVolumeReclaimPolicy ?? "Retain"
})

/** Whether a volume is a dataset of a node. @category combinators */
export const isDataset = (volume: CoreV1.PersistentVolume): boolean => volume.spec?.csi?.driver === driver

/** Name of a dataset among the volumes of its engine. @category constructors */
export const datasetName = (volume: CoreV1.PersistentVolume): string => `pv-${volume.spec?.csi?.volumeHandle ?? volume.metadata.name ?? ""}`

/**
 * What the volume behind a claim is on the node of the pod. Left is a sentence for people.
 *
 * @category combinators
 */
export const backing = (pod: CoreV1.Pod, { claim, ephemeral, name, volume }: Claim): Either.Either<Backing, string> => {
  const { nodeName = "" } = pod.spec ?? {}
  const key = `${pod.metadata.namespace ?? ""}/${name}`
  if (claim === undefined) return Either.left(`persistentvolumeclaim "${name}" not found`)
  if (ephemeral && claim.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid) !== true) {
    return Either.left(`PVC ${key} was not created for pod ${pod.metadata.namespace ?? ""}/${pod.metadata.name ?? ""} (pod is not owner); remove it, and another one is made`)
  }
  const { phase = "" } = claim.status ?? {}
  if (phase !== "Bound" || (claim.spec?.volumeName ?? "") === "") {
    return Either.left(`PVC ${key} has non-bound phase (${JSON.stringify(phase)}) or empty pvc.Spec.VolumeName (${JSON.stringify(claim.spec?.volumeName ?? "")})`)
  }
  if (volume === undefined) return Either.left(`persistentvolume "${claim.spec?.volumeName ?? ""}" of PVC ${key} not found`)
  const { spec } = volume
  if (spec?.claimRef?.uid !== undefined && spec.claimRef.uid !== claim.metadata.uid) {
    return Either.left(`persistentvolume "${volume.metadata.name ?? ""}" is bound to another claim than PVC ${key}`)
  }
  if (claim.spec?.volumeMode === "Block") return Either.left(`PVC ${key} has volumeMode Block; block devices are not supported by this node, use Filesystem`)
  if (isDataset(volume)) {
    const at = spec?.csi?.volumeAttributes?.[nodeAttribute]
    if (at !== nodeName) return Either.left(`persistentvolume "${volume.metadata.name ?? ""}" is a dataset of node ${at ?? "(none)"}, and this is node ${nodeName}; run the pod there`)
    return Either.right({ type: "dataset", name: datasetName(volume), owner: volume.metadata.uid ?? "", quota: capacityOf(volume), marks: marksOf(volume) })
  }
  if (spec?.local !== undefined) return Either.right({ type: "local", path: spec.local.path })
  if (spec?.hostPath !== undefined) return Either.right({ type: "hostPath", source: spec.hostPath })
  return Either.left(`persistentvolume "${volume.metadata.name ?? ""}" is of a type that this node does not support; volumes of driver ${driver}, local and hostPath are`)
}
