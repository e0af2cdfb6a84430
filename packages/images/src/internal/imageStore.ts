/** The images of a host: who may do what at the same time, and what is remembered. */
import * as FileSystem from "@effect/platform/FileSystem"
import { type DatasetName, Zfs } from "@reddwarf/storage-zfs"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import { join } from "node:path"
import { BlobStore } from "../BlobStore.js"
import * as ChainId from "../ChainId.js"
import * as Digest from "../Digest.js"
import { fits, type Image, type ImageRecord, type Origin } from "../Image.js"
import * as ImageConfig from "../ImageConfig.js"
import { type ImageError, NeverPull, NotFound, StorageFailed } from "../ImageError.js"
import * as ImageReference from "../ImageReference.js"
import type { CreateRequest, ImageStore, ImportRequest, Options, Pulled, PullRequest } from "../ImageStore.js"
import { LayerStore, type StoredLayer } from "../LayerStore.js"
import * as Platform from "../Platform.js"
import { PullEvent } from "../PullEvent.js"
import { arrive, type Context, type Request } from "./imageArrival.js"
import * as imageCleaning from "./imageCleaning.js"
import * as imageHolds from "./imageHolds.js"
import * as imageLedger from "./imageLedger.js"
import * as imageNames from "./imageNames.js"
import * as imageRemoval from "./imageRemoval.js"
import * as keyedLock from "./keyedLock.js"
import { datasetOf, snapshotOf } from "./layerDatasets.js"
import * as processTurn from "./processTurn.js"

const eventsKept = 256

/** Counted, so that two arrivals of the same layers do not unpin each other's. */
const makePins = () => {
  const counts = new Map<Digest.Digest, number>()
  const add = (chainIds: ReadonlyArray<Digest.Digest>, by: number) =>
    Effect.sync(() => {
      for (const chainId of chainIds) {
        const count = (counts.get(chainId) ?? 0) + by
        if (count > 0) counts.set(chainId, count)
        else counts.delete(chainId)
      }
    })
  return {
    isPinned: (chainId: Digest.Digest) => counts.has(chainId),
    pin: (chainIds: ReadonlyArray<Digest.Digest>) => Effect.asVoid(Effect.acquireRelease(add(chainIds, 1), () => add(chainIds, -1)))
  }
}

/** A record of what arrived, joined with what is known of the same image. */
const recordOf = (fields: {
  readonly id: Digest.Digest
  readonly config: ImageConfig.ImageConfig
  readonly top: StoredLayer
  readonly packedSize: number
  readonly references: ReadonlyArray<string>
  readonly digests: ReadonlyArray<string>
  readonly brand: string | undefined
  readonly origin: Origin
  readonly now: number
}) =>
(images: ReadonlyArray<ImageRecord>): ImageRecord => {
  const known = images.find(({ id }) => id === fields.id)
  const union = (a: ReadonlyArray<string>, b: ReadonlyArray<string>) => [...new Set([...a, ...b])]
  return {
    id: fields.id,
    references: union(known?.references ?? [], fields.references),
    digests: union(known?.digests ?? [], fields.digests),
    config: fields.config,
    chainId: fields.top.chainId,
    ...(fields.brand === undefined ? {} : { brand: fields.brand }),
    origin: known?.origin ?? fields.origin,
    packedSize: fields.packedSize,
    size: fields.top.referenced,
    pulledAt: fields.now,
    usedAt: known?.usedAt ?? 0,
    users: known?.users ?? []
  }
}

export const make = (options: Options): Effect.Effect<
  ImageStore["Type"],
  ImageError,
  LayerStore | BlobStore | Zfs.Zfs | FileSystem.FileSystem
> =>
  Effect.gen(function*() {
    const layers = yield* LayerStore
    const blobs = yield* BlobStore
    const zfs = yield* Zfs.Zfs
    const fileSystem = yield* FileSystem.FileSystem
    yield* Effect.mapError(
      fileSystem.makeDirectory(options.directory, { recursive: true, mode: 0o700 }),
      (error) => new StorageFailed({ operation: "making the folder of the record of images", path: options.directory, detail: error.message, cause: error })
    )
    const turn = processTurn.make(join(options.directory, "lock"), options.patience ?? "10 minutes")
    const ledger = imageLedger.make(fileSystem, join(options.directory, "images.json"), turn)
    const pins = makePins()
    const removal = imageRemoval.make(layers, pins.isPinned)
    const holds = imageHolds.make(zfs, (image) => snapshotFor(image.chainId))
    const locked = keyedLock.make()
    const limited = Effect.unsafeMakeSemaphore(Math.max(1, options.maxParallelPulls ?? 3)).withPermits(1)
    const bus = yield* PubSub.sliding<PullEvent>(eventsKept)
    const context: Context = { blobs, layers, turn, pin: pins.pin }

    const snapshotFor = (chainId: Digest.Digest): DatasetName.SnapshotName => snapshotOf(datasetOf(options.images, chainId))
    const imageOf = (record: ImageRecord): Image => ({
      ...record,
      platform: Platform.normalise(record.config),
      snapshot: snapshotFor(record.chainId)
    })
    const telling = (onEvent: PullRequest["onEvent"]) => (event: PullEvent) =>
      Effect.zipRight(PubSub.publish(bus, event), onEvent === undefined ? Effect.void : onEvent(event))

    /** Remembers an image; names it has go from others for the same platform. */
    const remember = (makeRecord: (images: ReadonlyArray<ImageRecord>) => ImageRecord): Effect.Effect<Image, ImageError> =>
      ledger.change((images) => {
        const record = makeRecord(images)
        return Effect.succeed([imageOf(record), imageNames.withRecord(images, record)] as const)
      })

    const bring = (request: Request, names: { readonly references: ReadonlyArray<string>; readonly repository: string | undefined; readonly origin: Origin }) =>
      Effect.scoped(Effect.gen(function*() {
        const { resolved, top } = yield* arrive(context, request)
        const now = yield* Clock.currentTimeMillis
        const digests = names.repository === undefined ? [] : [...new Set([resolved.digest, resolved.document.digest])].map((digest) => `${names.repository}@${digest}`)
        const image = yield* remember(recordOf({
          id: resolved.id,
          config: resolved.config,
          top,
          packedSize: resolved.size,
          references: names.references,
          digests,
          brand: resolved.config.process.labels[Platform.brandAnnotation],
          origin: names.origin,
          now
        }))
        return { image, blobs: [resolved.id, ...resolved.layers.map(({ blob }) => blob.digest)] }
      })).pipe(Effect.flatMap(({ blobs: done, image }) =>
        // Unpacked, they are of use only to send the image on.
        Effect.as(options.keepBlobs === true ? Effect.void : Effect.forEach(new Set(done), blobs.remove, { discard: true }), image)))

    const pull = (request: PullRequest): Effect.Effect<Pulled, ImageError> =>
      Effect.gen(function*() {
        const since = yield* Clock.currentTimeMillis
        const reference = yield* ImageReference.parse(request.image, options.names)
        const policy = request.policy ?? (reference.digest === undefined && reference.tag === "latest" ? "Always" : "IfNotPresent")
        const tell = telling(request.onEvent)
        const { wanted } = request
        const key = JSON.stringify([ImageReference.format(reference), wanted.brand, wanted.platforms])
        return yield* locked(key, Effect.gen(function*() {
          const here = (yield* ledger.read).find((image) => imageNames.isCalled(image, reference) && fits(image, wanted))
          if (here !== undefined && policy !== "Always") {
            yield* tell(PullEvent.Present({ image: request.image }))
            return { image: imageOf(here), pulled: false }
          }
          if (policy === "Never") {
            const error = new NeverPull({ reference: request.image })
            return yield* Effect.zipRight(tell(PullEvent.Failed({ image: request.image, error })), error)
          }
          const image = yield* limited(Effect.scoped(Effect.gen(function*() {
            const source = yield* Effect.tapError(request.open(reference), (error) => tell(PullEvent.Failed({ image: request.image, error })))
            return yield* bring({ image: request.image, source, wanted, tell, since }, {
              references: reference.tag === undefined || reference.digest !== undefined ? [] : [ImageReference.format(reference)],
              repository: ImageReference.name(reference),
              origin: "registry"
            })
          })))
          return { image, pulled: true }
        }))
      }).pipe(Effect.withSpan("ImageStore.pull", { attributes: { image: request.image } }))

    const add = ({ onEvent, origin = "import", references, source, wanted }: ImportRequest) =>
      Effect.gen(function*() {
        const since = yield* Clock.currentTimeMillis
        const names = yield* Effect.forEach(references, (text) => Effect.map(ImageReference.parse(text, options.names), ImageReference.format))
        return yield* bring({ image: names[0] ?? source.name, source, wanted, tell: telling(onEvent), since }, { references: names, repository: undefined, origin })
      })

    const create = <E>(request: CreateRequest<E>): Effect.Effect<Image, ImageError | E> =>
      Effect.scoped(Effect.gen(function*() {
        const names = yield* Effect.forEach(request.references, (text) => Effect.map(ImageReference.parse(text, options.names), ImageReference.format))
        yield* pins.pin([ChainId.empty, ...ChainId.all(request.config.rootfs.diffIds)])
        yield* turn.take
        let top: StoredLayer | undefined
        for (const layer of request.layers) top = yield* request.kind === "zfs" ? layers.receive(layer) : layers.ensure(top?.chainId ?? ChainId.empty, layer)
        const finished = top ?? (yield* layers.ensureEmpty)
        const now = yield* Clock.currentTimeMillis
        const bytes = ImageConfig.encode(request.config)
        return yield* remember(recordOf({
          id: Digest.of(bytes),
          config: request.config,
          top: finished,
          packedSize: finished.referenced,
          references: names,
          digests: [],
          brand: request.brand,
          origin: request.origin,
          now
        }))
      }))

    const select = (images: ReadonlyArray<ImageRecord>, name: string, wanted?: Platform.Wanted): Effect.Effect<ImageRecord, NotFound> => {
      const found = imageNames.select(images, name, wanted, options.names)
      return found.length === 1 && found[0] !== undefined
        ? Effect.succeed(found[0])
        : Effect.fail(new NotFound({
          reference: name,
          what: found.length === 0 ? "image" : `one image (${found.map(({ id }) => Digest.short(id)).join(", ")} are called so)`,
          source: "the images of this host"
        }))
    }

    const remove: ImageStore["Type"]["remove"] = (name) =>
      ledger.change((images) =>
        Effect.gen(function*() {
          const record = yield* select(images, name)
          const remaining = imageNames.withoutName(record, name, options.names)
          if (remaining !== undefined) return [imageOf(remaining), images.map((image) => image.id === record.id ? remaining : image)] as const
          yield* removal.image(record, images)
          return [undefined, images.filter(({ id }) => id !== record.id)] as const
        }))

    const use: ImageStore["Type"]["use"] = (id, user) =>
      ledger.change((images) =>
        Effect.gen(function*() {
          const usedAt = yield* Clock.currentTimeMillis
          const record = yield* select(images, id)
          if (record.users.length === 0) yield* holds.hold(record)
          const users = record.users.includes(user) ? record.users : [...record.users, user]
          return [snapshotFor(record.chainId), images.map((image) => image.id === id ? { ...record, users, usedAt } : image)] as const
        }))

    const keepUsers = (keep: (user: string) => boolean) =>
      Effect.flatMap(
        ledger.change((images) =>
          Effect.map(Clock.currentTimeMillis, (usedAt) => {
            const changed = images.map((image) => {
              const users = image.users.filter(keep)
              return users.length === image.users.length ? image : { ...image, users, usedAt }
            })
            const free = changed.filter((image, index) => image !== images[index] && image.users.length === 0)
            return [free, changed.some((image, index) => image !== images[index]) ? changed : images] as const
          })),
        Effect.forEach(holds.release, { discard: true })
      )

    const cleaning = imageCleaning.make({ options, layers, blobs, zfs, ledger, removal, holds })
    // Another process that is at work has put things right before.
    yield* Effect.scoped(Effect.flatMap(turn.tryTake, (mine) => mine ? cleaning.recover : Effect.void))

    const store: ImageStore["Type"] = {
      pull,
      add,
      create,
      list: Effect.map(ledger.read, (images) => images.map(imageOf).sort((a, b) => imageNames.compare(a, b))),
      inspect: (name, wanted) => Effect.flatMap(ledger.read, (images) => Effect.map(select(images, name, wanted), imageOf)),
      tag: (name, text) =>
        Effect.flatMap(ImageReference.parse(text, options.names), (reference) =>
          ledger.change((images) =>
            Effect.map(select(images, name), (record) => {
              const named = { ...record, references: [...new Set([...record.references, ImageReference.format(reference)])] }
              return [imageOf(named), imageNames.withRecord(images, named)] as const
            }))),
      remove,
      use,
      release: (user) => keepUsers((other) => other !== user),
      retainUsers: (users) => keepUsers((user) => users.has(user)),
      rootFor: (image) => image.snapshot,
      collect: cleaning.collect,
      prune: cleaning.prune,
      events: Stream.fromPubSub(bus)
    }
    return store
  })
