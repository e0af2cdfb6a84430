/** Whether the configuration of a pod that runs is what it was given: its environment, and the stored configuration of its zone. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ApiClient, ClientError } from "@reddwarf/client"
import { Observation, type ZoneInstance } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as EnvironmentSources from "../container/EnvironmentSources.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import * as PodSources from "../volume/PodSources.js"
import type { PodTokens } from "../volume/PodTokens.js"

/** Annotation of a pod by which containers are started anew when what their environment is taken from changes. @category models */
export const annotation = "reddwarf.io/config-updates"

/** Whether that is asked for: by the update policy of the zone's instance, else by the annotation of its pod. @category combinators */
export const applies = (pod: CoreV1.Pod, { spec }: ZoneInstance.ZoneInstance): boolean =>
  (spec.updatePolicy?.config ?? pod.metadata.annotations?.[annotation]) === "Apply"

/** @category models */
export interface Services {
  readonly client: Pick<ApiClient.Service, "get" | "list">
  readonly tokens: Pick<PodTokens, "obtain">
  /** What is remembered of ConfigMaps and Secrets. */
  readonly remembered: PodSources.Reader
  readonly sandbox: Pick<PodSandbox.PodSandbox["Type"], "configurationFaults">
}

/**
 * The hashes of what the containers of a pod were started with: one that was started again later than others has what was known by then. None where
 * an agent before this one has not told.
 */
const startedWith = (pod: CoreV1.Pod, { spec, state }: SupervisorClient.SupervisedPod): ReadonlyArray<string> => {
  const { environment, generation } = spec
  if (environment === undefined) return []
  const states = Option.match(state, { onNone: () => [], onSome: ({ containers }) => containers })
  const lasting = new Set(EnvironmentSources.only(pod).spec?.containers.map(({ name }) => name))
  const begun = states.filter(({ attempt, name, phase }) => lasting.has(name) && attempt >= 0 && phase !== "finished")
  const found = begun.map(({ startedWith }) => startedWith !== undefined && startedWith.generation === generation ? startedWith.environment : environment)
  return found.length === 0 ? [environment] : found
}

/** Looks at the configuration of a pod whose zone runs. @category models */
export type ConfigLook = (
  pod: CoreV1.Pod,
  instance: ZoneInstance.ZoneInstance,
  /** What the supervisor was given, and what it has started. */
  handed: SupervisorClient.SupervisedPod | undefined
) => Effect.Effect<Observation.Fact<Observation.ConfigFact>>

/** @category constructors */
export const make = ({ client, remembered, sandbox, tokens }: Services): ConfigLook => {
  const hashOf = (pod: CoreV1.Pod, reader: PodSources.Reader | undefined): Effect.Effect<string, ClientError.ClientError> =>
    Effect.map(PodSources.read(client, tokens, EnvironmentSources.only(pod), reader), (sources) => EnvironmentSources.hashOf(pod, sources))

  /** What is remembered may be older than what the containers were started with: a difference counts when the API tells it now. */
  const environment = (pod: CoreV1.Pod, running: ReadonlyArray<string>) =>
    Effect.map(
      Effect.flatMap(hashOf(pod, remembered), (wanted) => running.every((one) => one === wanted) ? Effect.succeed(wanted) : hashOf(pod, undefined)),
      (wanted) => ({ wanted, current: running.find((one) => one !== wanted) ?? wanted })
    )

  return (pod, instance, handed) =>
    Effect.gen(function*() {
      const apply = applies(pod, instance)
      const faults = yield* Effect.either(sandbox.configurationFaults(PodSandbox.identityOf(pod)))
      // One plan mends both: it is not made before both are known.
      if (Either.isRight(faults) && faults.right === undefined) return Observation.unknown("the stored configuration of the zone was not looked at yet")
      const zone = Either.isRight(faults) && faults.right !== undefined ? { changed: faults.right.differences, booted: faults.right.booted } : {}
      const running = apply && handed !== undefined && EnvironmentSources.concerns(pod) ? startedWith(pod, handed) : []
      const compared = running.length === 0 ? undefined : yield* Effect.either(environment(pod, running))
      // What cannot be read is no difference, and no reason not to see the other one.
      const seen = compared !== undefined && Either.isRight(compared) ? compared.right : { current: "", wanted: "" }
      return Either.isLeft(faults) && (compared === undefined || Either.isLeft(compared))
        ? Observation.unknown(faults.left.message)
        : Observation.known({ ...seen, apply, ...zone })
    })
}
