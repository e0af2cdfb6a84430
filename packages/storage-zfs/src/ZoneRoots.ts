/**
 * The root of a zone in its versions: the one the zone boots from, one that is made ready to take its place, and those it had before. All of
 * them lie in the dataset of the zone; which is which follows from their names and marks, so that whoever was killed half-way, a look at
 * the datasets tells what is left to do.
 */
import type * as DatasetName from "./DatasetName.js"

/** A root that shall take the place of the present one. @category models */
export interface StageSpec {
  readonly zone: string
  /** Uid of the pod. */
  readonly uid: string
  /** What the change is for: 8 to 64 letters, digits and dashes, such as the id of a plan. Repeating with the same one changes nothing. */
  readonly change: string
  /** The snapshot of an image that the root is a clone of. */
  readonly origin: DatasetName.SnapshotName
}

/** Which root shall become the present one. @category models */
export interface SwapSpec {
  readonly zone: string
  readonly uid: string
  /** What the change is for. */
  readonly change: string
  /** The change whose swap put a root aside: that root comes back. Absent takes the root that was staged for this change. */
  readonly restore?: string | undefined
}

/** One root of a zone. @category models */
export interface ZoneRoot {
  readonly dataset: DatasetName.DatasetName
  /** Path of its folder on the host. */
  readonly mountpoint: string
  /** The snapshot it is a clone of, where that is known. */
  readonly origin?: DatasetName.SnapshotName
  /** The change that made it what it is; absent for the root that the installer made. */
  readonly change?: string
}

/** The roots of a zone. @category models */
export interface ZoneRootVersions {
  /** What the zone boots from. Absent before it is installed, and between the two steps of a swap. */
  readonly active: ZoneRoot | undefined
  /** Made ready, by the first eight characters of their change. */
  readonly staged: ReadonlyMap<string, ZoneRoot>
  /** Put aside by a change, by its first eight characters, the oldest first. */
  readonly previous: ReadonlyMap<string, ZoneRoot>
}

/** A change of the root of a zone that is about to begin. @category models */
export interface RootChange {
  readonly zone: string
  readonly uid: string
  /** What the change is for. */
  readonly change: string
}

/** Snapshots of the roots of a zone. @category models */
export interface RootSnapshots {
  readonly zone: string
  readonly uid: string
  /** The change whose snapshot is not meant; absent means all. */
  readonly keep?: string | undefined
}

/** What shall stay of the roots that are not in use. @category models */
export interface KeepSpec {
  readonly zone: string
  readonly uid: string
  /** How many of those that were put aside stay, the newest ones. */
  readonly previous: number
  /** Whether roots that were staged and never taken stay, but for that of this change. Default: none does. */
  readonly staged?: string | undefined
}
