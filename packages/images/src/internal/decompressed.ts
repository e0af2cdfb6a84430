/** Layers without their packing. How they are packed is seen from their first bytes: media types are often wrong about it. */
import type * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Transform } from "node:stream"
import { createGunzip } from "node:zlib"
import type { Compression } from "../MediaType.js"
import { write } from "./writing.js"
import { createZstdFrames } from "./zstdFrames.js"

/** The packed bytes are damaged. */
export class PackingDamaged extends Data.TaggedError("PackingDamaged")<{ readonly message: string }> {}

const magicLength = 4

/** How bytes that begin so are packed. */
export const compressionOf = (head: Uint8Array): Compression => {
  const begins = (...magic: ReadonlyArray<number>) => magic.every((byte, index) => head[index] === byte)
  return begins(0x1f, 0x8b) ? "gzip" : begins(0x28, 0xb5, 0x2f, 0xfd) ? "zstd" : "none"
}

/** What comes out of a stream of Node into which the source is written. */
export const through = <E>(source: Stream.Stream<Uint8Array, E>, make: () => Transform): Stream.Stream<Uint8Array, E | PackingDamaged> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const failure = yield* Deferred.make<never, E>()
    const transform = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const made = make()
        // Whoever reads it gets the error, too; without a listener it would end the process when nobody reads any more.
        made.on("error", () => {})
        return made
      }),
      (made) => Effect.sync(() => void made.destroy())
    )
    yield* source.pipe(
      Stream.runForEach((bytes) => write(transform, bytes)),
      Effect.zipRight(Effect.sync(() => void transform.end())),
      Effect.catchAll((error) => Effect.zipRight(Deferred.fail(failure, error), Effect.sync(() => void transform.destroy()))),
      Effect.forkScoped
    )
    const output: AsyncIterable<Uint8Array> = transform
    return Stream.fromAsyncIterable(output, (cause) => new PackingDamaged({ message: cause instanceof Error ? cause.message : String(cause) })).pipe(
      Stream.catchAll((damaged) =>
        Stream.fromEffect(Effect.flatMap(Deferred.isDone(failure), (failed): Effect.Effect<never, E | PackingDamaged> =>
          failed ? Deferred.await(failure) : Effect.fail(damaged))))
    )
  }))

/** Enough of the beginning to see the packing, or all of it. */
const beginning = <E>(pull: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<E>>, head: Uint8Array): Effect.Effect<Uint8Array, E> =>
  head.length >= magicLength ? Effect.succeed(head) : pull.pipe(
    Effect.map((chunk): Uint8Array | undefined => Buffer.concat([head, ...chunk])),
    Effect.catchAll(Option.match({ onNone: () => Effect.succeed(undefined), onSome: (error) => Effect.fail(error) })),
    Effect.flatMap((more) => more === undefined ? Effect.succeed(head) : beginning(pull, more))
  )

/** The bytes of the archive in a layer, whatever it is packed by. Reads no faster than it is read. */
export const decompressed = <E>(source: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array, E | PackingDamaged> =>
  Stream.unwrapScoped(Effect.gen(function*() {
    const pull = yield* Stream.toPull(source)
    const head = yield* beginning(pull, new Uint8Array(0))
    const whole = Stream.concat(Stream.make(head), Stream.fromPull(Effect.succeed(pull)))
    const compression = compressionOf(head)
    return compression === "none" ? whole : through(whole, compression === "gzip" ? createGunzip : createZstdFrames)
  }))
