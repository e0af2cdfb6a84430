/** The brand of a pod's zone: by annotation, by runtime class, or by the platform of its image. */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import { BrandSelection, type ZoneBrand, ZoneBrands } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"

/** Annotation that chooses the brand of a pod's zone; `runtimeClassName` means the same. @category models */
export const annotation = "reddwarf.io/zone-brand"

/** What decides about a pod's brand beside the pod itself. @category models */
export interface Facts {
  /** Handler of the pod's runtime class. */
  readonly handler?: string | undefined
  /** Brand its image says it is made for. */
  readonly imageBrand?: string | undefined
  /** Platform of its image; absent while images are not resolved. */
  readonly platform?: ZoneBrand.Platform | undefined
}

/** What the node has. @category models */
export interface NodeBrands {
  /** Profiles by name; those of `ZoneBrands` when absent. */
  readonly profiles?: ZoneBrands.Registry | undefined
  /** Brands that can be used here; absent when the host cannot list them. */
  readonly installed?: ReadonlyArray<BrandSelection.HostBrand> | undefined
  readonly defaultBrand: string
}

/**
 * The brand of the pod's zone. Containers are processes that the supervisor starts in the zone, so a brand that is a machine does not do.
 *
 * @category combinators
 */
export const of = (pod: CoreV1.Pod, facts: Facts, node: NodeBrands): Either.Either<BrandSelection.Choice, BrandSelection.BrandRefused> =>
  BrandSelection.choose(
    {
      annotation: pod.metadata.annotations?.[annotation],
      handler: facts.handler ?? pod.spec?.runtimeClassName,
      image: facts.imageBrand,
      platform: facts.platform
    },
    {
      brands: node.profiles ?? ZoneBrands.standard,
      installed: node.installed,
      defaultBrand: node.defaultBrand,
      needsProcesses: true
    }
  )

/**
 * The handler of the pod's runtime class. A class of which the API has no object, or which this node may not read, names its brand itself.
 *
 * @category combinators
 */
export const handlerOf = (client: ApiClient.Service, pod: CoreV1.Pod): Effect.Effect<string | undefined, ClientError.ClientError> => {
  const name = pod.spec?.runtimeClassName
  if (name === undefined || name === "") return Effect.succeed(undefined)
  return client.get(Kinds.runtimeClass, { name }).pipe(
    Effect.map(({ handler }) => handler),
    Effect.catchIf(
      (error) => ClientError.isNotFound(error) || (error._tag === "ApiError" && error.code === 403),
      () => Effect.succeed(name)
    )
  )
}
