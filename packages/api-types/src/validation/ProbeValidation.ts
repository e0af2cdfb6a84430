/** Rules of probes and lifecycle handlers. */
import { all, among, at, forbidden, invalid, none, notSupported, required } from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, nonNegative, notPositive, portNumberOrName, present } from "../internal/fieldRules.js"
import * as Names from "../Names.js"

type Handler = CoreV1.ProbeHandler & CoreV1.LifecycleHandler

const schemes = ["HTTP", "HTTPS"]

const validateHttpGet = (action: CoreV1.HTTPGetAction): Errors =>
  all(
    present(".path", action.path),
    portNumberOrName(".port", action.port),
    schemes.includes(action.scheme ?? "") ? none : [notSupported(".scheme", action.scheme ?? "", schemes)],
    among(action.httpHeaders, ({ name }) => named(".httpHeaders", name, Names.isHttpHeaderName))
  )

const validateSleep = ({ seconds }: CoreV1.SleepAction, grace: number | undefined): Errors =>
  grace !== undefined && (seconds < 0 || seconds > grace)
    ? [invalid("", seconds, `must be non-negative and less than terminationGracePeriodSeconds (${grace})`)]
    : none

type HandlerRule = (handler: Handler, grace: number | undefined) => Errors | undefined

/** The ways of asking or acting in the order in which they are checked: the second one found is one too many. */
const handlerRules: ReadonlyArray<readonly [field: string, check: HandlerRule]> = [
  [".exec", ({ exec }) => exec && ((exec.command ?? []).length === 0 ? [required(".command")] : none)],
  [".httpGet", ({ httpGet }) => httpGet && validateHttpGet(httpGet)],
  [".tcpSocket", ({ tcpSocket }) => tcpSocket && portNumberOrName(".port", tcpSocket.port)],
  [".grpc", ({ grpc }) => grpc && portNumberOrName(".port", grpc.port)],
  [".sleep", ({ sleep }, grace) => sleep && validateSleep(sleep, grace)]
]

/** Exactly one way of asking or acting, and that one well-formed. */
const validateHandler = (handler: Handler, grace?: number): Errors => {
  let count = 0
  const errors = among(handlerRules, ([field, check]) => {
    const found = check(handler, grace)
    if (found === undefined) return none
    return ++count > 1 ? [forbidden(field, "may not specify more than 1 handler type")] : at(field, found)
  })
  return count === 0 ? [required("", "must specify a handler type")] : errors
}

const validateProbe = (probe: CoreV1.Probe): Errors =>
  all(
    validateHandler(probe),
    nonNegative(".initialDelaySeconds", probe.initialDelaySeconds),
    nonNegative(".timeoutSeconds", probe.timeoutSeconds),
    nonNegative(".periodSeconds", probe.periodSeconds),
    nonNegative(".successThreshold", probe.successThreshold),
    nonNegative(".failureThreshold", probe.failureThreshold),
    probe.terminationGracePeriodSeconds !== undefined && probe.terminationGracePeriodSeconds <= 0
      ? [invalid(".terminationGracePeriodSeconds", probe.terminationGracePeriodSeconds, notPositive)]
      : none
  )

// These probes end a container or let it begin, so one success must be enough.
const validateSingleSuccess = (probe: CoreV1.Probe | undefined): Errors =>
  probe === undefined
    ? none
    : all(validateProbe(probe), probe.successThreshold === 1 ? none : [invalid(".successThreshold", probe.successThreshold ?? 0, "must be 1")])

const validateReadiness = (probe: CoreV1.Probe | undefined): Errors =>
  probe === undefined
    ? none
    : all(
        validateProbe(probe),
        probe.terminationGracePeriodSeconds === undefined
          ? none
          : [invalid(".terminationGracePeriodSeconds", probe.terminationGracePeriodSeconds, "must not be set for readinessProbes")]
      )

const validateLifecycle = ({ postStart, preStop }: CoreV1.Lifecycle, grace: number | undefined): Errors =>
  all(
    postStart === undefined ? none : at(".postStart", validateHandler(postStart, grace)),
    preStop === undefined ? none : at(".preStop", validateHandler(preStop, grace))
  )

/** The probes and handlers of a container that runs as long as its pod. @category combinators */
export const validateProbes = (container: CoreV1.Container, grace: number | undefined): Errors =>
  all(
    container.lifecycle === undefined ? none : at(".lifecycle", validateLifecycle(container.lifecycle, grace)),
    at(".livenessProbe", validateSingleSuccess(container.livenessProbe)),
    at(".readinessProbe", validateReadiness(container.readinessProbe)),
    at(".startupProbe", validateSingleSuccess(container.startupProbe))
  )
