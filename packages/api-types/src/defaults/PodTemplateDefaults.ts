/** Defaults of the template that controllers make pods of: fewer than those of a pod, which adds the rest when it is made. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { orElse } from "../internal/strings.js"
import { containerDefaults } from "./ContainerDefaults.js"
import { volumeDefaults } from "./VolumeDefaults.js"

// `serviceAccount` is the old name of the field and always says the same.
const withBothAccountNames = (spec: CoreV1.PodSpec): CoreV1.PodSpec => {
  const account = orElse(spec.serviceAccountName, spec.serviceAccount ?? "")
  return account === "" ? spec : { ...spec, serviceAccountName: account, serviceAccount: account }
}

/** What the specs of templates and of pods are given alike. @category combinators */
export const templateSpecDefaults = (given: CoreV1.PodSpec): CoreV1.PodSpec => {
  const spec = withBothAccountNames(given)
  return {
    ...spec,
    ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.map(volumeDefaults) }),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(containerDefaults) }),
    containers: spec.containers.map(containerDefaults),
    ...(spec.ephemeralContainers === undefined ? {} : { ephemeralContainers: spec.ephemeralContainers.map(containerDefaults) }),
    restartPolicy: orElse(spec.restartPolicy, "Always"),
    terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds ?? 30,
    dnsPolicy: orElse(spec.dnsPolicy, "ClusterFirst"),
    securityContext: spec.securityContext ?? {},
    schedulerName: orElse(spec.schedulerName, "default-scheduler")
  }
}

/** @category combinators */
export const podTemplateDefaults = (template: CoreV1.PodTemplateSpec): CoreV1.PodTemplateSpec =>
  template.spec === undefined ? template : { ...template, spec: templateSpecDefaults(template.spec) }
