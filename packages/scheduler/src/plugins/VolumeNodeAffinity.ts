/**
 * Pods follow their volumes: one whose claims are bound to volumes of certain nodes goes to those nodes and nowhere else. A claim that is not
 * bound yet rules no node out: it gets its volume where the pod goes.
 */
import { type CoreV1, Kinds, NodeSelector } from "@reddwarf/api-types"
import { type ApiClient, Informer, ObjectRef } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

/**
 * Claims and volumes as they are known now.
 *
 * @category models
 */
export interface Volumes {
  /** By `namespace/name`. */
  readonly claim: (key: string) => CoreV1.PersistentVolumeClaim | undefined
  readonly volume: (name: string) => CoreV1.PersistentVolume | undefined
}

const conflict = Rejection.unresolvable("node(s) had volume node affinity conflict")

const claimsOf = (pod: CoreV1.Pod): ReadonlyArray<string> =>
  (pod.spec?.volumes ?? []).flatMap(({ ephemeral, name, persistentVolumeClaim }) =>
    persistentVolumeClaim !== undefined
      ? [persistentVolumeClaim.claimName]
      : ephemeral === undefined ? [] : [`${pod.metadata.name ?? ""}-${name}`]
  ).map((name) => ObjectRef.key({ namespace: pod.metadata.namespace, name }))

const selectorsOf = (pod: CoreV1.Pod, volumes: Volumes): ReadonlyArray<CoreV1.NodeSelector> =>
  claimsOf(pod).flatMap((key) => {
    const name = volumes.claim(key)?.spec?.volumeName ?? ""
    const required = name === "" ? undefined : volumes.volume(name)?.spec?.nodeAffinity?.required
    return required === undefined ? [] : [required]
  })

/**
 * Rejects nodes that a volume of the pod is not on. What is not known of a claim rejects nothing: the node says what is missing.
 *
 * @category constructors
 */
export const plugin = (volumes: Volumes): SchedulerPlugin.SchedulerPlugin => ({
  name: "VolumeNodeAffinity",
  preFilter: ({ pod }) => {
    if ((pod.spec?.volumes ?? []).length === 0) return SchedulerPlugin.skip
    const selectors = selectorsOf(pod, volumes)
    return selectors.length === 0
      ? SchedulerPlugin.skip
      : SchedulerPlugin.filterBy(({ node }) => selectors.every((selector) => NodeSelector.matches(selector, node)) ? undefined : conflict)
  }
})

/**
 * The plugin with what tells when it knows the cluster.
 *
 * @category models
 */
export interface Watching {
  readonly plugin: SchedulerPlugin.SchedulerPlugin
  /** To be given to the scheduler as `ready`: before that, volumes that exist are not known. */
  readonly ready: Effect.Effect<void>
}

/**
 * The plugin over the claims and volumes of a cluster, which it watches as long as the scope.
 *
 * @category constructors
 */
export const make: Effect.Effect<Watching, never, ApiClient.ApiClient | Scope.Scope> = Effect.gen(function*() {
  const claims = yield* Informer.make({ kind: Kinds.persistentVolumeClaim })
  const volumes = yield* Informer.make({ kind: Kinds.persistentVolume })
  return {
    plugin: plugin({ claim: claims.get, volume: volumes.get }),
    ready: Effect.zipRight(claims.hasSynced, volumes.hasSynced)
  }
})
