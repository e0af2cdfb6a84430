/** Getting what an ephemeral container needs: its image, and the root it is started with. */
import type { CoreV1 } from "@reddwarf/api-types"
import type { ClientError } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as ContainerEnvironment from "../container/ContainerEnvironment.js"
import type * as ContainerImages from "../container/ContainerImages.js"
import * as EphemeralContainers from "../container/EphemeralContainers.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import { ContainerConfigError, type ImageUnavailable } from "./PodError.js"
import type * as PodSandbox from "./PodSandbox.js"

/** @category models */
export interface Services {
  readonly sandbox: Pick<PodSandbox.PodSandbox["Type"], "addRoot">
  readonly images: Pick<Effect.Effect.Success<ReturnType<typeof ContainerImages.resolver>>, "resolveOne">
}

/** What is wrong with one container. The pod goes on without it. @category errors */
export type Problem = ContainerConfigError | ImageUnavailable

/**
 * The process to hand over. `brand` is what the pod asks for; `handedOver` is what runs.
 *
 * @category constructors
 */
export const prepare = (
  { images, sandbox }: Services,
  inputs: ContainerEnvironment.Inputs,
  brand: string | undefined,
  handedOver: Files.PodSpec,
  container: CoreV1.EphemeralContainer
): Effect.Effect<Either.Either<Files.ContainerSpec, Problem>, ClientError.ClientError> =>
  Effect.gen(function*() {
    const image = yield* images.resolveOne(inputs.pod, brand, container)
    const known = image === undefined ? inputs : { ...inputs, images: new Map([[container.name, image]]) }
    const started = yield* EphemeralContainers.process(known, handedOver, container)
    if (started.root !== undefined) {
      yield* sandbox.addRoot(inputs.pod, started.root, EphemeralContainers.mountsIn(started)).pipe(
        Effect.mapError(({ message }) => new ContainerConfigError({ container: container.name, reason: "CreateContainerError", detail: message }))
      )
    }
    return Either.right(started.process)
  }).pipe(
    Effect.catchTags({
      ContainerConfigError: (error) => Effect.succeed(Either.left(error)),
      ImageUnavailable: (error) => Effect.succeed(Either.left(error))
    })
  )
