/**
 * The images of one host: pulled or imported, unpacked into layers, remembered across restarts, removed when space is needed.
 *
 * Several processes may use the images of a host, such as the agent and an operator's command: they take turns to change them.
 */
import type { DatasetName, Zfs } from "@reddwarf/storage-zfs"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { ImageSource } from "./BlobSource.js"
import type { BlobStore } from "./BlobStore.js"
import type { Digest } from "./Digest.js"
import type { Collected, GarbagePolicy } from "./GarbagePolicy.js"
import type { Image, Origin } from "./Image.js"
import type { ImageConfig } from "./ImageConfig.js"
import type { ImageError } from "./ImageError.js"
import type { ImageInUse } from "./ImageInUse.js"
import type { ImageReference, Options as NameOptions } from "./ImageReference.js"
import { make } from "./internal/imageStore.js"
import type { LayerBlob, LayerStore } from "./LayerStore.js"
import type { Wanted } from "./Platform.js"
import type { PullEvent } from "./PullEvent.js"

/** When an image that is here is good enough. @category models */
export type PullPolicy = "Always" | "IfNotPresent" | "Never"

/** An image that is wanted. @category models */
export interface PullRequest {
  /** As the user wrote it. */
  readonly image: string
  /** `Always` unless given for the tag `latest`, else `IfNotPresent`: the rule of Kubernetes. */
  readonly policy?: PullPolicy
  readonly wanted: Wanted
  /** Where it is when it is not here; with whatever credentials that place needs. */
  readonly open: (reference: ImageReference) => Effect.Effect<ImageSource, ImageError, Scope.Scope>
  /** Told on the way; its failures and delays are the pull's. */
  readonly onEvent?: (event: PullEvent) => Effect.Effect<void>
}

/** An image that is here now. @category models */
export interface Pulled {
  readonly image: Image
  /** False when it was here and nothing was asked of its source. */
  readonly pulled: boolean
}

/** What is put in without a registry. @category models */
export interface ImportRequest {
  readonly source: ImageSource
  /** Complete names with tags to give it. */
  readonly references: ReadonlyArray<string>
  readonly wanted: Wanted
  readonly origin?: Origin
  readonly onEvent?: (event: PullEvent) => Effect.Effect<void>
}

/** An image made on this host. @category models */
export interface CreateRequest<E> {
  /** Its diff ids say which layers, lowest first. */
  readonly config: ImageConfig
  readonly layers: ReadonlyArray<LayerBlob<E>>
  /** `zfs`: the only layer is a stream of `zfs send` in place of a tar archive. Default `tar`. */
  readonly kind?: "tar" | "zfs"
  readonly references: ReadonlyArray<string>
  readonly brand?: string
  readonly origin: Origin
}

/** Where images are kept and how. @category models */
export interface Options {
  /** Dataset of all images, the same as that of the layers. */
  readonly images: DatasetName.DatasetName
  /** Folder of the record and the lock; made with mode 0700 when it is missing. */
  readonly directory: string
  /** Images that are pulled at the same time; 1 means one after the other. Default 3. */
  readonly maxParallelPulls?: number
  /** Keep the packed layers after unpacking, so that images can be sent on as they came. Default false. */
  readonly keepBlobs?: boolean
  /** How long to wait while another process changes images. Default 10 minutes. */
  readonly patience?: Duration.DurationInput
  /** What names without a registry mean. */
  readonly names?: NameOptions
}

/**
 * The images of this host.
 *
 * @category services
 */
export class ImageStore extends Context.Tag("@reddwarf/images/ImageStore")<ImageStore, {
  /**
   * Makes sure that an image is here. Layers that are here are not fetched, and what several ask for at the same time is fetched once.
   * `NeverPull` when the policy forbids to fetch it.
   */
  readonly pull: (request: PullRequest) => Effect.Effect<Pulled, ImageError>
  /** Puts in an image from files. */
  readonly add: (request: ImportRequest) => Effect.Effect<Image, ImageError>
  /** Puts in an image from a config and layers at hand. */
  readonly create: <E>(request: CreateRequest<E>) => Effect.Effect<Image, ImageError | E>
  /** Every image, by name. */
  readonly list: Effect.Effect<ReadonlyArray<Image>, ImageError>
  /**
   * One image by a name with tag or digest, by its id, or by the first digits of its id if no other begins so. `wanted` chooses among
   * images of the same name for several platforms. `NotFound` when there is none.
   */
  readonly inspect: (name: string, wanted?: Wanted) => Effect.Effect<Image, ImageError>
  /** Gives an image one more name with a tag, taking it from another image of the same platform. */
  readonly tag: (name: string, reference: string) => Effect.Effect<Image, ImageError>
  /**
   * Removes a name, and with its last name the image; by its id, the image with all names. Refused while somebody uses it. Gives what
   * remains: nothing when the image is gone.
   */
  readonly remove: (name: string) => Effect.Effect<Image | undefined, ImageError | ImageInUse>
  /**
   * What to clone for the root of a container, with the files in the folder `root`. The image cannot be removed until `user` gives it back.
   */
  readonly use: (id: Digest, user: string) => Effect.Effect<DatasetName.SnapshotName, ImageError>
  /** Gives back everything the user has in use. */
  readonly release: (user: string) => Effect.Effect<void, ImageError>
  /** Gives back what anybody but these has in use: after a restart, those that are still there. */
  readonly retainUsers: (users: ReadonlySet<string>) => Effect.Effect<void, ImageError>
  /** What to clone for a root, without noting who uses it: the clone itself keeps the image from being removed. */
  readonly rootFor: (image: Image) => DatasetName.SnapshotName
  /** Removes images as the policy says when the pool is fuller than its high mark. */
  readonly collect: (policy?: GarbagePolicy) => Effect.Effect<Collected, ImageError>
  /** Removes images nobody uses: those without a name, or with `all` every one; only those unused for `minAge` milliseconds. */
  readonly prune: (options?: { readonly all?: boolean; readonly minAge?: number }) => Effect.Effect<Collected, ImageError>
  /** What happens to all images from now on. Slow readers miss some. */
  readonly events: Stream.Stream<PullEvent>
}>() {}

/**
 * The store on ZFS. When it opens it removes what a crash left half done, and forgets images whose layers are gone.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<ImageStore, ImageError, LayerStore | BlobStore | Zfs.Zfs | FileSystem.FileSystem> =>
  Layer.effect(ImageStore, make(options))
