/** The watch format: one JSON object per line, each an event about one object. */
import type { Kind, KubeObject } from "@reddwarf/api-types"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type ClientError, DecodeFailure } from "./ClientError.js"
import { decodeObject, isRecord, parseJson, toApiError } from "./internal/decode.js"
import { makeLineSplitter } from "./internal/lines.js"

/**
 * A change of one object, or a bookmark: nothing at or before its resource version is still to come. `DELETED` carries the last state.
 *
 * @category models
 */
export type WatchEvent<A> =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly object: A }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string }

/**
 * Longest line that is accepted, in bytes: well above the largest object that an API server stores.
 *
 * @category constructors
 */
export const maxLineBytes = 16 * 1024 * 1024

/**
 * Decodes one object of a kind; the left side says what it is instead.
 *
 * @category models
 */
export type ObjectDecoder<A extends KubeObject.KubeObject> = (kind: Kind.Kind<A>, value: unknown) => Either.Either<A, string>

/**
 * Decodes the body of a watch of `path`. An `ERROR` event fails the stream with its Status, after the events before it. A last line
 * that the connection cut short is dropped: the next watch brings that event again.
 *
 * @category combinators
 */
export const decode = <A extends KubeObject.KubeObject, E>(
  kind: Kind.Kind<A>,
  path: string,
  body: Stream.Stream<Uint8Array, E>
): Stream.Stream<WatchEvent<A>, E | ClientError> => decodeWith(decodeObject, kind, path, body)

/**
 * The same for objects in another form, such as their metadata alone.
 *
 * @category combinators
 */
export const decodeWith = <A extends KubeObject.KubeObject, E>(
  decoder: ObjectDecoder<A>,
  kind: Kind.Kind<A>,
  path: string,
  body: Stream.Stream<Uint8Array, E>
): Stream.Stream<WatchEvent<A>, E | ClientError> =>
  Stream.unwrapScoped(Effect.map(Stream.toPull(body), (pull) => {
    const split = makeLineSplitter(maxLineBytes)
    // Events that precede a failure in the same chunk are delivered first.
    let failure: ClientError | undefined
    const events = (chunks: Chunk.Chunk<Uint8Array>): Chunk.Chunk<WatchEvent<A>> => {
      const decoded: Array<WatchEvent<A>> = []
      for (const chunk of chunks) {
        const lines = split(chunk)
        if (lines === undefined) {
          failure = new DecodeFailure({ method: "GET", path, detail: `a watch event is longer than ${maxLineBytes} bytes` })
          break
        }
        for (const line of lines) {
          const event = decodeLineWith(decoder, kind, path, line)
          if (Either.isLeft(event)) {
            failure = event.left
            return Chunk.unsafeFromArray(decoded)
          }
          decoded.push(event.right)
        }
      }
      return Chunk.unsafeFromArray(decoded)
    }
    const next = Effect.suspend((): Effect.Effect<Chunk.Chunk<WatchEvent<A>>, Option.Option<E | ClientError>> =>
      failure === undefined ? Effect.map(pull, events) : Effect.fail(Option.some(failure))
    )
    return Stream.repeatEffectChunkOption(next)
  }))

/**
 * Decodes one line of a watch of `path`.
 *
 * @category combinators
 */
export const decodeLine = <A extends KubeObject.KubeObject>(
  kind: Kind.Kind<A>,
  path: string,
  line: string
): Either.Either<WatchEvent<A>, ClientError> => decodeLineWith(decodeObject, kind, path, line)

const decodeLineWith = <A extends KubeObject.KubeObject>(
  decoder: ObjectDecoder<A>,
  kind: Kind.Kind<A>,
  path: string,
  line: string
): Either.Either<WatchEvent<A>, ClientError> =>
  Either.flatMap(parseJson({ method: "GET", path }, line), (json): Either.Either<WatchEvent<A>, ClientError> => {
    const fail = (detail: string) => Either.left(new DecodeFailure({ method: "GET", path, detail }))
    if (!isRecord(json)) return fail("expected a watch event, found a JSON value that is no object")
    const { object, type } = json
    switch (type) {
      case "ADDED":
      case "MODIFIED":
      case "DELETED":
        return Either.mapBoth(decoder(kind, object), {
          onLeft: (detail) => new DecodeFailure({ method: "GET", path, detail: `${type} event: ${detail}` }),
          onRight: (object) => ({ type, object })
        })
      case "BOOKMARK": {
        const metadata = isRecord(object) ? object["metadata"] : undefined
        const resourceVersion = isRecord(metadata) ? metadata["resourceVersion"] : undefined
        return typeof resourceVersion === "string"
          ? Either.right({ type, resourceVersion })
          : fail("a BOOKMARK event without metadata.resourceVersion")
      }
      case "ERROR":
        return Either.left(toApiError(isRecord(object) && typeof object["code"] === "number" ? object["code"] : 500, object))
      default:
        return fail(`unknown watch event type ${JSON.stringify(type ?? null)}`)
    }
  })
