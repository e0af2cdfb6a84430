/** What tar does for `kubectl cp`, on the files of a zone that has no tar. */
import type { HostError } from "@reddwarf/runtime-illumos"
import type { RemoteCommand } from "@reddwarf/streaming"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { posix } from "node:path"
import { Readable } from "node:stream"
import { Header, Parser, Pax, type ReadEntry } from "tar"
import * as byteStreams from "./byteStreams.js"
import * as zoneFiles from "./zoneFiles.js"

type Place = zoneFiles.Zone

const failure = 2

const complain = (channels: RemoteCommand.Channels, text: string) => byteStreams.write(channels.stderr, Buffer.from(`tar: ${text}\n`))

const exited = (exitCode: number): RemoteCommand.Outcome => ({ _tag: "Exited", exitCode })

const block = 512

const headerOf = (entry: zoneFiles.ZoneEntry, name: string, now: number): Buffer => {
  const data = {
    path: entry.kind === "directory" ? `${name}/` : name,
    mode: entry.mode,
    uid: 0,
    gid: 0,
    size: entry.kind === "file" ? entry.size : 0,
    // The zone's shell cannot tell when a file was changed.
    mtime: DateTime.toDate(DateTime.unsafeMake(now)),
    type: entry.kind === "file" ? "File" as const : entry.kind === "directory" ? "Directory" as const : "SymbolicLink" as const,
    ...(entry.kind === "link" ? { linkpath: entry.target } : {})
  }
  const header = new Header(data)
  const needsMore = header.encode()
  const plain = header.block ?? Buffer.alloc(block)
  return needsMore ? Buffer.concat([new Pax({ path: data.path, size: data.size, ...(entry.kind === "link" ? { linkpath: entry.target } : {}) }).encode(), plain]) : plain
}

/** A file's content as long as its header says: one that grew is cut off, one that shrank is filled up. */
const content = (place: Place, folder: string, path: string, size: number, channels: RemoteCommand.Channels) =>
  Effect.gen(function*() {
    let left = size
    const put = (bytes: Buffer) => byteStreams.write(channels.stdout, bytes)
    const result = yield* Effect.either(zoneFiles.read(place, folder, path, (chunk) => {
      const part = chunk.subarray(0, left)
      left -= part.length
      return put(part)
    }))
    const zeros = Buffer.alloc(64 * 1024)
    for (let missing = left + ((block - size % block) % block); missing > 0; missing -= zeros.length) {
      yield* put(zeros.subarray(0, Math.min(missing, zeros.length)))
    }
    return result
  })

/** `tar cf - SHOWN`: writes an archive of what is at `path` to the client's stdout. */
export const create = (place: Place, path: string, shown: string, channels: RemoteCommand.Channels): Effect.Effect<RemoteCommand.Outcome> =>
  Effect.gen(function*() {
    const folder = posix.dirname(path)
    const base = posix.basename(path) === "" ? "." : posix.basename(path)
    const begin = shown.replace(/\/+$/, "")
    const entries = yield* zoneFiles.listTree(place, folder, base, begin)
    const now = yield* Clock.currentTimeMillis
    let exitCode = 0
    for (const entry of entries) {
      const below = entry.path.slice(begin.length)
      // Names in an archive are relative.
      const name = entry.path.replace(/^(?:\.?\/)+/, "")
      if (name === "") continue
      yield* byteStreams.write(channels.stdout, headerOf(entry, name, now))
      if (entry.kind !== "file") continue
      const read = yield* content(place, folder, `${base}${below}`, entry.size, channels)
      if (read._tag === "Left") {
        exitCode = failure
        yield* complain(channels, `${entry.path}: ${read.left.message}`)
      }
    }
    yield* byteStreams.write(channels.stdout, Buffer.alloc(2 * block))
    return exited(exitCode)
  }).pipe(
    Effect.catchAll((error: HostError.HostError | zoneFiles.ZoneFileFailed) =>
      complain(channels, `${error.message}\ntar: Exiting with failure status due to previous errors`).pipe(Effect.as(exited(failure))))
  )

/** A name in an archive as a path below the destination; none when it leads out of it. */
export const cleanName = (name: string): string | undefined => {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".")
  return parts.includes("..") || parts.some((part) => part.includes("\0")) ? undefined : parts.join("/")
}

const files = new Set<string>(["File", "OldFile", "ContiguousFile"])

/** Feeds the archive to the parser, as fast as entries are taken. */
const feed = (parser: Parser, input: Readable): Effect.Effect<void> =>
  byteStreams.forEach(input, (chunk) =>
    Effect.async<void>((resume) => {
      if (parser.write(chunk)) return resume(Effect.void)
      const done = () => resume(Effect.void)
      parser.once("drain", done)
      return Effect.sync(() => void parser.off("drain", done))
    })).pipe(Effect.zipRight(Effect.sync(() => void parser.end())))

/** `tar -xmf - -C FOLDER`: writes what is in the archive from the client's stdin below `folder`. */
export const extract = (place: Place, folder: string, channels: RemoteCommand.Channels): Effect.Effect<RemoteCommand.Outcome> =>
  Effect.gen(function*() {
    // The parser gives the next entry when the one before it has been read.
    const entries = yield* Queue.unbounded<ReadEntry | undefined>()
    const problems: Array<string> = []
    const parser = new Parser({
      onReadEntry: (entry) => void entries.unsafeOffer(entry),
      onwarn: (_code, message) => void problems.push(message)
    })
    parser.on("end", () => void entries.unsafeOffer(undefined))
    parser.on("error", (error: Error) => {
      problems.push(error.message)
      entries.unsafeOffer(undefined)
    })
    yield* Effect.forkScoped(feed(parser, channels.stdin))
    let exitCode = 0
    const apply = (entry: ReadEntry) => {
      const name = cleanName(entry.path)
      if (name === undefined) return Effect.fail(new zoneFiles.ZoneFileFailed({ message: `${entry.path}: Member name contains '..'` }))
      if (name === "") return Effect.void
      const mode = entry.mode ?? (entry.type === "Directory" ? 0o755 : 0o644)
      if (files.has(entry.type)) return zoneFiles.write(place, folder, name, mode, Readable.from(entry))
      if (entry.type === "Directory") return zoneFiles.mkdir(place, folder, name, mode)
      if (entry.type === "SymbolicLink") return zoneFiles.link(place, folder, name, entry.linkpath ?? "")
      return Effect.fail(new zoneFiles.ZoneFileFailed({ message: `${entry.path}: entries of type ${entry.type} are not supported` }))
    }
    for (;;) {
      const entry = yield* Queue.take(entries)
      if (entry === undefined) break
      const done = yield* Effect.either(apply(entry))
      // What was not read of it must not stop the next one.
      entry.resume()
      if (done._tag === "Right") continue
      exitCode = failure
      yield* complain(channels, done.left.message)
    }
    for (const problem of problems) {
      exitCode = failure
      yield* complain(channels, problem)
    }
    return exited(exitCode)
  }).pipe(Effect.scoped)
