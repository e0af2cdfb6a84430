/** Where an engine keeps what: the datasets of a host, derived from its pool and overridden one by one. */
import * as DatasetName from "./DatasetName.js"

/**
 * Where the engine keeps its datasets.
 *
 * @category models
 */
export interface Options {
  /** The dataset everything lies below, for instance `rpool` or `rpool/reddwarf`; its pool must exist. */
  readonly root: DatasetName.DatasetName
  /** Where `root` is mounted when it is made. Default `/` and the name of `root`. */
  readonly mountpoint?: string
  /** Parents of what the engine makes; a parent elsewhere than directly below `root` needs its own parent to exist. Default `<root>/zones` and so on. */
  readonly zones?: DatasetName.DatasetName
  readonly images?: DatasetName.DatasetName
  readonly volumes?: DatasetName.DatasetName
  /** Where the parent of the zones is mounted when it is made; zonepaths lie below. Default: below the mountpoint of `root`. */
  readonly zonesMountpoint?: string
}

/** The parents of everything an engine makes. @category models */
export interface Layout {
  readonly root: DatasetName.DatasetName
  /** One dataset for each zone. */
  readonly zones: DatasetName.DatasetName
  /** Layers and images. */
  readonly images: DatasetName.DatasetName
  /** One dataset for each persistent volume. */
  readonly volumes: DatasetName.DatasetName
}

/** The layout that options mean. @category constructors */
export const make = ({ images, root, volumes, zones }: Options): Layout => ({
  root,
  zones: zones ?? DatasetName.child(root, "zones"),
  images: images ?? DatasetName.child(root, "images"),
  volumes: volumes ?? DatasetName.child(root, "volumes")
})
