/** The roots of a pod in their versions: of its zone the one it boots from, one made ready, those it had before; of its containers one for each image. */
import { DatasetName, type StorageEngine, StorageError, type ZoneRoots } from "@reddwarf/storage-zfs"
import type { Plan } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import type * as ContainerRoots from "../container/ContainerRoots.js"
import type * as Files from "../supervisor/SupervisorFiles.js"

type Done = Effect.Effect<void, StorageError.StorageError>

/** `change` is what a root is made, or taken, for: repeating with the same one changes nothing. @category models */
export interface RootVersions {
  readonly observe: (identity: Files.PodIdentity) => Effect.Effect<ZoneRoots.ZoneRootVersions, StorageError.StorageError>
  /** Keeps the present root as it is now, and none of what was kept for other changes. */
  readonly snapshot: (identity: Files.PodIdentity, change: string) => Done
  /** Destroys what `snapshot` has kept. */
  readonly dropSnapshots: (identity: Files.PodIdentity) => Done
  /** Makes a root of an image ready; the zone goes on with the present one. */
  readonly stage: (identity: Files.PodIdentity, change: string, image: string) => Done
  /** Lets the halted zone boot from the root that was made ready. */
  readonly swap: (identity: Files.PodIdentity, change: string) => Done
  /** Lets the halted zone boot from the root it had before. */
  readonly restore: (identity: Files.PodIdentity, change: string) => Done
  /** Destroys what is not in use, but for the newest `previous` ones it had before, and the one made ready for `staged`. */
  readonly drop: (identity: Files.PodIdentity, previous: number, staged?: string) => Done
  /** The roots of containers as they are for these images: those that are still here in place of those given. */
  readonly ofImages: (
    identity: Files.PodIdentity,
    roots: ReadonlyArray<ContainerRoots.ContainerRoot>,
    images: Plan.Digests
  ) => Effect.Effect<ReadonlyArray<ContainerRoots.ContainerRoot>, StorageError.StorageError>
  /** Destroys the roots of containers that are of other images than these, and so in no use. */
  readonly dropOthers: (identity: Files.PodIdentity, images: Plan.Digests) => Done
}

/** @category constructors */
export const make = (storage: StorageEngine.StorageEngine["Type"], zoneOf: (identity: Files.PodIdentity) => string): RootVersions => {
  const of = (identity: Files.PodIdentity) => ({ zone: zoneOf(identity), uid: identity.uid })
  const ownRoots = (identity: Files.PodIdentity) =>
    Effect.catchTag(storage.listZoneRoots(of(identity)), "DatasetNotFound", () => Effect.succeed<ReadonlyArray<StorageEngine.OwnRoot>>([]))
  return {
    observe: (identity) => storage.observeRoot(of(identity)),
    snapshot: (identity, change) =>
      Effect.zipRight(storage.dropRootSnapshots({ ...of(identity), keep: change }), storage.snapshotRoot({ ...of(identity), change })),
    dropSnapshots: (identity) => storage.dropRootSnapshots(of(identity)),
    stage: (identity, change, image) =>
      DatasetName.isSnapshot(image)
        ? Effect.asVoid(storage.stageRoot({ ...of(identity), change, origin: image }))
        : Effect.fail(new StorageError.PropertyRejected({ operation: "make a root ready from", dataset: image, detail: "it is no snapshot" })),
    swap: (identity, change) => Effect.asVoid(storage.swapRoot({ ...of(identity), change })),
    restore: (identity, change) =>
      Effect.flatMap(storage.observeRoot(of(identity)), ({ previous }) => {
        // Marked before anything was renamed: after a crash the newest one may be the root that is to go.
        const begun = [...previous].find(([, root]) => root.change === change)
        const [name = ""] = begun ?? [...previous].at(-1) ?? []
        return Effect.asVoid(storage.swapRoot({ ...of(identity), change, restore: name === "" ? change : name }))
      }),
    drop: (identity, previous, staged) => storage.dropRoots({ ...of(identity), previous, staged }),
    ofImages: (identity, roots, images) =>
      roots.length === 0 ? Effect.succeed(roots) : Effect.map(ownRoots(identity), (all) =>
        roots.map((root) => {
          const kept = all.find(({ properties }) => properties["container"] === root.container && properties["image"] === images[root.container])
          return kept === undefined ? root : { ...root, name: kept.name, image: images[root.container] ?? root.image, snapshot: kept.origin }
        })),
    dropOthers: (identity, images) =>
      Effect.flatMap(ownRoots(identity), (all) =>
        Effect.forEach(all, ({ name, properties: { container, image } }) =>
          // One that does not say what it is of came while the zone ran, and goes with it.
          container === undefined || image === undefined || images[container] === undefined || images[container] === image
            ? Effect.void
            : storage.destroyZoneRoot({ ...of(identity), name }), { discard: true }))
  }
}
