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

/** The kind that a reference names, in its version or in any other of the group. */
const kindOf = (client: ApiClient.Service, { apiVersion = "v1", kind }: AutoscalingV2.CrossVersionObjectReference): Effect.Effect<Kind.Kind, ClientError.ClientError> => {
  const group = groupOf(apiVersion)
  const known = builtIn.byKind(group, versionOf(apiVersion), kind) ?? Kinds.all.find((one) => one.group === group && one.kind === kind)
  if (known !== undefined) return Effect.succeed(known)
  return Effect.flatMap(client.discover, (kinds) => {
    const found = kinds.find((one) => one.group === group && one.kind === kind)
    return found === undefined
      ? Effect.fail(refused(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`))
      : Effect.succeed(found)
  })
}

/** Reads it. Fails when the object does not exist or cannot be scaled. */
export const read = (
  client: ApiClient.Service,
  namespace: string,
  target: AutoscalingV2.CrossVersionObjectReference
): Effect.Effect<Found, ClientError.ClientError> =>
  Effect.gen(function*() {
    const kind = yield* kindOf(client, target)
    const json = yield* client.getSubresource(kind, { namespace, name: target.name }, "scale")
    const decoded = ObjectCodec.decode(SubresourceKinds.scale, json)
    return Either.isRight(decoded) ? { kind, scale: decoded.right.object } : yield* new ApiError.ApiError({ status: decoded.left })
  })

/** Sets the number of replicas; refused with a conflict when the object has changed since it was read. */
export const write = (client: ApiClient.Service, { kind, scale }: Found, replicas: number): Effect.Effect<void, ClientError.ClientError> =>
  Effect.asVoid(client.putSubresource(kind, { namespace: scale.metadata.namespace, name: scale.metadata.name ?? "" }, "scale", {
    ...scale,
    spec: { ...scale.spec, replicas }
  }))
