/** Which services a pod matters to. */
import { type CoreV1, LabelSelector } from "@reddwarf/api-types"
import { type Informer, ObjectRef } from "@reddwarf/client"
import * as endpoints from "./serviceEndpoints.js"

/** The pods that a service selects. */
export const podsOf = (service: CoreV1.Service, pods: Informer.Informer<CoreV1.Pod>): ReadonlyArray<CoreV1.Pod> => {
  const selector = LabelSelector.fromLabels(service.spec?.selector ?? {})
  return pods.byIndex("namespace", service.metadata.namespace ?? "").filter((pod) => LabelSelector.matches(selector, pod.metadata.labels))
}

/** Keys of the services, indexed by `namespace`, that select a pod. */
export const ofPod = (services: Informer.Informer<CoreV1.Service>) => (pod: CoreV1.Pod): ReadonlyArray<string> =>
  services.byIndex("namespace", pod.metadata.namespace ?? "")
    .filter((service) => endpoints.isSelecting(service) && LabelSelector.matches(LabelSelector.fromLabels(service.spec?.selector ?? {}), pod.metadata.labels))
    .map(ObjectRef.keyOf)
