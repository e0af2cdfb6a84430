/** Rules of containers: app containers, init containers and ephemeral containers. */
import { duplicate, forbidden, invalid, notFound, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { oneOf, optionalName, optionalOneOf, requiredName, uniqueNames } from "../internal/fieldRules.js"
import { semanticEqual } from "../internal/structure.js"
import * as Names from "../Names.js"
import { isSidecar } from "../PodResources.js"
import { validateVolumeDevices, validateVolumeMounts } from "./MountValidation.js"
import { validateProbes } from "./ProbeValidation.js"
import { validateEnv, validateEnvFrom } from "./ReferenceValidation.js"
import { validateContainerResources } from "./ResourceValidation.js"
import { validateSecurityContext } from "./SecurityValidation.js"

/** What the rules of a container need to know about its pod. @category models */
export interface PodContext {
  readonly spec: CoreV1.PodSpec
  /** Well-formed volumes by name. */
  readonly volumes: ReadonlyMap<string, CoreV1.Volume>
  /** Names in `spec.resourceClaims`. */
  readonly claims: ReadonlyArray<string>
}

const protocols = ["SCTP", "TCP", "UDP"]

const portNumber = (path: string, port: number): Errors => Names.isPortNumber(port).map((problem) => invalid(path, port, problem))

const validatePorts = (path: string, ports: ReadonlyArray<CoreV1.ContainerPort>): Errors => [
  ...ports.flatMap(({ containerPort, hostPort = 0, name, protocol }, index) => [
    ...optionalName(`${path}[${index}].name`, name, Names.isPortName),
    ...(containerPort === 0 ? [required(`${path}[${index}].containerPort`)] : portNumber(`${path}[${index}].containerPort`, containerPort)),
    ...(hostPort === 0 ? [] : portNumber(`${path}[${index}].hostPort`, hostPort)),
    ...oneOf(`${path}[${index}].protocol`, protocol, protocols)
  ]),
  ...uniqueNames(
    ports.map(({ name = "" }) => (Names.isPortName(name).length === 0 ? name : "")),
    (index) => `${path}[${index}].name`,
    duplicate
  )
]

/** Two containers that run at the same time cannot share a port of the host. */
const validateHostPorts = (path: string, containers: ReadonlyArray<CoreV1.Container>): Errors => {
  const seen = new Set<string>()
  return containers.flatMap(({ ports = [] }, index) =>
    ports.flatMap(({ hostIP = "", hostPort = 0, protocol = "" }, port) => {
      if (hostPort === 0) return []
      const key = `${protocol}/${hostIP}/${hostPort}`
      if (seen.has(key)) return [duplicate(`${path}[${index}].ports[${port}].hostPort`, key)]
      seen.add(key)
      return []
    })
  )
}

const validateResizePolicy = (path: string, policies: ReadonlyArray<CoreV1.ContainerResizePolicy>, podPolicy: string): Errors => {
  const seen = new Set<string>()
  return policies.flatMap(({ resourceName, restartPolicy }, index) => {
    const repeated = seen.has(resourceName)
    seen.add(resourceName)
    return [
      ...(repeated ? [duplicate(`${path}[${index}]`, resourceName)] : []),
      ...oneOf(path, resourceName, ["cpu", "memory"]),
      ...oneOf(path, restartPolicy, ["NotRequired", "RestartContainer"]),
      ...(podPolicy === "Never" && restartPolicy !== "NotRequired"
        ? [invalid(path, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'")]
        : [])
    ]
  })
}

const validateCommon = (path: string, container: CoreV1.Container, { claims, spec, volumes }: PodContext): Errors => {
  const image = container.image ?? ""
  return [
    ...requiredName(`${path}.name`, container.name, Names.isDns1123Label),
    ...(image === "" ? [required(`${path}.image`)] : []),
    ...(image.trim() === image ? [] : [invalid(`${path}.image`, image, "must not have leading or trailing whitespace")]),
    ...oneOf(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, ["File", "FallbackToLogsOnError"]),
    ...validatePorts(`${path}.ports`, container.ports ?? []),
    ...validateEnv(`${path}.env`, container.env ?? []),
    ...validateEnvFrom(`${path}.envFrom`, container.envFrom ?? []),
    ...validateVolumeMounts(`${path}.volumeMounts`, container, volumes),
    ...validateVolumeDevices(`${path}.volumeDevices`, container, volumes),
    ...oneOf(`${path}.imagePullPolicy`, container.imagePullPolicy, ["Always", "IfNotPresent", "Never"]),
    ...validateContainerResources(`${path}.resources`, container.resources, claims),
    ...validateResizePolicy(`${path}.resizePolicy`, container.resizePolicy ?? [], spec.restartPolicy ?? ""),
    ...validateSecurityContext(`${path}.securityContext`, container.securityContext, spec.hostUsers !== false)
  ]
}

/** The app containers; there must be one at least. @category combinators */
export const validateContainers = (path: string, pod: PodContext): Errors => {
  const containers = pod.spec.containers
  if (containers.length === 0) return [required(path)]
  return [
    ...containers.flatMap((container, index) => [
      ...validateCommon(`${path}[${index}]`, container, pod),
      ...validateProbes(`${path}[${index}]`, container, pod.spec.terminationGracePeriodSeconds),
      ...(container.restartPolicy === undefined
        ? []
        : [forbidden(`${path}[${index}].restartPolicy`, "may not be set for non-init containers")])
    ]),
    ...uniqueNames(containers.map(({ name }) => name), (index) => `${path}[${index}].name`, duplicate),
    ...validateHostPorts(path, containers)
  ]
}

// An init container ends before the pod serves, so nothing about a running container applies to it.
const validateOrdinaryInit = (path: string, container: CoreV1.Container): Errors =>
  (["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const).flatMap((field) =>
    container[field] === undefined ? [] : [forbidden(`${path}.${field}`, "may not be set for init containers without restartPolicy=Always")]
  )

/** The init containers, sidecars among them. @category combinators */
export const validateInitContainers = (path: string, pod: PodContext): Errors => {
  const containers = pod.spec.initContainers ?? []
  const apps = new Set(pod.spec.containers.map(({ name }) => name))
  return [
    ...containers.flatMap((container, index) => [
      ...validateCommon(`${path}[${index}]`, container, pod),
      ...optionalOneOf(`${path}[${index}].restartPolicy`, container.restartPolicy, ["Always"]),
      ...validateHostPorts(path, [container]),
      ...(isSidecar(container)
        ? validateProbes(`${path}[${index}]`, container, pod.spec.terminationGracePeriodSeconds)
        : validateOrdinaryInit(`${path}[${index}]`, container))
    ]),
    ...uniqueNames([...apps, ...containers.map(({ name }) => name)], (index) => `${path}[${index - apps.size}].name`, duplicate)
  ]
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

/** Containers added to a running pod for debugging. @category combinators */
export const validateEphemeralContainers = (path: string, pod: PodContext): Errors => {
  const containers = pod.spec.ephemeralContainers ?? []
  const others = new Set([...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map(({ name }) => name))
  const notForEphemeral = "cannot be set for an Ephemeral Container"
  return [
    ...containers.flatMap((container, index) => {
      const at = `${path}[${index}]`
      const target = container.targetContainerName ?? ""
      return [
        ...validateCommon(at, container, pod),
        ...(target === "" || others.has(target) ? [] : [notFound(`${at}.targetContainerName`, target)]),
        ...forbiddenForEphemeral.flatMap((field) => (semanticEqual(container[field], undefined) ? [] : [forbidden(`${at}.${field}`, notForEphemeral)])),
        ...(container.volumeMounts ?? []).flatMap(({ subPath = "", subPathExpr = "" }, mount) => [
          ...(subPath === "" ? [] : [forbidden(`${at}.volumeMounts[${mount}].subPath`, notForEphemeral)]),
          ...(subPathExpr === "" ? [] : [forbidden(`${at}.volumeMounts[${mount}].subPathExpr`, notForEphemeral)])
        ])
      ]
    }),
    ...uniqueNames([...others, ...containers.map(({ name }) => name)], (index) => `${path}[${index - others.size}].name`, duplicate)
  ]
}

/** In the network of the host, each port of a container is that port of the host. @category combinators */
export const validateHostNetworkPorts = (path: string, spec: CoreV1.PodSpec): Errors =>
  spec.hostNetwork !== true
    ? []
    : spec.containers.flatMap(({ ports = [] }, index) =>
        ports.flatMap(({ containerPort, hostPort = 0 }, port) =>
          hostPort === containerPort
            ? []
            : [invalid(`${path}[${index}].ports[${port}].hostPort`, hostPort, "must match `containerPort` when `hostNetwork` is true")]
        )
      )

/** What becomes of containers that end. @category combinators */
export const validateRestartPolicy = (path: string, policy: string | undefined): Errors => {
  const policies = ["Always", "OnFailure", "Never"]
  if (policy === undefined || policy === "") return [required(path)]
  return policies.includes(policy) ? [] : [notSupported(path, policy, policies)]
}
