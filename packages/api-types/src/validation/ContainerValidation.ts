/** Rules of containers: app containers, init containers and ephemeral containers. */
import { all, among, at, duplicate, each, forbidden, invalid, invalidEach, none, notFound, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { keysOf, oneOf, optionalName, repeats, requiredName } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { isSidecar } from "../PodResources.js"
import { validateVolumeDevices, validateVolumeMounts } from "./MountValidation.js"
import { validateProbes } from "./ProbeValidation.js"
import { validateEnv, validateEnvFrom } from "./ReferenceValidation.js"
import { validateContainerResources } from "./ResourceValidation.js"
import { validateRestarts } from "./RestartValidation.js"
import { validateSecurityContext } from "./SecurityValidation.js"

/** What the rules of a container need to know about its pod. @category models */
export interface PodContext {
  readonly spec: CoreV1.PodSpec
  /** Well-formed volumes by name. */
  readonly volumes: ReadonlyMap<string, CoreV1.Volume>
}

const protocols = ["SCTP", "TCP", "UDP"]
const messagePolicies = ["File", "FallbackToLogsOnError"]
const pullPolicies = ["Always", "IfNotPresent", "Never"]
const resizeResources = ["cpu", "memory"]
const resizeRestarts = ["NotRequired", "RestartContainer"]

const portNumber = (path: string, port: number): Errors => invalidEach(path, port, Names.isPortNumber(port))

interface Named {
  readonly name: string
}

const givenName = ({ name }: Named): string | undefined => (name === "" ? undefined : name)

/** Names that another container has; `others` are names in other lists. */
const validateUnique = (containers: ReadonlyArray<Named>, others?: ReadonlySet<string>): Errors => {
  const repeated = repeats(containers, givenName, others)
  return repeated.size === 0 ? none : each(containers, ({ name }, index) => (repeated.has(index) ? [duplicate(".name", name)] : none))
}

const validPortName = ({ name = "" }: CoreV1.ContainerPort): string | undefined =>
  name !== "" && Names.isPortName(name).length === 0 ? name : undefined

const validatePort = ({ containerPort, hostPort = 0, name, protocol }: CoreV1.ContainerPort): Errors =>
  all(
    optionalName(".name", name, Names.isPortName),
    containerPort === 0 ? [required(".containerPort")] : portNumber(".containerPort", containerPort),
    hostPort === 0 ? none : portNumber(".hostPort", hostPort),
    oneOf(".protocol", protocol, protocols)
  )

const validatePorts = (ports: ReadonlyArray<CoreV1.ContainerPort> | undefined): Errors => {
  const repeated = repeats(ports, validPortName)
  return all(
    each(ports, validatePort),
    repeated.size === 0 ? none : each(ports, ({ name }, index) => (repeated.has(index) ? [duplicate(".name", name)] : none))
  )
}

/** Two containers that run at the same time cannot share a port of the host. */
const validateHostPorts = (containers: ReadonlyArray<CoreV1.Container>): Errors => {
  let seen: Set<string> | undefined
  return each(containers, ({ ports }) =>
    at(
      ".ports",
      each(ports, ({ hostIP = "", hostPort = 0, protocol = "" }) => {
        if (hostPort === 0) return none
        const key = `${protocol}/${hostIP}/${hostPort}`
        seen ??= new Set()
        if (seen.has(key)) return [duplicate(".hostPort", key)]
        seen.add(key)
        return none
      })
    )
  )
}

const validateResizePolicy = (policies: ReadonlyArray<CoreV1.ContainerResizePolicy> | undefined, podPolicy: string | undefined): Errors => {
  if (policies === undefined) return none
  const repeated = repeats(policies, ({ resourceName }) => resourceName)
  return among(policies, ({ resourceName, restartPolicy }, index) =>
    all(
      repeated.has(index) ? [duplicate(`[${index}]`, resourceName)] : none,
      oneOf("", resourceName, resizeResources),
      oneOf("", restartPolicy, resizeRestarts),
      podPolicy === "Never" && restartPolicy !== "NotRequired"
        ? [invalid("", restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'")]
        : none
    )
  )
}

const validateCommon = (container: CoreV1.Container, { spec, volumes }: PodContext): Errors => {
  const image = container.image ?? ""
  return all(
    requiredName(".name", container.name, Names.isDns1123Label),
    image === "" ? [required(".image")] : none,
    image.trim() === image ? none : [invalid(".image", image, "must not have leading or trailing whitespace")],
    oneOf(".terminationMessagePolicy", container.terminationMessagePolicy, messagePolicies),
    at(".ports", validatePorts(container.ports)),
    at(".env", validateEnv(container.env, volumes)),
    at(".envFrom", validateEnvFrom(container.envFrom)),
    at(".volumeMounts", validateVolumeMounts(container, volumes)),
    at(".volumeDevices", validateVolumeDevices(container, volumes)),
    oneOf(".imagePullPolicy", container.imagePullPolicy, pullPolicies),
    validateContainerResources(".resources", container.resources, spec.resourceClaims),
    at(".resizePolicy", validateResizePolicy(container.resizePolicy, spec.restartPolicy)),
    validateSecurityContext(".securityContext", container.securityContext, spec.hostUsers !== false)
  )
}

/** The app containers; there must be one at least. @category combinators */
export const validateContainers = (pod: PodContext): Errors => {
  const containers = pod.spec.containers
  if (containers.length === 0) return [required("")]
  return all(
    each(containers, (container) =>
      all(
        validateCommon(container, pod),
        validateProbes(container, pod.spec.terminationGracePeriodSeconds),
        validateRestarts(container)
      )
    ),
    validateUnique(containers),
    validateHostPorts(containers)
  )
}

const onlyForRunning = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const

// An init container ends before the pod serves, so nothing about a running container applies to it.
const validateOrdinaryInit = (container: CoreV1.Container): Errors =>
  among(onlyForRunning, (field) =>
    container[field] === undefined ? none : [forbidden(`.${field}`, "may not be set for init containers without restartPolicy=Always")]
  )

/** The init containers, sidecars among them. @category combinators */
export const validateInitContainers = (pod: PodContext): Errors => {
  const containers = pod.spec.initContainers
  if (containers === undefined || containers.length === 0) return none
  return all(
    among(containers, (container, index) =>
      all(
        at(index, validateCommon(container, pod)),
        at(index, validateRestarts(container)),
        validateHostPorts([container]),
        at(
          index,
          isSidecar(container) ? validateProbes(container, pod.spec.terminationGracePeriodSeconds) : validateOrdinaryInit(container)
        )
      )
    ),
    validateUnique(containers, keysOf(pod.spec.containers, givenName))
  )
}

const forbiddenForEphemeral = [
  "ports",
  "resources",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle"
] as const

const notForEphemeral = "cannot be set for an Ephemeral Container"

const validateWholeMount = ({ subPath = "", subPathExpr = "" }: CoreV1.VolumeMount): Errors =>
  all(
    subPath === "" ? none : [forbidden(".subPath", notForEphemeral)],
    subPathExpr === "" ? none : [forbidden(".subPathExpr", notForEphemeral)]
  )

/** Containers added to a running pod for debugging. @category combinators */
export const validateEphemeralContainers = (pod: PodContext): Errors => {
  const { containers: apps, ephemeralContainers: containers, initContainers = [] } = pod.spec
  if (containers === undefined || containers.length === 0) return none
  const others = keysOf([...apps, ...initContainers], givenName)
  return all(
    each(containers, (container) => {
      const target = container.targetContainerName ?? ""
      return all(
        validateCommon(container, pod),
        target === "" || others.has(target) ? none : [notFound(".targetContainerName", target)],
        among(forbiddenForEphemeral, (field) => (semanticEqual(container[field], undefined) ? none : [forbidden(`.${field}`, notForEphemeral)])),
        at(".volumeMounts", each(container.volumeMounts, validateWholeMount))
      )
    }),
    validateUnique(containers, others)
  )
}

/** In the network of the host, each port of a container is that port of the host. @category combinators */
export const validateHostNetworkPorts = (spec: CoreV1.PodSpec): Errors =>
  spec.hostNetwork !== true
    ? none
    : each(spec.containers, ({ ports }) =>
        at(
          ".ports",
          each(ports, ({ containerPort, hostPort = 0 }) =>
            hostPort === containerPort ? none : [invalid(".hostPort", hostPort, "must match `containerPort` when `hostNetwork` is true")]
          )
        )
      )
