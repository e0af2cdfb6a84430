/**
 * What shall run on this node, from all who may say so: the API, and the manifests of the node. While the API has not been heard, what it
 * wanted when the last agent ran stands in for it.
 */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, ClientError, type Informer } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Scope from "effect/Scope"
import type { ManifestDirectory } from "../static/ManifestDirectory.js"
import * as StaticPod from "../static/StaticPod.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as AdoptionMetrics from "./AdoptionMetrics.js"
import * as DeletionGuard from "./DeletionGuard.js"
import * as DesiredRecord from "./DesiredRecord.js"

/** Index of the informer under which pods are found by uid. @category models */
export const uidIndex = "uid"

/** @category models */
export interface Options {
  readonly nodeName: string
  readonly dataDir: string
  /** Pods of this node in the API, with an index `uidIndex`. */
  readonly informer: Informer.Informer<CoreV1.Pod>
  readonly manifests: ManifestDirectory
  /** Two lists this far apart must agree before much is removed at once. */
  readonly confirmation: Duration.DurationInput
  /** A state of the API that went back is believed when it stayed for this long. Default 15 minutes. */
  readonly stableAfter?: Duration.DurationInput
}

/** @category models */
export interface PodSource {
  /** Every pod that shall run here; objects that only show a static pod are not among them. */
  readonly list: () => ReadonlyArray<CoreV1.Pod>
  readonly byUid: (uid: string) => CoreV1.Pod | undefined
  readonly byName: (namespace: string, name: string) => CoreV1.Pod | undefined
  /** Whether all that could want this uid has been heard: before that, its absence says nothing. */
  readonly isSynced: (uid: string) => boolean
  /** Whether the API has been heard since this agent began. */
  readonly isApiSynced: () => boolean
  /** Whether a pod is wanted only by what is remembered: it is kept running, and nothing more. */
  readonly isRemembered: (uid: string) => boolean
  /** Whether whoever could want the pod, asked directly, does not; false also while that cannot be believed. */
  readonly isAbsent: (identity: Files.PodIdentity) => Effect.Effect<boolean, ClientError.ClientError>
  /** Changes of pods, in the words of an informer. The handler must be quick. */
  readonly onChange: (handler: (event: Informer.InformerEvent<CoreV1.Pod>) => void, options?: { readonly existing?: boolean }) => () => void
  /** Waits for the first complete list of the API. */
  readonly hasSynced: Effect.Effect<void>
  /** The object by which the API shows a static pod, or whatever else has its name there. */
  readonly inApi: (namespace: string, name: string) => CoreV1.Pod | undefined
  /** Calls back for each object of the API that only shows a static pod, when it changes or goes. */
  readonly onMirrorChange: (handler: (mirror: CoreV1.Pod) => void) => void
  /** Notes up to which version the copy of the API is current now. */
  readonly look: Effect.Effect<void>
  readonly guard: DeletionGuard.DeletionGuard
  /** Whether the record of an earlier agent was damaged. */
  readonly ledgerLost: boolean
}

const identityKey = (pod: CoreV1.Pod): string => `${pod.metadata.namespace ?? "default"}/${pod.metadata.name ?? ""}`

/** @category constructors */
export const make = (
  options: Options
): Effect.Effect<PodSource, SupervisorFileFailed, ApiClient.ApiClient | FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const clock = yield* Effect.clock
    const { informer, manifests, nodeName } = options
    const fieldSelector = `spec.nodeName=${nodeName}`
    let mine: (() => DesiredRecord.Content) | undefined
    const record = yield* DesiredRecord.make(options.dataDir, () => informer.isSynced() ? mine?.() : undefined)
    const guard = DeletionGuard.make(
      {
        confirmation: Duration.toMillis(options.confirmation),
        stableAfter: Duration.toMillis(options.stableAfter ?? "15 minutes")
      },
      Option.match(record.before, {
        onNone: () => ({ version: "", rewoundAt: undefined }),
        onSome: ({ resourceVersion, rewoundAt }) => ({ version: resourceVersion, rewoundAt })
      })
    )
    const remembered = new Map(
      Option.match(record.before, { onNone: () => [], onSome: ({ pods }) => pods })
        .flatMap((pod) => pod.metadata.uid === undefined ? [] : [[pod.metadata.uid, pod] as const])
    )
    const apiPods = (): ReadonlyArray<CoreV1.Pod> => informer.list().filter((pod) => !StaticPod.isMirror(pod))
    mine = () => ({ resourceVersion: guard.version(), rewoundAt: guard.rewoundAt(), pods: apiPods() })

    const mirrorHandlers: Array<(mirror: CoreV1.Pod) => void> = []
    informer.onChange((event) => {
      const { uid = "" } = event.object.metadata
      if (StaticPod.isMirror(event.object) || (event.type === "updated" && StaticPod.isMirror(event.old))) {
        for (const handler of mirrorHandlers) handler(event.object)
        return
      }
      if (event.type === "deleted" && !event.told) guard.noteMissing(uid, apiPods().length)
      else guard.noteKnown(uid)
      record.touch()
    })
    const look = Effect.sync(() => {
      guard.noteVersion(informer.resourceVersion(), clock.unsafeCurrentTimeMillis())
    })
    yield* Effect.forkScoped(informer.hasSynced.pipe(
      Effect.zipRight(Effect.sync(() => {
        const present = apiPods().length
        // Compared with the last agent's record, the first list of this one may have come up short as well.
        for (const uid of remembered.keys()) if (informer.byIndex(uidIndex, uid).length === 0) guard.noteMissing(uid, present)
        remembered.clear()
        record.touch()
      })),
      Effect.zipRight(Metric.set(Metric.tagged(AdoptionMetrics.sourceSynced, "source", "api"), 1))
    ))
    yield* Effect.forkScoped(manifests.hasSynced.pipe(Effect.zipRight(Metric.set(Metric.tagged(AdoptionMetrics.sourceSynced, "source", "static"), 1))))

    const isApiSynced = informer.isSynced
    const byUid = (uid: string): CoreV1.Pod | undefined => {
      const [found] = informer.byIndex(uidIndex, uid)
      if (found !== undefined && !StaticPod.isMirror(found)) return found
      return manifests.pods().get(uid) ?? (isApiSynced() ? undefined : remembered.get(uid))
    }
    const list = (): ReadonlyArray<CoreV1.Pod> => {
      const api = apiPods()
      const heard = new Set(api.map((pod) => pod.metadata.uid))
      const others = isApiSynced() ? [] : [...remembered.values()].filter((pod) => !heard.has(pod.metadata.uid))
      return [...api, ...others, ...manifests.pods().values()]
    }

    const absentInApi = (identity: Files.PodIdentity) =>
      Effect.gen(function*() {
        yield* look
        const now = yield* Clock.currentTimeMillis
        if (guard.needsList(now)) {
          const { items } = yield* client.list(Kinds.pod, { fieldSelector })
          guard.noteList(new Set(items.map((pod) => pod.metadata.uid ?? "")), now)
        }
        if (guard.holds(identity.uid, now) !== undefined) return false
        return yield* client.get(Kinds.pod, { namespace: identity.namespace, name: identity.name }).pipe(
          Effect.map((pod) => pod.metadata.uid !== identity.uid || pod.spec?.nodeName !== nodeName),
          Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(true))
        )
      })

    return {
      list,
      byUid,
      byName: (namespace, name) => {
        const found = informer.get(`${namespace}/${name}`)
        if (found !== undefined && !StaticPod.isMirror(found)) return found
        return list().find((pod) => identityKey(pod) === `${namespace}/${name}`)
      },
      isSynced: (uid) => StaticPod.isStaticUid(uid) ? manifests.isSynced() : isApiSynced(),
      isApiSynced,
      isRemembered: (uid) => !isApiSynced() && informer.byIndex(uidIndex, uid).length === 0 && !manifests.pods().has(uid) && remembered.has(uid),
      isAbsent: (identity) => StaticPod.isStaticUid(identity.uid)
        ? Effect.sync(() => manifests.isSynced() && !manifests.pods().has(identity.uid))
        : absentInApi(identity),
      onChange: (handler, given) => {
        if (given?.existing !== false) for (const pod of isApiSynced() ? [] : remembered.values()) handler({ type: "added", object: pod })
        manifests.onChange((change) =>
          handler(change.type === "added" ? { type: "added", object: change.pod } : { type: "deleted", object: change.pod, told: true }))
        return informer.onChange((event) => {
          if (!StaticPod.isMirror(event.object)) handler(event)
        }, given)
      },
      hasSynced: informer.hasSynced,
      inApi: (namespace, name) => informer.get(`${namespace}/${name}`),
      onMirrorChange: (handler) => {
        for (const pod of informer.list()) if (StaticPod.isMirror(pod)) handler(pod)
        mirrorHandlers.push(handler)
      },
      look,
      guard,
      ledgerLost: record.wasLost
    }
  })
