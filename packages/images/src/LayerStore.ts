/**
 * Layers of images as ZFS datasets: each is a clone of the one below it with its own changes, named by its chain id and finished by a
 * snapshot. What images have in common is there once, and a container's root is a clone that costs nothing.
 *
 * Dataset `<images>/layers/<chain id>`, snapshot `@layer`, files in the folder `root` of the dataset: the shape of the dataset of an `lx` zone.
 * A dataset without the snapshot is half done, and is thrown away by the next one who needs the layer.
 */
import { DatasetName, Zfs, type ZfsOutput } from "@reddwarf/storage-zfs"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as ChainId from "./ChainId.js"
import * as Digest from "./Digest.js"
import * as ExtendedAttributes from "./ExtendedAttributes.js"
import type { ImageError } from "./ImageError.js"
import { ImageInUse } from "./ImageInUse.js"
import * as datasets from "./internal/layerDatasets.js"
import * as keyedLock from "./internal/keyedLock.js"
import * as receiving from "./internal/receiveLayer.js"
import { fromZfs } from "./internal/storageFailure.js"
import * as unpack from "./internal/unpack.js"

/** What could not be made as the image says. @category schemas */
export const Notes = Schema.Struct({
  /** Devices and FIFOs that were left out: zones have the devices their brand gives them. */
  skipped: Schema.Number,
  /** Extended attributes that this host could not keep. */
  attributesLost: Schema.Number,
  /** Whether files have the owners of the image; only root can give files away. */
  owners: Schema.Boolean
})

/** @category models */
export type Notes = typeof Notes.Type

/** A finished layer. @category models */
export interface StoredLayer {
  readonly chainId: Digest.Digest
  /** Chain id of what is below; absent for the lowest. */
  readonly parent?: Digest.Digest
  readonly diffId: Digest.Digest
  readonly dataset: DatasetName.DatasetName
  /** What to clone for a root with this layer on top. */
  readonly snapshot: DatasetName.SnapshotName
  /** Bytes of this layer and everything below. */
  readonly referenced: number
  /** Bytes that go when this layer goes. */
  readonly used: number
  readonly notes: Notes
}

/** A layer that is to be there: the name of its archive and a way to read it, packed or not. @category models */
export interface LayerBlob<E = never> {
  readonly diffId: Digest.Digest
  readonly bytes: Stream.Stream<Uint8Array, E>
}

/** Where and how layers are kept. @category models */
export interface Options {
  /** Parent of all images, such as `rpool/images`; made when missing, its own parent must exist. */
  readonly images: DatasetName.DatasetName
  /** Where a path of the host is for this process. The same unless the host is simulated. */
  readonly realPath?: (hostPath: string) => string
  /** Most entries of one layer. Default 1,000,000. */
  readonly maxEntries?: number
  /** Most bytes of the files of one layer. Default 64 GiB. */
  readonly maxBytes?: number
}

/** Folder of a layer's dataset that holds its files. @category models */
export const rootFolder = datasets.rootFolder

/**
 * The layers of one host. Only one process at a time may change them; see `ImageStore` for how processes take turns.
 *
 * @category services
 */
export class LayerStore extends Context.Tag("@reddwarf/images/LayerStore")<LayerStore, {
  /** A finished layer by its chain id. */
  readonly find: (chainId: Digest.Digest) => Effect.Effect<Option.Option<StoredLayer>, ImageError>
  /**
   * Puts a layer on top of another one (`ChainId.empty` for none), which must be there. A layer that is there is not read at all; one that
   * several ask for at the same time is made once. Fails with `DigestMismatch` when the archive is not the one of its diff id, with
   * `InvalidManifest` when it is malformed or leads out of its root; then nothing of it is left.
   */
  readonly ensure: <E>(parent: Digest.Digest, layer: LayerBlob<E>) => Effect.Effect<StoredLayer, ImageError | E>
  /**
   * A lowest layer from a stream of `zfs send`, packed or not; its diff id is the digest of the stream. Its files must be in the folder
   * `root`. The stream is given to the kernel as it is: only streams of people who may administer this host should be received.
   */
  readonly receive: <E>(layer: LayerBlob<E>) => Effect.Effect<StoredLayer, ImageError | E>
  /** The layer with all below as a stream of `zfs send`. */
  readonly send: (layer: StoredLayer) => Stream.Stream<Uint8Array, ImageError>
  /** The root of an image without layers. */
  readonly ensureEmpty: Effect.Effect<StoredLayer, ImageError>
  /** Every finished layer. */
  readonly list: Effect.Effect<ReadonlyArray<StoredLayer>, ImageError>
  /** Removes a layer; one that is missing is fine. Refused while layers, clones or holds depend on it. */
  readonly remove: (chainId: Digest.Digest) => Effect.Effect<void, ImageError | ImageInUse>
  /** Removes what a crash left half done, and tells which datasets. Nobody may be making layers meanwhile. */
  readonly recover: Effect.Effect<ReadonlyArray<DatasetName.DatasetName>, ImageError>
  /** Real path of the files of a finished layer. They must not be changed. */
  readonly files: (layer: StoredLayer) => Effect.Effect<string, ImageError>
}>() {}

const decodeNotes = Schema.decodeUnknownOption(Schema.parseJson(Notes))
const encodeNotes = Schema.encodeSync(Schema.parseJson(Notes))
const unknownNotes: Notes = { skipped: 0, attributesLost: 0, owners: true }

const storedOf = (
  dataset: DatasetName.DatasetName,
  own: ReadonlyMap<string, ZfsOutput.PropertyValue>,
  used: number,
  referenced: number
): StoredLayer | undefined => {
  const value = (name: string): string | undefined => {
    const found = own.get(name)
    // Marks are inherited by what lies below, and could come with a stream; only those that were set here count.
    return found?.source === "local" && found.value !== "-" ? found.value : undefined
  }
  const chainId = value(datasets.mark.chain)
  const diffId = value(datasets.mark.diff)
  const parent = value(datasets.mark.parent)
  if (!Digest.isDigest(chainId) || !Digest.isDigest(diffId)) return undefined
  return {
    chainId,
    diffId,
    ...(Digest.isDigest(parent) ? { parent } : {}),
    dataset,
    snapshot: datasets.snapshotOf(dataset),
    used,
    referenced,
    notes: Option.getOrElse(decodeNotes(value(datasets.mark.notes)), () => unknownNotes)
  }
}

const numberOf = (properties: ReadonlyMap<string, ZfsOutput.PropertyValue> | undefined, name: string): number => {
  const text = properties?.get(name)?.value ?? ""
  return /^\d+$/.test(text) ? Number(text) : 0
}

const listed = ["type", "used", "referenced", ...Object.values(datasets.mark)]

/**
 * Layers on ZFS.
 *
 * @category layers
 */
export const layerZfs = (options: Options): Layer.Layer<LayerStore, never, Zfs.Zfs | ExtendedAttributes.ExtendedAttributes> =>
  Layer.effect(
    LayerStore,
    Effect.gen(function*() {
      const zfs = yield* Zfs.Zfs
      const attributes = yield* ExtendedAttributes.ExtendedAttributes
      const realPath = options.realPath ?? ((path: string) => path)
      const place = datasets.make(zfs, options.images, realPath)
      const locked = keyedLock.make()
      const limits = { entries: options.maxEntries ?? 1_000_000, bytes: options.maxBytes ?? 64 * 1024 ** 3 }

      const find = Effect.fnUntraced(function*(chainId: Digest.Digest) {
        const dataset = place.datasetOf(chainId)
        const read = (name: DatasetName.DatasetName | DatasetName.SnapshotName) =>
          zfs.get(name, listed).pipe(
            Effect.asSome,
            Effect.catchTag("DatasetNotFound", () => Effect.succeedNone),
            Effect.mapError(fromZfs("looking for a layer", name))
          )
        const taken = yield* read(datasets.snapshotOf(dataset))
        if (Option.isNone(taken)) return Option.none<StoredLayer>()
        const own = yield* read(dataset)
        return Option.flatMapNullable(own, (properties) =>
          storedOf(dataset, properties, numberOf(properties, "used"), numberOf(taken.value, "referenced")))
      })

      const finished = (chainId: Digest.Digest) =>
        Effect.flatMap(find(chainId), Option.match({
          onNone: () => Effect.dieMessage(`layer ${chainId} vanished while it was being finished`),
          onSome: Effect.succeed
        }))

      const make = (parent: Digest.Digest, chainId: Digest.Digest, diffId: Digest.Digest) => {
        const dataset = place.datasetOf(chainId)
        const marks = {
          [datasets.mark.chain]: chainId,
          [datasets.mark.diff]: diffId,
          ...(parent === ChainId.empty ? {} : { [datasets.mark.parent]: parent })
        }
        return <E>(fill: (root: string) => Effect.Effect<Notes, E>): Effect.Effect<StoredLayer, ImageError | E> =>
          Effect.gen(function*() {
            yield* place.discard(dataset)
            const root = yield* parent === ChainId.empty
              ? place.create(dataset, marks)
              : place.clone(datasets.snapshotOf(place.datasetOf(parent)), dataset, marks)
            const notes = yield* fill(root)
            yield* Effect.mapError(
              Effect.zipRight(zfs.set(dataset, datasets.mark.notes, encodeNotes(notes)), zfs.snapshot(datasets.snapshotOf(dataset))),
              fromZfs("finishing a layer", dataset)
            )
            return yield* finished(chainId)
          }).pipe(
            // Also when it is interrupted. What cannot be removed now is removed by the next one who needs the layer.
            Effect.onError(() => Effect.catchAll(place.discard(dataset), (error) => Effect.logWarning("a half done layer stays", error)))
          )
      }

      const ensureWith = <E>(parent: Digest.Digest, diffId: Digest.Digest, fill: (root: string) => Effect.Effect<Notes, E>) => {
        const chainId = diffId === ChainId.empty ? ChainId.empty : ChainId.on(parent, diffId)
        return locked(chainId, Effect.flatMap(find(chainId), Option.match({
          onSome: Effect.succeed,
          onNone: () => make(parent, chainId, diffId)(fill)
        })))
      }

      const ensure = <E>(parent: Digest.Digest, layer: LayerBlob<E>) =>
        ensureWith(parent, layer.diffId, (root) =>
          Effect.gen(function*() {
            const done = yield* unpack.unpack({ root, bytes: layer.bytes, diffId: layer.diffId, limits })
            const attributesLost = yield* attributes.keep(root, done.attributes)
            return { skipped: done.skipped, attributesLost, owners: done.owners }
          }))

      const receiveInto = receiving.make(zfs, place)
      const receive = <E>(layer: LayerBlob<E>): Effect.Effect<StoredLayer, ImageError | E> => {
        const chainId = ChainId.on(ChainId.empty, layer.diffId)
        const marks = [[datasets.mark.diff, layer.diffId], [datasets.mark.chain, chainId]] as const
        return locked(chainId, Effect.flatMap(find(chainId), Option.match({
          onSome: Effect.succeed,
          onNone: () =>
            receiveInto(place.datasetOf(chainId), layer, marks).pipe(
              Effect.zipRight(finished(chainId)),
              Effect.onError(() => Effect.catchAll(place.discard(place.datasetOf(chainId)), (error) => Effect.logWarning("a half received layer stays", error)))
            )
        })))
      }

      /** None where nothing has been made yet. */
      const tree = zfs.getTree(place.layers, listed, 2).pipe(
        Effect.catchTag("DatasetNotFound", () => Effect.succeed<ZfsOutput.PropertyTable>(new Map())),
        Effect.mapError(fromZfs("listing layers", place.layers))
      )

      const list = Effect.map(tree, (table) =>
        [...table].flatMap(([name, properties]) => {
          if (!DatasetName.is(name) || name === place.layers) return []
          const taken = table.get(datasets.snapshotOf(name))
          const stored = taken === undefined ? undefined : storedOf(name, properties, numberOf(properties, "used"), numberOf(taken, "referenced"))
          return stored === undefined ? [] : [stored]
        }))

      const remove = (chainId: Digest.Digest) =>
        locked(chainId, place.destroy(place.datasetOf(chainId)).pipe(
          Effect.catchTags({
            DatasetNotFound: () => Effect.void,
            DatasetHasClones: () => new ImageInUse({ image: chainId, users: [] }),
            DatasetBusy: () => new ImageInUse({ image: chainId, users: ["a hold or a mount"] })
          }),
          Effect.mapError((error) => error._tag === "ImageInUse" ? error : fromZfs("removing a layer", place.datasetOf(chainId))(error))
        ))

      const recover = Effect.gen(function*() {
        const table = yield* tree
        const half = [...table].flatMap(([name, properties]) =>
          DatasetName.is(name) && name !== place.layers && (!table.has(datasets.snapshotOf(name)) || storedOf(name, properties, 0, 0) === undefined) ? [name] : [])
        yield* Effect.forEach(half, place.discard, { discard: true })
        return half
      })

      return LayerStore.of({
        find,
        ensure,
        receive,
        send: (layer) => Stream.mapError(zfs.send(layer.snapshot), fromZfs("sending a layer", layer.snapshot)),
        ensureEmpty: ensureWith(ChainId.empty, ChainId.empty, () => Effect.succeed(unknownNotes)),
        list,
        remove,
        recover,
        files: (layer) => place.rootOf(layer.dataset)
      })
    })
  )
