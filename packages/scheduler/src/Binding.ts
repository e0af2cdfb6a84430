/** Brings a pod onto the node that was chosen for it. */
import { Kinds } from "@reddwarf/api-types"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { BindingFailure } from "./BindingFailure.js"
import type { PodInfo } from "./PodInfo.js"
import * as PluginSteps from "./internal/pluginSteps.js"
import type { Profile } from "./Profile.js"
import type { Attempt } from "./SchedulerPlugin.js"

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
export const reserve = (profile: Profile, pod: PodInfo, node: string, attempt: Attempt): Effect.Effect<void, BindingFailure> => {
  const plugins = PluginSteps.of(profile).reserve
  if (plugins.length === 0) return Effect.void
  return Effect.onError(
    Effect.forEach(plugins, (plugin) => plugin.reserve(pod, node, attempt), { discard: true }),
    () => unreserve(profile, pod, node, attempt)
  )
}

/**
 * Lets every plugin give back what it claimed, in reverse order.
 *
 * @category combinators
 */
export const unreserve = (profile: Profile, pod: PodInfo, node: string, attempt: Attempt): Effect.Effect<void> => {
  const plugins = PluginSteps.of(profile).unreserve
  return plugins.length === 0 ? Effect.void : Effect.forEach(plugins, (plugin) => plugin.unreserve(pod, node, attempt), { discard: true })
}

const bindByPlugin = Effect.fnUntraced(function*(profile: Profile, pod: PodInfo, node: string, attempt: Attempt) {
  for (const plugin of PluginSteps.of(profile).bind) if (yield* plugin.bind(pod, node, attempt)) return true
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
export const run = (profile: Profile, client: ApiClient.Service, pod: PodInfo, node: string, attempt: Attempt): Effect.Effect<void, BindingFailure> => {
  const { bind, postBind, preBind, unreserve: claimants } = PluginSteps.of(profile)
  const throughApi = bindThroughApi(client, pod, node)
  const binding = bind.length === 0
    ? throughApi
    : Effect.flatMap(bindByPlugin(profile, pod, node, attempt), (bound) => bound ? Effect.void : throughApi)
  const prepared = preBind.length === 0
    ? binding
    : Effect.zipRight(Effect.forEach(preBind, (plugin) => plugin.preBind(pod, node, attempt), { discard: true }), binding)
  const safe = claimants.length === 0 ? prepared : Effect.onError(prepared, () => unreserve(profile, pod, node, attempt))
  return postBind.length === 0
    ? safe
    : Effect.zipRight(safe, Effect.forEach(postBind, (plugin) => plugin.postBind(pod, node, attempt), { discard: true }))
}

/**
 * The failure of a binding that took too long: a plugin or server that does not answer must not hold the pod's room for ever.
 *
 * @category constructors
 */
export const tooLate = (timeout: Duration.Duration, pod: PodInfo, node: string): BindingFailure =>
  new BindingFailure({ pod: pod.key, node, phase: "Bind", plugin: defaultBinder, cause: `no answer within ${Duration.format(timeout)}` })
