/**
 * Keeps the datasets of persistent volumes as their objects say: grows them, remembers what is to become of them, and destroys those whose
 * object is gone when that is what it said last. Silence of the API, or a refusal, changes nothing.
 */
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, ClientError } from "@reddwarf/client"
import { StorageEngine, type Volume } from "@reddwarf/storage-zfs"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as ClaimVolume from "./ClaimVolume.js"

/** @category models */
export interface Options {
  /** Time between looks at all volumes. Default 30 seconds. */
  readonly interval?: Duration.DurationInput
}

/** What is to be done about a dataset. @category models */
export type Decision =
  | { readonly action: "keep" }
  | { readonly action: "update"; readonly quota: number; readonly marks: Readonly<Record<string, string>> }
  | { readonly action: "destroy" }

/**
 * Decides about one dataset from its volume object; undefined when there is none any more. `missingBefore`: the last look did not find it
 * either. Pure.
 *
 * @category combinators
 */
export const decide = (
  dataset: Pick<Volume.Volume, "owner" | "properties" | "quota">,
  volume: CoreV1.PersistentVolume | undefined,
  missingBefore: boolean
): Decision => {
  if (volume === undefined || volume.metadata.uid !== dataset.owner) {
    return dataset.properties["reclaim"] === "Delete" && missingBefore ? { action: "destroy" } : { action: "keep" }
  }
  const marks = ClaimVolume.marksOf(volume)
  const capacity = ClaimVolume.capacityOf(volume)
  // Shrinking a volume is refused by the API; a quota below what is used would only make it unusable.
  const quota = Math.max(capacity, dataset.quota ?? 0)
  const same = quota === (dataset.quota ?? 0) && Object.entries(marks).every(([name, value]) => dataset.properties[name] === value)
  return same ? { action: "keep" } : { action: "update", quota, marks }
}

const isPersistent = ({ properties }: Volume.Volume): boolean => properties["kind"] === "persistent-volume"

/**
 * One look at all datasets of persistent volumes. Gives the names of those whose object is missing, to be given to the next look.
 *
 * @category combinators
 */
export const look = (
  missingBefore: ReadonlySet<string>
): Effect.Effect<ReadonlySet<string>, never, ApiClient.ApiClient | StorageEngine.StorageEngine> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const storage = yield* StorageEngine.StorageEngine
    const missing = new Set<string>()
    const one = (dataset: Volume.Volume) =>
      Effect.gen(function*() {
        const volume = yield* client.get(Kinds.persistentVolume, { name: dataset.properties["pv"] ?? "" }).pipe(
          Effect.map((found): CoreV1.PersistentVolume | undefined => found),
          Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(undefined))
        )
        if (volume?.metadata.uid !== dataset.owner) missing.add(dataset.name)
        const decision = decide(dataset, volume, missingBefore.has(dataset.name))
        if (decision.action === "update") {
          yield* storage.ensureVolume({ name: dataset.name, owner: dataset.owner, quota: decision.quota, properties: decision.marks })
        }
        if (decision.action === "destroy") {
          yield* Effect.logInfo("destroying the dataset of a persistent volume that was deleted").pipe(Effect.annotateLogs({ volume: dataset.name }))
          yield* storage.destroyVolume(dataset.name, dataset.owner)
        }
      }).pipe(
        Effect.catchAll((error) => Effect.logWarning("a persistent volume was not looked after; this is tried again", error)),
        Effect.annotateLogs({ volume: dataset.name })
      )
    const datasets = yield* storage.listVolumes
    yield* Effect.forEach(datasets.filter(isPersistent), one, { concurrency: 4, discard: true })
    return missing
  }).pipe(
    Effect.catchAll((error) => Effect.as(Effect.logWarning("the persistent volumes of the node cannot be listed; this is tried again", error), missingBefore))
  )

/**
 * Looks again and again until interrupted. A dataset is destroyed after two looks in a row that did not find its object.
 *
 * @category constructors
 */
export const run = (options: Options = {}): Effect.Effect<never, never, ApiClient.ApiClient | StorageEngine.StorageEngine> => {
  let missing: ReadonlySet<string> = new Set()
  return Effect.suspend(() => look(missing)).pipe(
    Effect.tap((found) => Effect.sync(() => void (missing = found))),
    Effect.repeat(Schedule.jittered(Schedule.spaced(options.interval ?? Duration.seconds(30)))),
    Effect.zipRight(Effect.never)
  )
}
