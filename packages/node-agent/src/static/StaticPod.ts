/** A pod that a manifest in the directory of this node asks for: how it is named, what it may ask for, how the API shows it. Pure. */
import { type CoreV1, Kinds, ObjectCodec } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { createHash } from "node:crypto"

/** Annotations by which everybody knows where a pod came from. @category models */
export const annotations = {
  /** `file` for a pod of a manifest. */
  source: "kubernetes.io/config.source",
  /** What the manifest said, where and for which name: the uid of the pod. Another one is another pod. */
  hash: "kubernetes.io/config.hash",
  /** On the object that shows a static pod in the API: the hash of that pod, under which its events are found. */
  mirror: "kubernetes.io/config.mirror",
  /** `true` makes a pull with `imagePullPolicy: Always` fail while the registry does not answer. */
  strictPull: "reddwarf.io/strict-pull"
} as const

/** Namespace of the name-based uids of static pods: a random value that never changes. */
const uidNamespace = Buffer.from("6f0c1d5e8b2a4c3f9d7e15a2b4c6d8f0", "hex")

/** A version 5 UUID. */
const nameBasedUuid = (name: string): string => {
  const bytes = createHash("sha1").update(uidNamespace).update(name).digest().subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString("hex")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}

const isUuid5 = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/**
 * Whether a uid was made from a manifest: those are name-based (version 5), and API servers give random ones (version 4). So a zone tells
 * whose it is even when its manifest is gone.
 *
 * @category combinators
 */
export const isStaticUid = (uid: string): boolean => isUuid5.test(uid)

/** Whether the pod is of a manifest. @category combinators */
export const isStatic = (pod: CoreV1.Pod): boolean => pod.metadata.annotations?.[annotations.source] === "file" && isStaticUid(pod.metadata.uid ?? "")

/** Whether the pod starts from an image that is here when its registry does not answer, whatever its pull policy. @category combinators */
export const mayStartFromLocalImage = (pod: CoreV1.Pod): boolean => isStatic(pod) && pod.metadata.annotations?.[annotations.strictPull] !== "true"

/** Whether an object of the API only shows a static pod. @category combinators */
export const isMirror = (pod: CoreV1.Pod): boolean => pod.metadata.annotations?.[annotations.mirror] !== undefined

/** JSON with the fields of every object in the order of their names: the same content gives the same text however it was written. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part)

const volumeNeeds = (volume: CoreV1.Volume): ReadonlyArray<string> => {
  const { name } = volume
  return [
    ...(volume.configMap === undefined ? [] : [`volume ${name} is of a ConfigMap`]),
    ...(volume.secret === undefined ? [] : [`volume ${name} is of a Secret`]),
    ...(volume.persistentVolumeClaim === undefined ? [] : [`volume ${name} is of a PersistentVolumeClaim`]),
    ...(volume.ephemeral === undefined ? [] : [`volume ${name} needs a PersistentVolumeClaim`]),
    ...(volume.projected?.sources ?? []).flatMap((source) => [
      ...(source.configMap === undefined ? [] : [`volume ${name} projects a ConfigMap`]),
      ...(source.secret === undefined ? [] : [`volume ${name} projects a Secret`]),
      ...(source.serviceAccountToken === undefined ? [] : [`volume ${name} projects a ServiceAccount token`]),
      ...(source.clusterTrustBundle === undefined ? [] : [`volume ${name} projects a ClusterTrustBundle`]),
      ...(source.podCertificate === undefined ? [] : [`volume ${name} projects a certificate for the pod`])
    ])
  ]
}

const containerNeeds = ({ env = [], envFrom = [], name }: CoreV1.Container): ReadonlyArray<string> => [
  ...envFrom.map(() => `container ${name} takes its environment from a ConfigMap or Secret`),
  ...env.flatMap((variable) =>
    variable.valueFrom?.configMapKeyRef === undefined && variable.valueFrom?.secretKeyRef === undefined
      ? []
      : [`variable ${variable.name} of container ${name} is of a ConfigMap or Secret`])
]

/**
 * What a pod asks for that only the API has. A pod that starts without the API cannot have it.
 *
 * @category combinators
 */
export const apiNeeds = (spec: CoreV1.PodSpec): ReadonlyArray<string> => [
  ...(spec.volumes ?? []).flatMap(volumeNeeds),
  ...[...spec.initContainers ?? [], ...spec.containers].flatMap(containerNeeds),
  ...(spec.imagePullSecrets ?? []).map(() => "it names an imagePullSecret"),
  ...((spec.serviceAccountName ?? "default") === "default" ? [] : [`it names the ServiceAccount ${spec.serviceAccountName}`]),
  ...(spec.ephemeralContainers === undefined ? [] : ["it has ephemeral containers"]),
  ...((spec.runtimeClassName ?? "") === "" ? [] : [`it names the RuntimeClass ${spec.runtimeClassName}: give the brand by annotation`])
]

/** Priorities of the two classes that every cluster has. */
const systemPriorities: ReadonlyMap<string, number> = new Map([["system-cluster-critical", 2_000_000_000], ["system-node-critical", 2_000_001_000]])

/**
 * The pod of a document in a manifest, or what is wrong with it.
 *
 * @category constructors
 */
export const of = (document: unknown, nodeName: string): Either.Either<CoreV1.Pod, string> =>
  Either.gen(function*() {
    const decoded = yield* Either.mapLeft(ObjectCodec.decode(Kinds.pod, document), (status) => status.message ?? "it is not a Pod")
    const [unknown] = decoded.unknownFields
    if (unknown !== undefined) return yield* Either.left(unknown)
    const { metadata, spec } = decoded.object
    const namespace = metadata.namespace ?? "default"
    const given = Kinds.pod.defaults({ kind: "Pod", apiVersion: "v1", metadata: { ...metadata, namespace }, ...(spec === undefined ? {} : { spec }) })
    // With the name of its node: the same manifest may stand on many nodes.
    const named = { ...given, metadata: { ...given.metadata, name: `${metadata.name ?? ""}-${nodeName}` } }
    const [wrong] = [...((metadata.name ?? "") === "" ? ["metadata.name: Required value"] : []), ...Kinds.pod.validate(named).map((error) => error.message)]
    if (wrong !== undefined) return yield* Either.left(wrong)
    if (given.spec === undefined) return yield* Either.left("spec: Required value")
    const needs = apiNeeds(given.spec)
    if (needs.length > 0) return yield* Either.left(`a static pod runs without the API, and this one needs it: ${needs.join("; ")}`)
    const content = createHash("sha256").update(canonical({ metadata: given.metadata, spec: given.spec })).digest("hex")
    const uid = nameBasedUuid([nodeName, namespace, metadata.name ?? "", content].join("\n"))
    const priority = given.spec.priority ?? systemPriorities.get(given.spec.priorityClassName ?? "")
    return {
      ...named,
      metadata: {
        ...named.metadata,
        uid,
        annotations: { ...metadata.annotations, [annotations.source]: "file", [annotations.hash]: uid }
      },
      spec: { ...given.spec, nodeName, ...(priority === undefined ? {} : { priority }) }
    }
  })

/**
 * The object by which the API shows a static pod.
 *
 * @category constructors
 */
export const mirrorOf = (pod: CoreV1.Pod, owner: { readonly name: string; readonly uid: string } | undefined) => {
  const { name, namespace } = pod.metadata
  const hash = pod.metadata.annotations?.[annotations.hash] ?? ""
  return {
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(pod.metadata.labels === undefined ? {} : { labels: pod.metadata.labels }),
      annotations: { ...pod.metadata.annotations, [annotations.mirror]: hash },
      ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: "v1", kind: "Node", ...owner, controller: true }] })
    },
    ...(pod.spec === undefined ? {} : { spec: { ...pod.spec, automountServiceAccountToken: false } })
  }
}
