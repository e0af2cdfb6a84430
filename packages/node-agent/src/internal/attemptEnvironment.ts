/** The process of the next attempt of a container: what the specification says, or what the agent has learned since. */
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Environments from "../supervisor/Environments.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import { type PodPlace, StartFailure } from "./containerAttempt.js"

export interface NextAttempt {
  readonly container: Files.ContainerSpec
  /** To be noted in the state of the container. */
  readonly startedWith: Environments.StartedWith | undefined
}

/**
 * Read anew for each attempt. Fails while something that the container needs is missing. A file that cannot be read is no reason not to start it:
 * the specification has what was known when the pod was handed over.
 */
export const next = ({ dataDir, spec }: PodPlace, container: Files.ContainerSpec): Effect.Effect<NextAttempt, StartFailure, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const asHandedOver: NextAttempt = { container, startedWith: undefined }
    // Debugging containers are started once, when they come.
    if (container.kind === "ephemeral") return asHandedOver
    const found = yield* Environments.read(dataDir, spec.pod.uid).pipe(
      Effect.catchAll((error) => Effect.as(Effect.logWarning("what has changed of the environment of a container cannot be read; it is started as it was handed over", error), Option.none()))
    )
    if (Option.isNone(found) || found.value.generation !== spec.generation) return asHandedOver
    const { containers, environment, generation } = found.value
    const renewed = containers.find(({ name }) => name === container.name)
    if (renewed?.type === "missing") return yield* new StartFailure({ message: renewed.message, reason: "CreateContainerConfigError" })
    const startedWith = { environment, ...(generation === undefined ? {} : { generation }) }
    if (renewed === undefined) return { container, startedWith }
    const { argv, env, late } = renewed
    const { late: _before, ...rest } = container
    return { container: { ...rest, argv, env, ...(late === undefined ? {} : { late }) }, startedWith: { ...startedWith, env } }
  })
