/** The `scale` subresource of whatever kind an autoscaler names, built in or custom. */
import { ApiError, type AutoscalingV1, type AutoscalingV2, type Kind, KindRegistry, Kinds, ObjectCodec, Status, SubresourceKinds } from "@reddwarf/api-types"
import type { ApiClient, ClientError } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

/** What a subresource shows, and whose it is. */
export interface Found {
  readonly kind: Kind.Kind
  readonly scale: AutoscalingV1.Scale
}

const builtIn = KindRegistry.make(Kinds.all)

const groupOf = (apiVersion: string): string => apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : ""

const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf("/") + 1)

const refused = (message: string): ApiError.ApiError => new ApiError.ApiError({ status: Status.failure(404, "NotFound", message) })

export interface Scales {
  /** Reads it. Fails when the object does not exist or cannot be scaled. */
  readonly read: (namespace: string, target: AutoscalingV2.CrossVersionObjectReference) => Effect.Effect<Found, ClientError.ClientError>
  /** Sets the number of replicas; refused with a conflict when the object has changed since it was read. */
  readonly write: (found: Found, replicas: number) => Effect.Effect<void, ClientError.ClientError>
}

/** Custom kinds that are remembered. */
const capacity = 1000

export const make = (client: ApiClient.Service): Scales => {
  /** Custom kinds that were found, by group and kind: asking for all kinds each time would cost more than everything else. */
  const custom = new Map<string, Kind.Kind>()

  /** The kind that a reference names, in its version or in any other of the group. */
  const kindOf = ({ apiVersion = "v1", kind }: AutoscalingV2.CrossVersionObjectReference): Effect.Effect<Kind.Kind, ClientError.ClientError> => {
    const group = groupOf(apiVersion)
    const key = `${group}/${kind}`
    const known = builtIn.byKind(group, versionOf(apiVersion), kind) ?? Kinds.all.find((one) => one.group === group && one.kind === kind) ?? custom.get(key)
    if (known !== undefined) return Effect.succeed(known)
    return Effect.flatMap(client.discover, (kinds) => {
      const found = kinds.find((one) => one.group === group && one.kind === kind)
      if (found === undefined) return Effect.fail(refused(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`))
      if (custom.size >= capacity) custom.clear()
      custom.set(key, found)
      return Effect.succeed(found)
    })
  }

  return {
    read: Effect.fnUntraced(function*(namespace, target) {
      const kind = yield* kindOf(target)
      const json = yield* client.getSubresource(kind, { namespace, name: target.name }, "scale").pipe(
        // The kind may have gone, or be served in another version now.
        Effect.tapErrorCause(() => Effect.sync(() => custom.delete(`${groupOf(target.apiVersion ?? "v1")}/${target.kind}`)))
      )
      const decoded = ObjectCodec.decode(SubresourceKinds.scale, json)
      return Either.isRight(decoded) ? { kind, scale: decoded.right.object } : yield* new ApiError.ApiError({ status: decoded.left })
    }),
    write: ({ kind, scale }, replicas) =>
      Effect.asVoid(client.putSubresource(kind, { namespace: scale.metadata.namespace, name: scale.metadata.name ?? "" }, "scale", {
        ...scale,
        spec: { ...scale.spec, replicas }
      }))
  }
}
