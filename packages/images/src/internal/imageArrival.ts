/** From a source to layers: fetching what is missing while what is there is unpacked. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { ImageSource } from "../BlobSource.js"
import { BlobStore } from "../BlobStore.js"
import * as ChainId from "../ChainId.js"
import type { Digest } from "../Digest.js"
import { type ImageError, StorageFailed } from "../ImageError.js"
import * as ImagePull from "../ImagePull.js"
import type { LayerStore, StoredLayer } from "../LayerStore.js"
import * as Platform from "../Platform.js"
import { PullEvent } from "../PullEvent.js"
import type { ProcessTurn } from "./processTurn.js"

/** Everything an arrival needs. */
export interface Context {
  readonly blobs: BlobStore["Type"]
  readonly layers: LayerStore["Type"]
  readonly turn: ProcessTurn
  /** Keeps layers that no image needs yet from being removed, until the scope closes. */
  readonly pin: (chainIds: ReadonlyArray<Digest>) => Effect.Effect<void, never, Scope.Scope>
}

/** What arrived. */
export interface Arrival {
  readonly resolved: ImagePull.ResolvedImage
  readonly top: StoredLayer
}

export interface Request {
  /** For events and messages. */
  readonly image: string
  readonly source: ImageSource
  readonly wanted: Platform.Wanted
  readonly tell: (event: PullEvent) => Effect.Effect<void>
  /** When somebody began to wait for it. */
  readonly since: number
}

/** Layers of one image that are fetched at the same time. */
const concurrency = 3

/** Number of layers from the bottom that are there. */
const present = (layers: LayerStore["Type"], chainIds: ReadonlyArray<Digest>): Effect.Effect<number, ImageError> =>
  Effect.gen(function*() {
    const top = chainIds.at(-1)
    if (top === undefined || Option.isSome(yield* layers.find(top))) return chainIds.length
    const stored = new Set((yield* layers.list).map(({ chainId }) => chainId))
    return chainIds.findLastIndex((chainId) => stored.has(chainId)) + 1
  })

/**
 * Brings an image here. Its layers are kept until the scope closes: by then it must be remembered. The turn to change images is taken when
 * there is something to unpack, and kept as long.
 */
export const arrive = (context: Context, request: Request): Effect.Effect<Arrival, ImageError, Scope.Scope> => {
  const { blobs, layers } = context
  const { image, source, tell } = request
  return Effect.gen(function*() {
    const begun = yield* Clock.currentTimeMillis
    yield* tell(PullEvent.Pulling({ image }))
    const resolved = yield* Effect.provideService(ImagePull.resolve(source, { image, wanted: request.wanted }), BlobStore, blobs)
    yield* blobs.hold([resolved.id, ...resolved.layers.map(({ blob }) => blob.digest)])
    const chainIds = ChainId.all(resolved.config.rootfs.diffIds)
    yield* context.pin([ChainId.empty, ...chainIds])
    const below = yield* present(layers, chainIds)
    const missing = resolved.layers.slice(below)
    yield* tell(PullEvent.Resolved({
      image,
      digest: resolved.digest,
      platform: Platform.format(resolved.platform),
      blobs: missing.length,
      size: missing.reduce((sum, { blob }) => sum + blob.size, 0)
    }))

    const pending = yield* Effect.forEach(missing, (layer) => Effect.map(Deferred.make<void>(), (ready) => ({ ...layer, ready })))
    const fetchAll = Effect.forEach(pending, ({ blob, ready }) =>
      blobs.fetch(blob, source, ({ received, total }) => tell(PullEvent.Progress({ image, digest: blob.digest, received, total }))).pipe(
        Effect.flatMap(({ transferred }) => tell(PullEvent.BlobReady({ image, digest: blob.digest, size: blob.size, transferred }))),
        Effect.zipRight(Deferred.succeed(ready, undefined))
      ), { concurrency, discard: true })
    const unpackAll = Effect.gen(function*() {
      const first = pending[0]
      if (first !== undefined) yield* Deferred.await(first.ready)
      yield* context.turn.take
      let top = yield* below === 0 ? Effect.succeed(undefined) : Effect.flatMap(layers.find(chainIds[below - 1] ?? ChainId.empty), Option.match({
        onSome: Effect.succeed,
        // Before the turn was taken, another process may have removed what nobody needed.
        onNone: () => new StorageFailed({ operation: `unpacking ${image}`, path: chainIds[below - 1] ?? "", detail: "another process removed a layer meanwhile; try again" })
      }))
      for (const { blob, diffId, ready } of pending) {
        yield* Deferred.await(ready)
        top = yield* layers.ensure(top?.chainId ?? ChainId.empty, { diffId, bytes: blobs.source.open(blob) })
      }
      return top ?? (yield* layers.ensureEmpty)
    })
    const [top] = yield* Effect.all([unpackAll, fetchAll], { concurrency: 2 })
    const end = yield* Clock.currentTimeMillis
    yield* tell(PullEvent.Pulled({
      image,
      digest: resolved.digest,
      size: resolved.size,
      duration: end - request.since,
      waited: begun - request.since
    }))
    return { resolved, top }
  }).pipe(Effect.tapError((error) => tell(PullEvent.Failed({ image, error }))))
}
