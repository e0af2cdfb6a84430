import { FileSystem } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Ref, Stream } from "effect"
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { settle, turn, until } from "vitest-config/waiting"
import { type BlobSource, BlobStore, Digest, ImageError, type ImageManifest } from "../src/index.js"
import { memorySource, noise, temporaryDirectory } from "./support/testImages.js"

const bytes = noise(200_000)
const descriptor = (content: Uint8Array, algorithm: Digest.Algorithm = "sha256"): ImageManifest.Descriptor => ({
  mediaType: "application/octet-stream",
  digest: Digest.of(content, algorithm),
  size: content.length
})
const blob = descriptor(bytes)
const blobs = new Map([[blob.digest, bytes]])

const open = (options: BlobStore.Options) => Layer.build(Layer.provide(BlobStore.layer(options), NodeFileSystem.layer))
const storeIn = (directory: string, options: Omit<BlobStore.Options, "directory"> = {}) =>
  Effect.map(open({ directory, ...options }), (context) => Context.get(context, BlobStore.BlobStore))

const readBack = (directory: string, wanted = blob) => readFileSync(join(directory, "blobs", Digest.algorithm(wanted.digest), Digest.hex(wanted.digest)))
const partials = (directory: string) => readdirSync(join(directory, "partial"))

/** The methods of a file are its prototype's: a copy has to name them. */
const delegate = (file: FileSystem.File): FileSystem.File => ({
  [FileSystem.FileTypeId]: FileSystem.FileTypeId,
  fd: file.fd,
  stat: file.stat,
  sync: file.sync,
  seek: (offset, from) => file.seek(offset, from),
  read: (buffer) => file.read(buffer),
  readAlloc: (size) => file.readAlloc(size),
  truncate: (length) => file.truncate(length),
  write: (buffer) => file.write(buffer),
  writeAll: (buffer) => file.writeAll(buffer)
})

const withFiles = (change: (fs: FileSystem.FileSystem) => FileSystem.FileSystem) =>
  Layer.provide(Layer.effect(FileSystem.FileSystem, Effect.map(FileSystem.FileSystem, change)), NodeFileSystem.layer)

/** A source that counts, and that waits at a position until it is let through. */
const gated = (at: number) =>
  Effect.gen(function*() {
    const opened = yield* Ref.make<ReadonlyArray<number>>([])
    const gate = yield* Deferred.make<void>()
    const waiting = yield* Deferred.make<void>()
    const inner = memorySource(blobs, 10_000)
    const source: BlobSource.BlobSource = {
      name: "gated",
      open: (wanted, from = 0) => {
        let position = from
        return Stream.fromEffect(Ref.update(opened, (list) => [...list, from])).pipe(
          Stream.drain,
          Stream.concat(Stream.tap(inner.open(wanted, from), (chunk) =>
            Effect.suspend(() => {
              position += chunk.length
              return position <= at ? Effect.void : Effect.zipRight(Deferred.succeed(waiting, undefined), Deferred.await(gate))
            })))
        )
      }
    }
    return { source, opened: Ref.get(opened), go: Deferred.succeed(gate, undefined), waiting: Deferred.await(waiting) }
  })

describe("BlobStore", () => {
  it.scopedLive("keeps a blob under its digest, of either algorithm, and opens it from any position", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const store = yield* storeIn(directory)
      const long = descriptor(bytes, "sha512")
      assert.deepStrictEqual(yield* store.fetch(blob, memorySource(blobs)), { transferred: true })
      assert.deepStrictEqual(yield* store.fetch(blob, memorySource(new Map())), { transferred: false })
      yield* store.fetch(long, memorySource(new Map([[long.digest, bytes]])))
      assert.deepStrictEqual(readBack(directory), Buffer.from(bytes))
      assert.deepStrictEqual(readBack(directory, long), Buffer.from(bytes))
      assert.strictEqual(statSync(join(directory, "blobs", "sha256", Digest.hex(blob.digest))).mode & 0o777, 0o400)
      const parts = yield* Stream.runCollect(store.source.open(blob, 150_000))
      assert.deepStrictEqual(Buffer.concat([...parts]), Buffer.from(bytes.subarray(150_000)))
      assert.deepStrictEqual((yield* store.list).map(({ size }) => size), [200_000, 200_000])
      assert.deepStrictEqual(yield* store.usage, { blobs: 400_000, partial: 0 })
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(store.source.open(descriptor(new Uint8Array(3))))))._tag, "NotFound")
    }))

  it.scopedLive("transfers a blob once, however many want it, and tells each how far it is", () =>
    Effect.gen(function*() {
      const store = yield* storeIn(yield* temporaryDirectory)
      const { go, opened, source, waiting } = yield* gated(100_000)
      const told = new Map<number, number>()
      const fibers = yield* Effect.forEach(Array.from({ length: 20 }, (_, index) => index), (index) =>
        Effect.fork(store.fetch(blob, source, ({ received }) => Effect.sync(() => void told.set(index, received)))))
      yield* waiting
      yield* settle
      yield* go
      yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual(yield* opened, [0])
      assert.strictEqual(told.size, 20)
      assert.isTrue([...told.values()].every((received) => received === bytes.length))
    }))

  it.scopedLive("goes on for the others when the one who began gives up, and ends when nobody waits; then continues", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const store = yield* storeIn(directory)
      const first = yield* gated(50_000)
      const one = yield* Effect.fork(store.fetch(blob, first.source))
      yield* first.waiting
      const two = yield* Effect.fork(store.fetch(blob, first.source))
      yield* settle
      yield* Fiber.interrupt(one)
      assert.isNull(yield* Fiber.poll(two).pipe(Effect.map((exit) => (exit._tag === "None" ? null : exit))))
      yield* Fiber.interrupt(two)
      assert.deepStrictEqual(partials(directory), [`sha256-${Digest.hex(blob.digest)}`])

      const second = yield* gated(bytes.length)
      yield* store.fetch(blob, second.source)
      assert.deepStrictEqual(yield* second.opened, [50_000])
      assert.deepStrictEqual(readBack(directory), Buffer.from(bytes))
      assert.deepStrictEqual(partials(directory), [])
    }))

  it.scopedLive("tries the source of each who waits when the transfer of another fails", () =>
    Effect.gen(function*() {
      const store = yield* storeIn(yield* temporaryDirectory)
      const failing: BlobSource.BlobSource = {
        name: "other credentials",
        open: () => Stream.fail(new ImageError.Unauthorized({ reference: "a", source: "r", status: 401, detail: "x", credentials: true }))
      }
      const gate = yield* Deferred.make<void>()
      const slow: BlobSource.BlobSource = { ...failing, open: () => Stream.unwrap(Effect.as(Deferred.await(gate), failing.open(blob))) }
      const first = yield* Effect.fork(Effect.flip(store.fetch(blob, slow)))
      yield* settle
      const second = yield* Effect.fork(store.fetch(blob, memorySource(blobs)))
      yield* settle
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(first))._tag, "Unauthorized")
      yield* Fiber.join(second)
      assert.strictEqual(yield* store.size(blob.digest), bytes.length)
    }))

  it.scopedLive("fetches the whole when the beginning that is here turns out to be wrong", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      mkdirSync(join(directory, "partial"), { recursive: true })
      // What a power failure may leave of a file: its length, but not its content.
      writeFileSync(join(directory, "partial", `sha256-${Digest.hex(blob.digest)}`), new Uint8Array(120_000))
      const store = yield* storeIn(directory)
      const { opened, source } = yield* gated(bytes.length)
      yield* store.fetch(blob, source)
      assert.deepStrictEqual(yield* opened, [120_000, 0])
      assert.deepStrictEqual(readBack(directory), Buffer.from(bytes))
    }))

  it.scopedLive("takes over what dead processes left, and leaves alone what living ones write", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const partial = (name: string, length: number) => {
        mkdirSync(join(directory, "partial"), { recursive: true })
        writeFileSync(join(directory, "partial", name), bytes.subarray(0, length))
      }
      const name = `sha256-${Digest.hex(blob.digest)}`
      partial(`${name}.111-aaaaaaaa.1`, 60_000)
      partial(`${name}.112-aaaaaaaa.1`, 40_000)
      partial(`${name}.222-bbbbbbbb.7`, 10)
      partial("ingest-00ff.111-aaaaaaaa", 5)
      partial("ingest-00fe.222-bbbbbbbb", 5)
      partial("sha256-0000", 5)
      utimesSync(join(directory, "partial", "sha256-0000"), 1, 1)
      const store = yield* storeIn(directory, { isRunning: (pid) => pid === 222 })
      assert.deepStrictEqual(partials(directory).toSorted(), [name, `${name}.222-bbbbbbbb.7`, "ingest-00fe.222-bbbbbbbb"].toSorted())
      const { opened, source } = yield* gated(bytes.length)
      yield* store.fetch(blob, source)
      assert.deepStrictEqual(yield* opened, [60_000])
    }))

  it.scopedLive("two stores of one folder do not disturb each other", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const one = yield* storeIn(directory)
      const { go, source, waiting } = yield* gated(50_000)
      const fiber = yield* Effect.fork(one.fetch(blob, source))
      yield* waiting
      const two = yield* storeIn(directory)
      yield* two.fetch(blob, memorySource(blobs))
      yield* go
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(readBack(directory), Buffer.from(bytes))
      assert.deepStrictEqual(partials(directory), [])
    }))

  it.scopedLive("removes blobs, but none that is held, imported or being fetched", () =>
    Effect.gen(function*() {
      const store = yield* storeIn(yield* temporaryDirectory)
      const { go, source, waiting } = yield* gated(50_000)
      const fiber = yield* Effect.fork(store.fetch(blob, source))
      yield* waiting
      assert.isFalse(yield* store.remove(blob.digest))
      yield* go
      yield* Fiber.join(fiber)
      yield* Effect.scoped(Effect.gen(function*() {
        yield* store.hold([blob.digest])
        yield* Effect.scoped(store.hold([blob.digest]))
        assert.isFalse(yield* store.remove(blob.digest))
      }))
      yield* Effect.scoped(Effect.gen(function*() {
        yield* store.holdAll
        assert.isFalse(yield* store.remove(blob.digest))
      }))
      assert.isTrue(yield* store.remove(blob.digest))
      assert.isFalse(yield* store.remove(blob.digest))
      assert.deepStrictEqual(yield* store.list, [])
    }))

  it.scopedLive("takes streams of unknown digest, and refuses those that are not what was expected", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const store = yield* storeIn(directory, { maxBlobBytes: 250_000 })
      assert.deepStrictEqual(yield* store.ingest(Stream.make(bytes)), { digest: blob.digest, size: bytes.length })
      assert.strictEqual((yield* Effect.flip(store.ingest(Stream.make(bytes), Digest.of("other"))))._tag, "DigestMismatch")
      assert.strictEqual((yield* Effect.flip(store.ingest(Stream.make(bytes, bytes))))._tag, "SizeMismatch")
      assert.strictEqual((yield* Effect.flip(store.fetch({ ...blob, digest: Digest.of("y"), size: 300_000 }, memorySource(blobs))))._tag, "SizeMismatch")
      assert.strictEqual(yield* Effect.flip(store.ingest(Stream.fail("source broke" as const))), "source broke")
      assert.deepStrictEqual(partials(directory), [])
    }))

  it.scopedLive("says that the disk is full, and continues when it is not any more", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      let room = 80_000
      const noSpace = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" })
      const full = withFiles((fs) => ({
        ...fs,
        open: (path, options) =>
          Effect.map(fs.open(path, options), (file) => ({
            ...delegate(file),
            writeAll: (buffer: Uint8Array) =>
              Effect.suspend(() => {
                room -= buffer.length
                return room >= 0
                  ? file.writeAll(buffer)
                  : new SystemError({ reason: "Unknown", module: "FileSystem", method: "writeAll", cause: noSpace })
              })
          }))
      }))
      const program = Effect.gen(function*() {
        const store = yield* BlobStore.BlobStore
        const error = yield* Effect.flip(store.fetch(blob, memorySource(blobs, 10_000)))
        assert.strictEqual(error._tag, "DiskFull")
        assert.include(error.message, "no space left for images at")
        room = 1_000_000
        const { opened, source } = yield* gated(bytes.length)
        yield* store.fetch(blob, source)
        assert.deepStrictEqual(yield* opened, [80_000])
      })
      yield* Effect.provide(program, Layer.provide(BlobStore.layer({ directory }), full))
    }))

  it.scopedLive("never shows an incomplete blob, wherever a process stops for ever", () =>
    Effect.gen(function*() {
      // Every operation on the file system is a place where a process can be killed: what comes after it does not happen.
      for (let stop = 0, finished = false; !finished; stop++) {
        const directory = yield* temporaryDirectory
        const left = yield* Ref.make(stop)
        const stopping = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
          Effect.flatMap(Ref.getAndUpdate(left, (count) => count - 1), (count) => (count > 0 ? effect : Effect.async<never>(() => {})))
        const dying = withFiles((fs) => ({
          ...fs,
          makeDirectory: (...args) => stopping(fs.makeDirectory(...args)),
          readDirectory: (...args) => stopping(fs.readDirectory(...args)),
          rename: (...args) => stopping(fs.rename(...args)),
          chmod: (...args) => stopping(fs.chmod(...args)),
          stat: (...args) => stopping(fs.stat(...args)),
          remove: (...args) => stopping(fs.remove(...args)),
          open: (path, options) =>
            Effect.flatMap(fs.open(path, options), (file) =>
              stopping(Effect.succeed({ ...delegate(file), sync: stopping(file.sync), writeAll: (buffer: Uint8Array) => stopping(file.writeAll(buffer)) })))
        }))
        const killed = yield* Effect.forkDaemon(Effect.scoped(Effect.flatMap(
          Layer.build(Layer.provide(BlobStore.layer({ directory }), dying)),
          (context) => Context.get(context, BlobStore.BlobStore).fetch(blob, memorySource(blobs, 50_000))
        )))
        finished = yield* until("the process stops or is done", Effect.gen(function*() {
          if ((yield* Ref.get(left)) < 0) return "stopped" as const
          return (yield* Fiber.poll(killed))._tag === "Some" ? "done" as const : undefined
        })).pipe(Effect.map((state) => state === "done"))
        yield* turn

        // The next life: the other's files are those of a process that is gone.
        const path = join(directory, "blobs", "sha256", Digest.hex(blob.digest))
        if (existsSync(path)) assert.deepStrictEqual(readFileSync(path), Buffer.from(bytes), `after ${stop} operations`)
        const renamed = (name: string) => name.replace(`.${process.pid}-`, ".999999999-")
        if (existsSync(join(directory, "partial"))) {
          for (const name of partials(directory)) {
            writeFileSync(join(directory, "partial", renamed(name)), readFileSync(join(directory, "partial", name)))
          }
        }
        yield* Effect.scoped(Effect.gen(function*() {
          const store = yield* storeIn(directory, { isRunning: () => false })
          yield* store.fetch(blob, memorySource(blobs))
        }))
        assert.deepStrictEqual(readBack(directory), Buffer.from(bytes), `after ${stop} operations`)
        assert.isBelow(stop, 100)
      }
    }))
})
