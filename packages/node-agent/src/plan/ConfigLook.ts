/** Whether the configuration of a pod that runs is what it was given: its environment, and the stored configuration of its zone. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ApiClient, ClientError } from "@reddwarf/client"
import { Observation, type ZoneInstance } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as EnvironmentSources from "../container/EnvironmentSources.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as PodSources from "../volume/PodSources.js"
import type { PodTokens } from "../volume/PodTokens.js"
import * as SourceCache from "../volume/SourceCache.js"

/** Annotation of a pod by which containers are started anew when what their environment is taken from changes. @category models */
export const annotation = "reddwarf.io/config-updates"

/** Whether that is asked for: by the update policy of the zone's instance, else by the annotation of its pod. @category combinators */
export const applies = (pod: CoreV1.Pod, { spec }: ZoneInstance.ZoneInstance): boolean =>
  (spec.updatePolicy?.config ?? pod.metadata.annotations?.[annotation]) === "Apply"

/** @category models */
export interface Services {
  readonly client: Pick<ApiClient.Service, "get" | "list">
  readonly tokens: Pick<PodTokens, "obtain">
  readonly sandbox: Pick<PodSandbox.PodSandbox["Type"], "configurationFaults">
}

/** How old what is remembered of an object may be. */
const age = "20 seconds"

/** Looks at the configuration of a pod whose zone runs. @category models */
export type ConfigLook = (
  pod: CoreV1.Pod,
  instance: ZoneInstance.ZoneInstance,
  /** What the supervisor was given. */
  handed: Files.PodSpec | undefined
) => Effect.Effect<Observation.Fact<Observation.ConfigFact>>

/** @category constructors */
export const make = ({ client, sandbox, tokens }: Services): ConfigLook => {
  const remembered = SourceCache.make(PodSources.direct(client), age)

  const hashOf = (pod: CoreV1.Pod, reader: PodSources.Reader | undefined): Effect.Effect<string, ClientError.ClientError> =>
    Effect.map(PodSources.read(client, tokens, EnvironmentSources.only(pod), reader), (sources) => EnvironmentSources.hashOf(pod, sources))

  /** What is remembered may be older than what the containers were started with: a difference counts when the API tells it now. */
  const environment = (pod: CoreV1.Pod, current: string) =>
    Effect.flatMap(hashOf(pod, remembered), (wanted) => wanted === current ? Effect.succeed(wanted) : hashOf(pod, undefined))

  return (pod, instance, handed) =>
    Effect.gen(function*() {
      const apply = applies(pod, instance)
      const faults = yield* Effect.either(sandbox.configurationFaults(PodSandbox.identityOf(pod)))
      // One plan mends both: it is not made before both are known.
      if (Either.isRight(faults) && faults.right === undefined) return Observation.unknown("the stored configuration of the zone was not looked at yet")
      const zone = Either.isRight(faults) && faults.right !== undefined ? { changed: faults.right.differences, booted: faults.right.booted } : {}
      const current = handed?.environment
      const wanted = apply && current !== undefined && EnvironmentSources.concerns(pod) ? yield* Effect.either(environment(pod, current)) : undefined
      // What cannot be read is no difference, and no reason not to see the other one.
      const seen = wanted !== undefined && Either.isRight(wanted) && current !== undefined ? { current, wanted: wanted.right } : { current: "", wanted: "" }
      return Either.isLeft(faults) && (wanted === undefined || Either.isLeft(wanted))
        ? Observation.unknown(faults.left.message)
        : Observation.known({ ...seen, apply, ...zone })
    })
}
