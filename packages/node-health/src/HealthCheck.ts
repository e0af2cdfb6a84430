/** One named check: the unit that balancers select, that is cached, and that others add to this package. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { Observation, OnUnknown } from "./Observation.js"

/**
 * A check. Looking never fails: what goes wrong is part of what was observed.
 *
 * @category models
 */
export interface HealthCheck {
  readonly name: string
  /** Longest look; then the observation is `unknown` with reason `timeout after <n> ms`. */
  readonly timeout: Duration.Duration
  /** How long an observation is good for; zero switches the cache off. */
  readonly cacheTtl: Duration.Duration
  readonly onUnknown: OnUnknown
  /** Whether it means nothing without the name of the node: selecting it then answers 500. */
  readonly needsNodeName: boolean
  readonly observe: Effect.Effect<Observation>
}

/** What operators can set of every check. @category models */
export interface Tuning {
  readonly timeout?: Duration.Duration
  readonly cacheTtl?: Duration.Duration
  readonly onUnknown?: OnUnknown
  readonly enabled?: boolean
}

/** Defaults of one check, before tuning. @category models */
export interface Defaults {
  readonly name: string
  readonly timeout: Duration.Duration
  readonly cacheTtl: Duration.Duration
  readonly onUnknown: OnUnknown
  readonly needsNodeName?: boolean
}

/**
 * A check from its defaults, what the operator set, and how to look. `look` gets the time limit that is in force.
 *
 * @category constructors
 */
export const make = (defaults: Defaults, tuning: Tuning | undefined, look: (timeout: Duration.Duration) => Effect.Effect<Observation>): HealthCheck => {
  const timeout = tuning?.timeout ?? defaults.timeout
  return {
    name: defaults.name,
    timeout,
    cacheTtl: tuning?.cacheTtl ?? defaults.cacheTtl,
    onUnknown: tuning?.onUnknown ?? defaults.onUnknown,
    needsNodeName: defaults.needsNodeName ?? false,
    observe: look(timeout)
  }
}
