/** Rules of probes and lifecycle handlers. */
import { forbidden, invalid, invalidEach, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { nonNegative, notPositive, portNumberOrName, present } from "../internal/fieldRules.js"
import * as Names from "../Names.js"

type Handler = CoreV1.ProbeHandler & CoreV1.LifecycleHandler

const schemes = ["HTTP", "HTTPS"]

const validateHttpGet = (path: string, action: CoreV1.HTTPGetAction): Errors => [
  ...present(`${path}.path`, action.path),
  ...portNumberOrName(`${path}.port`, action.port),
  ...(schemes.includes(action.scheme ?? "") ? [] : [notSupported(`${path}.scheme`, action.scheme ?? "", schemes)]),
  ...(action.httpHeaders ?? []).flatMap(({ name }) => invalidEach(`${path}.httpHeaders`, name, Names.isHttpHeaderName(name)))
]

const validateSleep = (path: string, { seconds }: CoreV1.SleepAction, grace: number | undefined): Errors =>
  grace !== undefined && (seconds < 0 || seconds > grace)
    ? [invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`)]
    : []

/** Exactly one way of asking or acting, and that one well-formed. */
const validateHandler = (path: string, handler: Handler, grace: number | undefined): Errors => {
  const { exec, grpc, httpGet, sleep, tcpSocket } = handler
  const kinds: ReadonlyArray<readonly [name: string, errors: Errors | undefined]> = [
    ["exec", exec === undefined ? undefined : (exec.command ?? []).length === 0 ? [required(`${path}.exec.command`)] : []],
    ["httpGet", httpGet === undefined ? undefined : validateHttpGet(`${path}.httpGet`, httpGet)],
    ["tcpSocket", tcpSocket === undefined ? undefined : portNumberOrName(`${path}.tcpSocket.port`, tcpSocket.port)],
    ["grpc", grpc === undefined ? undefined : portNumberOrName(`${path}.grpc.port`, grpc.port)],
    ["sleep", sleep === undefined ? undefined : validateSleep(`${path}.sleep`, sleep, grace)]
  ]
  let count = 0
  const errors = kinds.flatMap(([name, found]) => {
    if (found === undefined) return []
    return ++count > 1 ? [forbidden(`${path}.${name}`, "may not specify more than 1 handler type")] : found
  })
  return count === 0 ? [required(path, "must specify a handler type")] : errors
}

const validateProbe = (path: string, probe: CoreV1.Probe): Errors => [
  ...validateHandler(path, probe, undefined),
  ...nonNegative(`${path}.initialDelaySeconds`, probe.initialDelaySeconds),
  ...nonNegative(`${path}.timeoutSeconds`, probe.timeoutSeconds),
  ...nonNegative(`${path}.periodSeconds`, probe.periodSeconds),
  ...nonNegative(`${path}.successThreshold`, probe.successThreshold),
  ...nonNegative(`${path}.failureThreshold`, probe.failureThreshold),
  ...(probe.terminationGracePeriodSeconds !== undefined && probe.terminationGracePeriodSeconds <= 0
    ? [invalid(`${path}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, notPositive)]
    : [])
]

// These probes end a container or let it begin, so one success must be enough.
const validateSingleSuccess = (path: string, probe: CoreV1.Probe | undefined): Errors =>
  probe === undefined
    ? []
    : [
        ...validateProbe(path, probe),
        ...(probe.successThreshold === 1 ? [] : [invalid(`${path}.successThreshold`, probe.successThreshold ?? 0, "must be 1")])
      ]

const validateReadiness = (path: string, probe: CoreV1.Probe | undefined): Errors =>
  probe === undefined
    ? []
    : [
        ...validateProbe(path, probe),
        ...(probe.terminationGracePeriodSeconds === undefined
          ? []
          : [invalid(`${path}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, "must not be set for readinessProbes")])
      ]

/** The probes and handlers of a container that runs as long as its pod. @category combinators */
export const validateProbes = (path: string, container: CoreV1.Container, grace: number | undefined): Errors => {
  const { postStart, preStop } = container.lifecycle ?? {}
  return [
    ...(postStart === undefined ? [] : validateHandler(`${path}.lifecycle.postStart`, postStart, grace)),
    ...(preStop === undefined ? [] : validateHandler(`${path}.lifecycle.preStop`, preStop, grace)),
    ...validateSingleSuccess(`${path}.livenessProbe`, container.livenessProbe),
    ...validateReadiness(`${path}.readinessProbe`, container.readinessProbe),
    ...validateSingleSuccess(`${path}.startupProbe`, container.startupProbe)
  ]
}
