/** Persistent volumes: what is asked for and what there is. */
import type { DatasetName, SnapshotName } from "./DatasetName.js"
import type { Marks } from "./Marks.js"

/** Who may do what with the top folder of a volume. @category models */
export interface Access {
  /** Numeric ids of the owner and the group. */
  readonly uid: number
  readonly gid: number
  /** Permission bits, such as `0o2770`. */
  readonly mode: number
}

/** A volume that is to exist. @category models */
export interface VolumeSpec {
  /** Name among the volumes: letters, digits, `_`, `.`, `:`, `-`; not beginning with `incoming-`. */
  readonly name: string
  /** Uid of what it belongs to; written as `reddwarf:uid`. A volume never passes to another owner by itself. */
  readonly owner: string
  /** Bytes its files may take, snapshots not counted (`refquota`); absent means no limit. */
  readonly quota?: number | undefined
  /** Bytes that are kept free for its files (`refreservation`); absent means none. */
  readonly reservation?: number | undefined
  /** Set once when the volume is made, and again when it is another one than before. Default: root, 0755. */
  readonly access?: Access | undefined
  /** The content to begin with: the volume is made as a clone of this snapshot. Of no consequence when it exists. */
  readonly from?: SnapshotName | undefined
  /** Further marks, as for zones. */
  readonly properties?: Marks | undefined
}

/** A volume that exists; sizes in bytes. @category models */
export interface Volume {
  readonly dataset: DatasetName
  readonly name: string
  readonly owner: string
  readonly mountpoint: string
  /** With its snapshots. */
  readonly used: number
  /** Its files alone. */
  readonly referenced: number
  readonly available: number
  readonly quota?: number
  readonly reservation?: number
  /** The snapshot it is a clone of. */
  readonly origin?: SnapshotName
  readonly properties: Marks
}

/** A block device that is to exist. @category models */
export interface BlockVolumeSpec {
  readonly name: string
  readonly owner: string
  /** Bytes; rounded up to the block size. A smaller one than before is refused, a larger one makes the device grow. */
  readonly size: number
  /** Reserve no space for it. Default false. */
  readonly sparse?: boolean | undefined
  /** Bytes, a power of 2 from 512 to 131072. Default that of the system. */
  readonly blockSize?: number | undefined
  readonly from?: SnapshotName | undefined
  readonly properties?: Marks | undefined
}

/** A block device that exists. @category models */
export interface BlockVolume {
  readonly dataset: DatasetName
  readonly name: string
  readonly owner: string
  readonly size: number
  readonly used: number
  /** Path of the raw device on illumos, for `add device` of a zone. */
  readonly rawDevice: string
  readonly properties: Marks
}

/** A snapshot of a volume. @category models */
export interface VolumeSnapshot {
  readonly name: SnapshotName
  /** The same on every host that has received it. */
  readonly guid: string
  readonly createtxg: number
  /** Bytes that only it keeps. */
  readonly used: number
  readonly referenced: number
}
