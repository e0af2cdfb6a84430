/**
 * Records that must survive a crash: checked by a sum, replaced as a whole, with the one before kept. A record of a newer form than this
 * program knows is refused, so that going back to an older version loses nothing silently.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { statSync } from "node:fs"
import { dirname } from "node:path"
import { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as durableFile from "./durableFile.js"

const Envelope = Schema.parseJson(Schema.Struct({
  schema: Schema.Int,
  sequence: Schema.Int,
  checksum: Schema.String,
  body: Schema.String
}))

const checksum = (body: string): string => createHash("sha256").update(body).digest("hex")

/** What was found of a record. */
export interface Found<A> {
  readonly body: Option.Option<A>
  readonly sequence: number
  /** What was wrong with the copies that are not used; empty when all is well. */
  readonly problems: ReadonlyArray<string>
}

/** Another one for each file that was at this path, and for each time it was changed. Undefined where there is none. */
const stampOf = (path: string): string | undefined => {
  try {
    const found = statSync(path, { throwIfNoEntry: false, bigint: true })
    return found === undefined ? undefined : `${found.ino}:${found.size}:${found.mtimeNs}`
  } catch {
    // What cannot be looked at is read, which says why.
    return undefined
  }
}

const previousOf = (path: string): string => `${path}.previous`

/** One kind of record. */
export const make = <A, I>(path: string, version: number, schema: Schema.Schema<A, I>) => {
  const Body = Schema.parseJson(schema)
  const decode = Schema.decodeUnknown(Body)
  const encode = Schema.encode(Body)

  const readCopy = (copy: string) =>
    Effect.gen(function*() {
      const envelope = yield* durableFile.read(copy, Envelope)
      if (Option.isNone(envelope)) return Option.none<{ readonly body: A; readonly sequence: number }>()
      const { body, schema, sequence } = envelope.value
      if (checksum(body) !== envelope.value.checksum) return yield* durableFile.failed("check", copy)({ message: "its checksum is wrong" })
      if (schema > version) {
        return yield* new SupervisorFileFailed({
          operation: "read",
          path: copy,
          detail: `it is of version ${schema}, and this program knows ${version}: start a newer one, or remove the file to begin anew`
        }).pipe(Effect.mapError((error) => ({ newer: error } as const)))
      }
      return Option.some({ body: yield* Effect.mapError(decode(body), durableFile.failed("decode", copy)), sequence })
    })

  /** The newest copy that is good. Fails only for a record of a newer form. */
  const read: Effect.Effect<Found<A>, SupervisorFileFailed, FileSystem.FileSystem> = Effect.gen(function*() {
    const problems: Array<string> = []
    for (const copy of [path, previousOf(path)]) {
      const found = yield* readCopy(copy).pipe(
        Effect.catchAll((error) => "newer" in error ? Effect.fail(error.newer) : Effect.sync(() => {
          problems.push(error.message)
          return Option.none()
        }))
      )
      if (Option.isSome(found)) return { body: Option.some(found.value.body), sequence: found.value.sequence, problems }
    }
    return { body: Option.none(), sequence: 0, problems }
  })

  /** Tells the file that this process has written last from any other one. */
  let own: string | undefined

  /** A copy that is there and good. What was written here is so as long as it is the same file. */
  const isGood = Effect.suspend(() => {
    const stamp = stampOf(path)
    return stamp !== undefined && stamp === own
      ? Effect.succeed(true)
      : Effect.map(Effect.either(readCopy(path)), (good) => Either.isRight(good) && Option.isSome(good.right))
  })

  /** Replaces the record; the one before stays beside it. */
  const write = (body: A, sequence: number): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> =>
    Effect.flatMap(Effect.mapError(encode(body), durableFile.failed("encode", path)), (text) => writeText(text, sequence))

  /** As `write`, for a body that is encoded already. */
  const writeText = (text: string, sequence: number): Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem> =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(dirname(path), { recursive: true, mode: 0o700 }).pipe(Effect.mapError(durableFile.failed("create", dirname(path))))
      const envelope = JSON.stringify({ schema: version, sequence, checksum: checksum(text), body: text })
      // A copy that is good is kept as the one before; that of a broken one is worth more than the broken one.
      if (yield* isGood) {
        yield* fs.remove(previousOf(path), { force: true }).pipe(
          Effect.zipRight(fs.link(path, previousOf(path))),
          Effect.mapError(durableFile.failed("keep", previousOf(path)))
        )
      }
      own = undefined
      yield* durableFile.write(path, envelope)
      own = stampOf(path)
    })

  return { read, write, writeText }
}
