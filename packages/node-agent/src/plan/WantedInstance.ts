/** The ZoneInstance that a pod stands for: what of it the agent writes. Pure. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { Gate, Plan } from "@reddwarf/plans"
import { ZoneInstance } from "@reddwarf/plans"
import { createHash } from "node:crypto"
import * as PodSandbox from "../pod/PodSandbox.js"

/** What is known of the pod beside its object. @category models */
export interface Facts {
  readonly nodeName: string
  readonly brand: string
  readonly caps: Plan.Caps
  readonly gates: ReadonlyArray<Gate.Gate>
  /** Digests by container, as far as they are known. */
  readonly digests: Plan.Digests
  readonly addresses: ReadonlyArray<string>
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
    ownerReferences: [{
      apiVersion: "v1",
      kind: "Pod",
      name: pod.metadata.name ?? "",
      uid: pod.metadata.uid ?? "",
      controller: true,
      blockOwnerDeletion: true
    }]
  },
  spec: specOf(pod, facts)
})

/** `namespace/name`, the key of the ZoneInstance of a pod. @category combinators */
export const keyOf = ({ name, namespace }: { readonly namespace: string; readonly name: string }): string => `${namespace}/${name}`
