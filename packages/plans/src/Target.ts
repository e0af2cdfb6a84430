/** What is wanted of a zone, as a plan aims at it. Pure. */
import * as canonicalJson from "./internal/canonicalJson.js"
import type { Observation } from "./Observation.js"
import type { Digests, PlanTarget, PlanType } from "./Plan.js"
import type { ZoneInstance } from "./ZoneInstance.js"

/** Wanted digests by container, as far as they are known. @category combinators */
export const digests = (instance: ZoneInstance, observation: Observation): Digests => {
  const resolved = observation.resolved.known ? observation.resolved.value : {}
  const found: Record<string, string> = {}
  for (const { digest, name } of instance.spec.containers) {
    const wanted = digest ?? resolved[name]
    if (wanted !== undefined) found[name] = wanted
  }
  return found
}

/** @category combinators */
export const powerState = (instance: ZoneInstance): "Running" | "Stopped" => instance.spec.powerState ?? "Running"

/** @category constructors */
export const wanted = (instance: ZoneInstance, observation: Observation): PlanTarget => {
  const { caps, gates, specHash } = instance.spec
  return {
    specHash,
    digests: digests(instance, observation),
    ...(caps === undefined ? {} : { caps }),
    ...(gates === undefined ? {} : { gates }),
    powerState: powerState(instance)
  }
}

/**
 * Whether a plan of this type still aims at what is wanted. A digest that is not known on one side does not differ; a rollback aims at the
 * digests of before, whatever is wanted.
 *
 * @category combinators
 */
export const isSame = (type: PlanType, target: PlanTarget, now: PlanTarget): boolean =>
  target.specHash === now.specHash &&
  (target.powerState ?? "Running") === (now.powerState ?? "Running") &&
  canonicalJson.same(target.caps, now.caps) &&
  canonicalJson.same(target.gates, now.gates) &&
  (type === "rollback" || Object.entries(target.digests).every(([name, digest]) => (now.digests[name] ?? digest) === digest))

/** What a back-off is for: anything else that is wanted ends it. @category combinators */
export const key = ({ spec }: ZoneInstance): string =>
  canonicalJson.shortHash([spec.specHash, spec.containers, spec.caps, spec.gates, spec.powerState ?? "Running"])
