/** Which services a pod matters to. */
import type { CoreV1 } from "@reddwarf/api-types"
import { type Informer, ObjectRef } from "@reddwarf/client"
import * as endpoints from "./serviceEndpoints.js"

/** Whether the service selects a pod. Asked of every service of a namespace with every change of a pod: a plain comparison of labels. */
const selects = ({ spec }: CoreV1.Service, { metadata: { labels } }: CoreV1.Pod): boolean => {
  for (const label in spec?.selector) if (labels?.[label] !== spec.selector[label]) return false
  return true
}

/** The pods that a service selects; all of its namespace when it has no selector. */
export const podsOf = (service: CoreV1.Service, pods: Informer.Informer<CoreV1.Pod>): ReadonlyArray<CoreV1.Pod> =>
  pods.byIndex("namespace", service.metadata.namespace ?? "").filter((pod) => selects(service, pod))

/** Keys of the services, indexed by `namespace`, that select a pod. */
export const ofPod = (services: Informer.Informer<CoreV1.Service>) => (pod: CoreV1.Pod): ReadonlyArray<string> =>
  services.byIndex("namespace", pod.metadata.namespace ?? "")
    .filter((service) => endpoints.isSelecting(service) && selects(service, pod))
    .map(ObjectRef.keyOf)
