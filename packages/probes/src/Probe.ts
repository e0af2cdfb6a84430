/** A probe of one container, with its defaults filled in. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as ProbeAction from "./ProbeAction.js"

/**
 * `startup` gates the other two; `liveness` and `startup` decide whether the container is to be restarted, `readiness` whether it is
 * sent requests.
 *
 * @category models
 */
export type ProbeKind = "liveness" | "readiness" | "startup"

/**
 * Times are milliseconds.
 *
 * @category models
 */
export interface Probe {
  readonly kind: ProbeKind
  readonly action: ProbeAction.ProbeAction
  /** Counted from the start of the container. */
  readonly initialDelayMillis: number
  readonly periodMillis: number
  readonly timeoutMillis: number
  /** Attempts in a row that it takes to count as good. */
  readonly successThreshold: number
  /** Attempts in a row that it takes to count as bad. */
  readonly failureThreshold: number
}

const atLeast = (least: number, value: number | undefined, fallback: number): number =>
  value === undefined || value === 0 && least > 0 ? fallback : Math.max(least, value)

/**
 * From the form of the API, with the defaults of the API.
 *
 * @category constructors
 */
export const of = (kind: ProbeKind, spec: CoreV1.Probe, container: CoreV1.Container, podAddress: string): Probe => ({
  kind,
  action: ProbeAction.of(spec, container, podAddress),
  initialDelayMillis: atLeast(0, spec.initialDelaySeconds, 0) * 1000,
  periodMillis: atLeast(1, spec.periodSeconds, 10) * 1000,
  timeoutMillis: atLeast(1, spec.timeoutSeconds, 1) * 1000,
  successThreshold: atLeast(1, spec.successThreshold, 1),
  failureThreshold: atLeast(1, spec.failureThreshold, 3)
})

/**
 * All probes of a container.
 *
 * @category constructors
 */
export const all = (container: CoreV1.Container, podAddress: string): ReadonlyArray<Probe> => {
  const { livenessProbe, readinessProbe, startupProbe } = container
  return [
    ...(startupProbe === undefined ? [] : [of("startup", startupProbe, container, podAddress)]),
    ...(livenessProbe === undefined ? [] : [of("liveness", livenessProbe, container, podAddress)]),
    ...(readinessProbe === undefined ? [] : [of("readiness", readinessProbe, container, podAddress)])
  ]
}

/**
 * Seconds that a container whose liveness or startup probe failed gets to end, where the probe says so; it then comes before that of the
 * pod.
 *
 * @category combinators
 */
export const graceSeconds = (container: CoreV1.Container, kind: ProbeKind): number | undefined =>
  kind === "liveness"
    ? container.livenessProbe?.terminationGracePeriodSeconds
    : kind === "startup"
    ? container.startupProbe?.terminationGracePeriodSeconds
    : undefined
