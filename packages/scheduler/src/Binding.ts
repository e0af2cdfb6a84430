/** Brings a pod onto the node that was chosen for it. */
import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { BindingFailure } from "./BindingFailure.js"
import type { PodInfo } from "./PodInfo.js"
import type { Profile } from "./Profile.js"

/**
 * The plugin name under which failures of the `binding` subresource are reported.
 *
 * @category constructors
 */
export const defaultBinder = "DefaultBinder"

/**
 * Lets every plugin claim what it keeps for the pod. When one fails, all give back what they claimed.
 *
 * @category combinators
 */
export const reserve = (profile: Profile, pod: PodInfo, node: string): Effect.Effect<void, BindingFailure> =>
  Effect.onError(
    Effect.forEach(profile.plugins, (plugin) => plugin.reserve?.(pod, node) ?? Effect.void, { discard: true }),
    () => unreserve(profile, pod, node)
  )

/**
 * Lets every plugin give back what it claimed, in reverse order.
 *
 * @category combinators
 */
export const unreserve = (profile: Profile, pod: PodInfo, node: string): Effect.Effect<void> =>
  Effect.forEach(profile.plugins.toReversed(), (plugin) => plugin.unreserve?.(pod, node) ?? Effect.void, { discard: true })

const bindByPlugin = Effect.fnUntraced(function*(profile: Profile, pod: PodInfo, node: string) {
  for (const plugin of profile.plugins) {
    if (plugin.bind !== undefined && (yield* plugin.bind(pod, node))) return true
  }
  return false
})

const refOf = ({ pod }: PodInfo) => ({ namespace: pod.metadata.namespace, name: pod.metadata.name ?? "" })

/**
 * Binds through the `binding` subresource, and only the pod that was looked at: not a later one of the same name. When no answer came, it reads
 * the pod to find out whether the server acted, so a pod is never taken for unbound while it runs.
 *
 * @category combinators
 */
export const bindThroughApi = (client: ApiClient.Service, pod: PodInfo, node: string): Effect.Effect<void, BindingFailure> => {
  const { namespace, name, uid } = pod.pod.metadata
  const isBound = (stored: CoreV1.Pod): boolean => stored.metadata.uid === uid && stored.spec?.nodeName === node
  return client.createSubresource(Kinds.pod, refOf(pod), "binding", {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { namespace, name, uid },
    target: { apiVersion: "v1", kind: "Node", name: node }
  }).pipe(
    Effect.asVoid,
    Effect.catchTag("TransportFailure", (failure) =>
      Effect.flatMap(
        Effect.orElseFail(client.get(Kinds.pod, refOf(pod)), () => failure),
        (stored) => isBound(stored) ? Effect.void : Effect.fail(failure)
      )),
    Effect.mapError((cause) => new BindingFailure({ pod: pod.key, node, phase: "Bind", plugin: defaultBinder, cause }))
  )
}

/**
 * Prepares, binds and reports, after `reserve`. When anything fails the claims are given back.
 *
 * @category combinators
 */
export const run = (profile: Profile, client: ApiClient.Service, pod: PodInfo, node: string): Effect.Effect<void, BindingFailure> =>
  Effect.forEach(profile.plugins, (plugin) => plugin.preBind?.(pod, node) ?? Effect.void, { discard: true }).pipe(
    Effect.zipRight(bindByPlugin(profile, pod, node)),
    Effect.flatMap((bound) => bound ? Effect.void : bindThroughApi(client, pod, node)),
    Effect.onError(() => unreserve(profile, pod, node)),
    Effect.zipRight(Effect.forEach(profile.plugins, (plugin) => plugin.postBind?.(pod, node) ?? Effect.void, { discard: true }))
  )

/**
 * Bounds the time of a binding: a plugin or server that does not answer must not hold the pod's room for ever.
 *
 * @category combinators
 */
export const within = (timeout: Duration.Duration, pod: PodInfo, node: string) =>
(binding: Effect.Effect<void, BindingFailure>): Effect.Effect<void, BindingFailure> =>
  Effect.timeoutFail(Effect.disconnect(binding), {
    duration: timeout,
    onTimeout: () =>
      new BindingFailure({
        pod: pod.key,
        node,
        phase: "Bind",
        plugin: defaultBinder,
        cause: `no answer within ${Duration.format(timeout)}`
      })
  })
