/** Rules of a pod. */
import { duplicate, forbidden, invalid, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { address, named, oneOf, optionalName } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import {
  validateContainers,
  validateEphemeralContainers,
  validateHostNetworkPorts,
  validateInitContainers,
  validateRestartPolicy
} from "./ContainerValidation.js"
import { validateLabels } from "./MetadataValidation.js"
import { validateOverhead, validatePodResources } from "./ResourceValidation.js"
import { validateAffinity, validateSchedulingGates, validateTolerations, validateTopologySpread } from "./SchedulingValidation.js"
import { validatePodSecurityContext } from "./SecurityValidation.js"
import { validateVolumes } from "./VolumeValidation.js"

const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]

const validateDnsConfig = (path: string, { dnsConfig: config, dnsPolicy }: CoreV1.PodSpec): Errors => {
  if (dnsPolicy === "None" && config === undefined) return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")]
  const { nameservers = [], options = [], searches = [] } = config ?? {}
  if (dnsPolicy === "None" && nameservers.length === 0) {
    return [required(`${path}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None")]
  }
  return [
    ...(nameservers.length > 3 ? [invalid(`${path}.nameservers`, nameservers, "must not have more than 3 nameservers")] : []),
    ...nameservers.flatMap((server, index) => address(`${path}.nameservers[${index}]`, server)),
    ...(searches.length > 32 ? [invalid(`${path}.searches`, searches, "must not have more than 32 search paths")] : []),
    ...(searches.join(" ").length > 2048
      ? [invalid(`${path}.searches`, searches, "must not have more than 2048 characters (including spaces) in the search list")]
      : []),
    ...searches.flatMap((search, index) =>
      search === "." ? [] : named(`${path}.searches[${index}]`, search.replace(/\.$/, ""), Names.isDns1123SubdomainWithUnderscore)
    ),
    ...options.flatMap(({ name = "" }, index) => (name === "" ? [required(`${path}.options[${index}]`, "must not be empty")] : []))
  ]
}

const validateResourceClaims = (path: string, claims: ReadonlyArray<CoreV1.PodResourceClaim>): Errors => {
  const seen = new Set<string>()
  return claims.flatMap((claim, index) => {
    const at = `${path}[${index}]`
    const { name, resourceClaimName, resourceClaimTemplateName } = claim
    const nameErrors = name === "" ? [required(`${at}.name`)] : seen.has(name) ? [duplicate(`${at}.name`, name)] : named(`${at}.name`, name, Names.isDns1123Label)
    seen.add(name)
    const choice =
      resourceClaimName !== undefined && resourceClaimTemplateName !== undefined
        ? [invalid(at, claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")]
        : resourceClaimName === undefined && resourceClaimTemplateName === undefined
          ? [invalid(at, claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")]
          : []
    return [
      ...nameErrors,
      ...choice,
      ...(resourceClaimName === undefined ? [] : named(`${at}.resourceClaimName`, resourceClaimName, Names.isDns1123Subdomain)),
      ...(resourceClaimTemplateName === undefined
        ? []
        : named(`${at}.resourceClaimTemplateName`, resourceClaimTemplateName, Names.isDns1123Subdomain))
    ]
  })
}

// A pod with users of its own cannot share other namespaces of the host.
const validateHostUsers = (path: string, spec: CoreV1.PodSpec): Errors =>
  spec.hostUsers !== false
    ? []
    : (
        [
          ["hostNetwork", spec.hostNetwork],
          ["HostPID", spec.hostPID],
          ["HostIPC", spec.hostIPC]
        ] as const
      ).flatMap(([field, shared]) => (shared === true ? [forbidden(`${path}.${field}`, "when `pod.Spec.HostUsers` is false")] : []))

// Templates may leave the account out: it is filled in when a pod is made of them.
const validateTokens = (path: string, spec: CoreV1.PodSpec): Errors =>
  (spec.serviceAccountName ?? "") !== ""
    ? []
    : (spec.volumes ?? []).flatMap(({ projected }, volume) =>
        (projected?.sources ?? []).flatMap((source, index) =>
          source.serviceAccountToken === undefined
            ? []
            : [
                forbidden(
                  `${path}.volumes[${volume}].projected.sources[${index}].serviceAccountToken`,
                  "must not be specified when serviceAccountName is not set"
                )
              ]
        )
      )

const maximumSeconds = 2_147_483_647

const validateDeadline = (path: string, seconds: number | undefined): Errors =>
  seconds !== undefined && (seconds < 1 || seconds > maximumSeconds) ? [invalid(path, seconds, Names.rangeProblem(1, maximumSeconds))] : []

const validateOs = (path: string, os: CoreV1.PodOS | undefined): Errors => {
  if (os === undefined) return []
  if (os.name === "") return [required(`${path}.name`, "cannot be empty")]
  return ["linux", "windows"].includes(os.name) ? [] : [notSupported(path, os.name, ["linux", "windows"])]
}

const validatePlacement = (path: string, spec: CoreV1.PodSpec): Errors => [
  ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
  ...validateAffinity(`${path}.affinity`, spec.affinity),
  ...validateSchedulingGates(`${path}.schedulingGates`, spec.schedulingGates ?? []),
  ...validateTopologySpread(`${path}.topologySpreadConstraints`, spec.topologySpreadConstraints ?? []),
  ...optionalName(`${path}.nodeName`, spec.nodeName, Names.isDns1123Subdomain),
  ...validateTolerations(`${path}.tolerations`, spec.tolerations ?? []),
  ...optionalName(`${path}.priorityClassName`, spec.priorityClassName, Names.isDns1123Subdomain),
  ...(spec.preemptionPolicy === undefined ? [] : oneOf(`${path}.preemptionPolicy`, spec.preemptionPolicy, ["PreemptLowerPriority", "Never"]))
]

const validateIdentity = (path: string, spec: CoreV1.PodSpec): Errors => [
  ...optionalName(`${path}.serviceAccountName`, spec.serviceAccountName, Names.isDns1123Subdomain),
  ...optionalName(`${path}.hostname`, spec.hostname, Names.isDns1123Label),
  ...optionalName(`${path}.subdomain`, spec.subdomain, Names.isDns1123Label),
  ...(spec.hostAliases ?? []).flatMap(({ hostnames = [], ip }, index) => [
    ...address(`${path}.hostAliases[${index}].ip`, ip),
    ...hostnames.flatMap((hostname, each) => named(`${path}.hostAliases[${index}].hostnames[${each}]`, hostname, Names.isDns1123Subdomain))
  ]),
  ...(spec.runtimeClassName === undefined ? [] : named(`${path}.runtimeClassName`, spec.runtimeClassName, Names.isDns1123Subdomain))
]

/** The rules of a spec, the same for new and for changed pods. @category combinators */
export const validatePodSpec = (spec: CoreV1.PodSpec, podName: string, path = "spec"): Errors => {
  const volumes = validateVolumes(`${path}.volumes`, spec.volumes ?? [], podName)
  const claims = (spec.resourceClaims ?? []).map(({ name }) => name).filter((name) => name !== "")
  const context = { spec, volumes: volumes.valid, claims }
  return [
    ...(spec.terminationGracePeriodSeconds === undefined ? [required(`${path}.terminationGracePeriodSeconds`)] : []),
    ...volumes.errors,
    ...validateResourceClaims(`${path}.resourceClaims`, spec.resourceClaims ?? []),
    ...validateContainers(`${path}.containers`, context),
    ...validateInitContainers(`${path}.initContainers`, context),
    ...validateEphemeralContainers(`${path}.ephemeralContainers`, context),
    ...validatePodResources(`${path}.resources`, spec),
    ...validateHostNetworkPorts(`${path}.containers`, spec),
    ...validateRestartPolicy(`${path}.restartPolicy`, spec.restartPolicy),
    ...oneOf(`${path}.dnsPolicy`, spec.dnsPolicy, dnsPolicies),
    ...validatePodSecurityContext(`${path}.securityContext`, spec),
    ...validatePlacement(path, spec),
    ...validateDnsConfig(`${path}.dnsConfig`, spec),
    ...(spec.readinessGates ?? []).flatMap(({ conditionType }, index) =>
      named(`${path}.readinessGates[${index}].conditionType`, conditionType, Names.isQualifiedName)
    ),
    ...validateHostUsers(path, spec),
    ...validateDeadline(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds),
    ...validateIdentity(path, spec),
    ...validateOverhead(`${path}.overhead`, spec.overhead),
    ...validateOs(`${path}.os`, spec.os)
  ]
}

/** The rules of a new pod. @category combinators */
export const validatePod = (pod: CoreV1.Pod): Errors => {
  const spec = pod.spec
  if (spec === undefined) return [required("spec.containers")]
  return [
    ...validatePodSpec(spec, pod.metadata.name ?? ""),
    ...validateTokens("spec", spec),
    ...((spec.ephemeralContainers ?? []).length > 0 ? [forbidden("spec.ephemeralContainers", "cannot be set on create")] : []),
    ...((spec.nodeName ?? "") !== "" && (spec.schedulingGates ?? []).length > 0
      ? [forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")]
      : [])
  ]
}
