/** Rules of a pod. */
import { all, at, duplicate, each, forbidden, invalid, none, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { address, named, oneOf, optionalName, optionalOneOf, present, repeats, requiredName } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import {
  validateContainers,
  validateEphemeralContainers,
  validateHostNetworkPorts,
  validateInitContainers
} from "./ContainerValidation.js"
import { validateLabels } from "./MetadataValidation.js"
import { validateOverhead, validatePodResources } from "./ResourceValidation.js"
import { validateAffinity, validateSchedulingGates, validateTolerations, validateTopologySpread } from "./SchedulingValidation.js"
import { validatePodSecurityContext } from "./SecurityValidation.js"
import { validateVolumes } from "./VolumeValidation.js"

const dnsPolicies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"]
const restartPolicies = ["Always", "OnFailure", "Never"]
const preemptionPolicies = ["PreemptLowerPriority", "Never"]
const systems = ["linux", "windows"]

const validateDnsConfig = ({ dnsConfig: config, dnsPolicy }: CoreV1.PodSpec): Errors => {
  if (config === undefined) return dnsPolicy === "None" ? [required("", "must provide `dnsConfig` when `dnsPolicy` is None")] : none
  const { nameservers = [], options, searches = [] } = config
  if (dnsPolicy === "None" && nameservers.length === 0) {
    return [required(".nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None")]
  }
  return all(
    nameservers.length > 3 ? [invalid(".nameservers", nameservers, "must not have more than 3 nameservers")] : none,
    at(".nameservers", each(nameservers, (server) => address("", server))),
    searches.length > 32 ? [invalid(".searches", searches, "must not have more than 32 search paths")] : none,
    searches.join(" ").length > 2048
      ? [invalid(".searches", searches, "must not have more than 2048 characters (including spaces) in the search list")]
      : none,
    at(
      ".searches",
      each(searches, (search) => (search === "." ? none : named("", search.replace(/\.$/, ""), Names.isDns1123SubdomainWithUnderscore)))
    ),
    at(".options", each(options, ({ name = "" }) => present("", name, "must not be empty")))
  )
}

const validateResourceClaims = (claims: ReadonlyArray<CoreV1.PodResourceClaim> | undefined): Errors => {
  if (claims === undefined) return none
  const repeated = repeats(claims, ({ name }) => name)
  return each(claims, (claim, index) => {
    const { name, resourceClaimName, resourceClaimTemplateName } = claim
    return all(
      name !== "" && repeated.has(index) ? [duplicate(".name", name)] : requiredName(".name", name, Names.isDns1123Label),
      resourceClaimName !== undefined && resourceClaimTemplateName !== undefined
        ? [invalid("", claim, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified")]
        : resourceClaimName === undefined && resourceClaimTemplateName === undefined
          ? [invalid("", claim, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`")]
          : none,
      resourceClaimName === undefined ? none : named(".resourceClaimName", resourceClaimName, Names.isDns1123Subdomain),
      resourceClaimTemplateName === undefined
        ? none
        : named(".resourceClaimTemplateName", resourceClaimTemplateName, Names.isDns1123Subdomain)
    )
  })
}

const notShared = (path: string, shared: boolean | undefined): Errors =>
  shared === true ? [forbidden(path, "when `pod.Spec.HostUsers` is false")] : none

// A pod with users of its own cannot share other namespaces of the host.
const validateHostUsers = (spec: CoreV1.PodSpec): Errors =>
  spec.hostUsers !== false
    ? none
    : all(notShared(".hostNetwork", spec.hostNetwork), notShared(".HostPID", spec.hostPID), notShared(".HostIPC", spec.hostIPC))

const validateNoToken = ({ serviceAccountToken }: CoreV1.VolumeProjection): Errors =>
  serviceAccountToken === undefined ? none : [forbidden(".serviceAccountToken", "must not be specified when serviceAccountName is not set")]

// Templates may leave the account out: it is filled in when a pod is made of them.
const validateTokens = (spec: CoreV1.PodSpec): Errors =>
  (spec.serviceAccountName ?? "") !== ""
    ? none
    : at(".volumes", each(spec.volumes, ({ projected }) => at(".projected.sources", each(projected?.sources, validateNoToken))))

const maximumSeconds = 2_147_483_647

const validateDeadline = (path: string, seconds: number | undefined): Errors =>
  seconds !== undefined && (seconds < 1 || seconds > maximumSeconds) ? [invalid(path, seconds, Names.rangeProblem(1, maximumSeconds))] : none

const validateOs = (path: string, os: CoreV1.PodOS | undefined): Errors => {
  if (os === undefined) return none
  if (os.name === "") return [required(`${path}.name`, "cannot be empty")]
  return optionalOneOf(path, os.name, systems)
}

const validatePlacement = (spec: CoreV1.PodSpec): Errors =>
  all(
    validateLabels(spec.nodeSelector, ".nodeSelector"),
    validateAffinity(".affinity", spec.affinity),
    at(".schedulingGates", validateSchedulingGates(spec.schedulingGates)),
    at(".topologySpreadConstraints", validateTopologySpread(spec.topologySpreadConstraints)),
    optionalName(".nodeName", spec.nodeName, Names.isDns1123Subdomain),
    validateTolerations(".tolerations", spec.tolerations),
    optionalName(".priorityClassName", spec.priorityClassName, Names.isDns1123Subdomain),
    spec.preemptionPolicy === undefined ? none : oneOf(".preemptionPolicy", spec.preemptionPolicy, preemptionPolicies)
  )

const validateHostAlias = ({ hostnames, ip }: CoreV1.HostAlias): Errors =>
  all(address(".ip", ip), at(".hostnames", each(hostnames, (hostname) => named("", hostname, Names.isDns1123Subdomain))))

const validateIdentity = (spec: CoreV1.PodSpec): Errors =>
  all(
    optionalName(".serviceAccountName", spec.serviceAccountName, Names.isDns1123Subdomain),
    optionalName(".hostname", spec.hostname, Names.isDns1123Label),
    optionalName(".subdomain", spec.subdomain, Names.isDns1123Label),
    at(".hostAliases", each(spec.hostAliases, validateHostAlias)),
    spec.runtimeClassName === undefined ? none : named(".runtimeClassName", spec.runtimeClassName, Names.isDns1123Subdomain)
  )

const validateReadinessGate = ({ conditionType }: CoreV1.PodReadinessGate): Errors =>
  named(".conditionType", conditionType, Names.isQualifiedName)

/** The rules of a spec, the same for new and for changed pods. @category combinators */
export const validatePodSpec = (spec: CoreV1.PodSpec, podName: string, path = "spec"): Errors => {
  const volumes = validateVolumes(spec.volumes, podName)
  const context = { spec, volumes: volumes.valid }
  return at(
    path,
    all(
      spec.terminationGracePeriodSeconds === undefined ? [required(".terminationGracePeriodSeconds")] : none,
      at(".volumes", volumes.errors),
      at(".resourceClaims", validateResourceClaims(spec.resourceClaims)),
      at(".containers", validateContainers(context)),
      at(".initContainers", validateInitContainers(context)),
      at(".ephemeralContainers", validateEphemeralContainers(context)),
      at(".resources", validatePodResources(spec)),
      at(".containers", validateHostNetworkPorts(spec)),
      oneOf(".restartPolicy", spec.restartPolicy, restartPolicies),
      oneOf(".dnsPolicy", spec.dnsPolicy, dnsPolicies),
      validatePodSecurityContext(".securityContext", spec),
      validatePlacement(spec),
      at(".dnsConfig", validateDnsConfig(spec)),
      at(".readinessGates", each(spec.readinessGates, validateReadinessGate)),
      validateHostUsers(spec),
      validateDeadline(".activeDeadlineSeconds", spec.activeDeadlineSeconds),
      validateIdentity(spec),
      validateOverhead(".overhead", spec.overhead),
      validateOs(".os", spec.os)
    )
  )
}

const has = (items: ReadonlyArray<unknown> | undefined): boolean => items !== undefined && items.length > 0

/** The rules of a new pod. @category combinators */
export const validatePod = (pod: CoreV1.Pod): Errors => {
  const spec = pod.spec
  if (spec === undefined) return [required("spec.containers")]
  return all(
    validatePodSpec(spec, pod.metadata.name ?? ""),
    at("spec", validateTokens(spec)),
    has(spec.ephemeralContainers) ? [forbidden("spec.ephemeralContainers", "cannot be set on create")] : none,
    (spec.nodeName ?? "") !== "" && has(spec.schedulingGates)
      ? [forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared")]
      : none
  )
}
