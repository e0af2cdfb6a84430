/** The ZoneInstance that a pod stands for: what of it the agent writes. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { Gate, Plan } from "@reddwarf/plans"
import { ZoneInstance } from "@reddwarf/plans"
import { createHash } from "node:crypto"
import * as PodSandbox from "../pod/PodSandbox.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

/** What is known of the pod beside its object. @category models */
export interface Facts {
  readonly nodeName: string
  readonly brand: string
  readonly caps: Plan.Caps
  readonly gates: ReadonlyArray<Gate.Gate>
  /** Digests by container, as far as they are known. */
  readonly digests: Plan.Digests
  readonly addresses: ReadonlyArray<string>
  /** Uid of the object that stands for the pod in the API; absent while there is none, as for a pod of a manifest that is not shown yet. */
  readonly owner: string | undefined
}

/** The fields of the spec that are the agent's; the others are the user's. @category models */
export type OwnSpec = Omit<ZoneInstance.Spec, "powerState" | "paused" | "updatePolicy">

const containersOf = ({ spec }: CoreV1.Pod): ReadonlyArray<CoreV1.Container> => [...spec?.initContainers ?? [], ...spec?.containers ?? []]

/** What of a pod, when it changes, makes its zone another one than wanted; a change of anything else is none for the zone. */
const hashed = (pod: CoreV1.Pod, { caps, gates }: Facts): unknown => [
  containersOf(pod).map(({ image = "", name }) => [name, image]),
  Object.entries(caps).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  gates
]

/** @category constructors */
export const specOf = (pod: CoreV1.Pod, facts: Facts): OwnSpec => ({
  podUID: pod.metadata.uid ?? "",
  nodeName: facts.nodeName,
  brand: facts.brand,
  // An init container that has run is not run again for another image.
  containers: containersOf(pod).map(({ image = "", name }) => {
    const digest = facts.digests[name]
    return { name, image, ...(digest === undefined ? {} : { digest }) }
  }),
  caps: facts.caps,
  network: { vnic: PodSandbox.namesOf(PodSandbox.identityOf(pod)).link, ips: facts.addresses },
  specHash: createHash("sha256").update(JSON.stringify(hashed(pod, facts))).digest("hex").slice(0, 32),
  ...(facts.gates.length === 0 ? {} : { gates: facts.gates })
})

/** The whole object, as it is created. @category constructors */
export const instanceOf = (pod: CoreV1.Pod, facts: Facts): ZoneInstance.ZoneInstance => ({
  apiVersion: ZoneInstance.apiVersion,
  kind: ZoneInstance.kind,
  metadata: {
    name: pod.metadata.name ?? "",
    namespace: pod.metadata.namespace ?? "default",
    labels: { [ZoneInstance.nodeLabel]: facts.nodeName },
    finalizers: [ZoneInstance.finalizer],
    ...(facts.owner === undefined ? {} : {
      ownerReferences: [{
        apiVersion: "v1",
        kind: "Pod",
        name: pod.metadata.name ?? "",
        uid: facts.owner,
        controller: true,
        blockOwnerDeletion: true
      }]
    })
  },
  spec: specOf(pod, facts)
})

/** The object of a pod of which nothing is known but who it was: enough to remove what is left of it. @category constructors */
export const bare = ({ name, namespace, uid }: Files.PodIdentity, nodeName: string): ZoneInstance.ZoneInstance => ({
  apiVersion: ZoneInstance.apiVersion,
  kind: ZoneInstance.kind,
  metadata: { name, namespace, labels: { [ZoneInstance.nodeLabel]: nodeName } },
  spec: { podUID: uid, nodeName, brand: "", containers: [], specHash: "" }
})

/** Whose object it is. @category combinators */
export const identityOf = ({ metadata, spec }: ZoneInstance.ZoneInstance): Files.PodIdentity => ({
  namespace: metadata.namespace ?? "default",
  name: metadata.name ?? "",
  uid: spec.podUID
})

/**
 * `namespace/name/uid`, by which passes over the zone of a pod are asked for: that of a former pod of the name may still be on its way down.
 *
 * @category combinators
 */
export const keyOf = ({ name, namespace, uid }: Files.PodIdentity): string =>
  `${namespace}/${name}/${uid}`

/** The uid in a key. @category combinators */
export const uidOf = (key: string): string => key.slice(key.lastIndexOf("/") + 1)
