/**
 * Keeps the files of running pods up to date with the ConfigMaps, Secrets, tokens, trust anchors and facts they are made from. Every pass over a pod looks,
 * so a change is in the files within the time between two passes and the age of what is remembered: under a minute.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as FieldValues from "../container/FieldValues.js"
import { createHash } from "node:crypto"
import * as PodSources from "./PodSources.js"
import type { PodTokens } from "./PodTokens.js"
import * as PodVolumes from "./PodVolumes.js"

/** @category models */
export interface VolumeRefresh {
  /** Writes what changed in the volumes of a pod that runs. What fails is told in the log, and tried again by a later pass. */
  readonly refresh: (pod: CoreV1.Pod, facts: FieldValues.PodFacts) => Effect.Effect<void>
  /** Whether `refresh` has anything to do for such a pod. */
  readonly concerns: (pod: CoreV1.Pod) => boolean
  /** Whether the last `refresh` of a pod had nothing left to write. */
  readonly isWritten: (uid: string) => boolean
  readonly forget: (uid: string) => void
}

/** Whether a volume has content that can change while the pod runs. */
const isLive = (volume: CoreV1.Volume): boolean =>
  volume.configMap !== undefined || volume.secret !== undefined || volume.projected !== undefined || volume.downwardAPI !== undefined

/** What the content of volumes depends on, as far as it can change: when this stays the same there is nothing to write. */
const stateOf = (pod: CoreV1.Pod, sources: PodSources.PodSources): string => {
  const versions = (objects: ReadonlyMap<string, { readonly metadata: { readonly uid?: string; readonly resourceVersion?: string } }>) =>
    [...objects].map(([name, { metadata }]) => [name, metadata.uid, metadata.resourceVersion])
  const { annotations, labels } = pod.metadata
  const resources = pod.spec?.containers.map(({ resources }) => resources)
  const text = JSON.stringify([versions(sources.configMaps), versions(sources.secrets), [...sources.tokens], [...sources.trustAnchors], labels, annotations, resources])
  return createHash("sha256").update(text).digest("base64")
}

/** @category constructors */
export const make = (
  client: ApiClient.Service,
  tokens: PodTokens,
  dataDir: string,
  /** What is remembered of ConfigMaps, Secrets and trust bundles. */
  reader: PodSources.Reader
): Effect.Effect<VolumeRefresh, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => {
    const written = new Map<string, string>()
    return {
      concerns: (pod) => (pod.spec?.volumes ?? []).some(isLive),
      refresh: (pod, facts) =>
        Effect.gen(function*() {
          const { uid = "" } = pod.metadata
          const volumes = (pod.spec?.volumes ?? []).filter(isLive)
          const content: CoreV1.Pod = { ...pod, spec: { ...pod.spec, containers: pod.spec?.containers ?? [], volumes } }
          const onlyVolumes: CoreV1.Pod = { ...pod, spec: { ...pod.spec, containers: [], initContainers: [], volumes } }
          const sources = yield* PodSources.read(client, tokens, onlyVolumes, reader)
          const state = stateOf(pod, sources)
          if (written.get(uid) === state) return
          written.delete(uid)
          yield* PodVolumes.refresh(dataDir, { pod: content, facts, sources })
          written.set(uid, state)
        }).pipe(
          Effect.catchAll((error) => Effect.logWarning("the volumes of a pod were not brought up to date; this is tried again", error)),
          Effect.provideService(FileSystem.FileSystem, fs)
        ),
      isWritten: (uid) => written.has(uid),
      forget: (uid) => void written.delete(uid)
    }
  })
