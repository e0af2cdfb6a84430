import { assert, describe, it } from "@effect/vitest"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { ContainerLogs, LogPieces, LogTarget } from "@reddwarf/node-agent"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { linkSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as criLog from "../src/internal/criLog.js"
import * as logRecords from "../src/internal/logRecords.js"

type Limits = { readonly maxBytes: number; readonly maxFiles: number }

/** What is shown of the bytes of a log that come in parts of at most this size. */
const shown = (format: logRecords.Formatter, bytes: Buffer, most = 1_000_000): string => {
  let text = ""
  for (let at = 0; at < bytes.length;) {
    const length = bytes.copy(format.room(), 0, at, Math.min(bytes.length, at + most))
    text += format.take(length).toString("latin1")
    at += length
  }
  return Buffer.from(text, "latin1").toString()
}

describe("logs", () => {
  const text = FastCheck.array(FastCheck.string({ unit: "grapheme", maxLength: 40 }).map((line) => line.replaceAll(/[\r\n]/g, "")), { maxLength: 30 })

  it("come out of the records as they went in, however they were cut", () => {
    FastCheck.assert(FastCheck.property(text, FastCheck.integer({ min: 1, max: 50 }), FastCheck.integer({ min: 1, max: 200 }), (lines, size, part) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""))
      const parts: Array<Buffer> = []
      for (let at = 0; at < bytes.length; at += size) parts.push(criLog.records(bytes.subarray(at, at + size), "stdout", 1n))
      assert.strictEqual(shown(logRecords.formatter({}), Buffer.concat(parts), part), bytes.toString())
    }))
  })

  it("split long lines into partial records", () => {
    const records = criLog.records(Buffer.from(`${"x".repeat(40_000)}\n`), "stderr", 0n).toString().trimEnd().split("\n")
    assert.deepStrictEqual(records.map((record) => record.slice(0, 41)), [
      `1970-01-01T00:00:00.000000000Z stderr P x`, `1970-01-01T00:00:00.000000000Z stderr P x`, `1970-01-01T00:00:00.000000000Z stderr F x`
    ])
  })

  it("are rotated at their size, and only so many files are kept", () => {
    const directory = mkdtempSync(join(tmpdir(), "reddwarf-logs-"))
    const path = join(directory, "0.log")
    const write = (from: number, to: number) => {
      const writer = criLog.open(path, { maxBytes: 1_000, maxFiles: 3, nanos: () => 1n })
      for (let i = from; i < to; i++) assert.isTrue(writer.write(Buffer.from(`${i}\n`), "stdout"))
      writer.close()
    }
    // The second writer goes on where the first one stopped.
    write(0, 100)
    write(100, 200)
    const files = [...criLog.rotatedFiles(path).map((file) => file.path), path]
    assert.strictEqual(files.length, 3)
    assert.strictEqual(readdirSync(directory).length, 3)
    for (const file of files) assert.isAtMost(statSync(file).size, 1_000)
    const format = logRecords.formatter({})
    const lines = files.map((file) => shown(format, readFileSync(file))).join("").trimEnd().split("\n").map(Number)
    assert.strictEqual(lines.at(-1), 199)
    assert.deepStrictEqual(lines, Array.from({ length: lines.length }, (_, index) => 200 - lines.length + index))
    rmSync(directory, { recursive: true })
  })

  it("have the tail that a user counts", () => {
    FastCheck.assert(FastCheck.property(text, FastCheck.integer({ min: 0, max: 12 }), FastCheck.integer({ min: 5, max: 200 }), (lines, wanted, block) => {
      const log = Buffer.concat(lines.map((line) => criLog.records(Buffer.from(`${line}\n`), "stdout", 1n)))
      const scanner = logRecords.tailScanner(wanted)
      let from: number | undefined
      for (let end = log.length; end > 0 && from === undefined;) {
        const start = Math.max(0, end - block)
        from = scanner.block(log.subarray(start, end), start, end === log.length)
        end = start
      }
      assert.strictEqual(shown(logRecords.formatter({}), log.subarray(from ?? 0)), (wanted === 0 ? [] : lines.slice(-wanted)).map((line) => `${line}\n`).join(""))
    }))
  })

  const folder = Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-logs-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true }))
  )

  const writerOf = (path: string, limits: Limits) =>
    Effect.acquireRelease(Effect.sync(() => criLog.open(path, { ...limits, nanos: () => 1n })), (writer) => Effect.sync(() => writer.close()))

  /** A log whose lines are numbers, counted from 0: 47 bytes to a record. */
  const numbered = (limits: Limits) =>
    Effect.gen(function*() {
      const path = join(yield* folder, "0.log")
      const writer = yield* writerOf(path, limits)
      let written = 0
      const write = (count: number) => {
        for (let i = 0; i < count; i++) assert.isTrue(writer.write(Buffer.from(`${String(written++).padStart(6, "0")}\n`), "stdout"))
      }
      return { path, write, written: () => written }
    })

  /** What a reader sees of a log into which somebody writes a line for each piece that is read. */
  const readWhileWritten = (lines: number, options: ContainerLogs.Options, limits: Limits) =>
    Effect.gen(function*() {
      const { path, write } = yield* numbered(limits)
      write(lines)
      const read = yield* ContainerLogs.stream(path, options, Effect.succeed(false)).pipe(
        Stream.tap(() => Effect.sync(() => { write(3) })),
        Stream.runCollect
      )
      return Buffer.concat(Chunk.toReadonlyArray(read).map((bytes) => Buffer.from(bytes))).toString().trimEnd().split("\n").map(Number)
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer))

  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)
  const unlimited = { maxBytes: 1e9, maxFiles: 9 }

  it.live("end where they ended when they were asked for, however much is written meanwhile", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* readWhileWritten(10_000, {}, unlimited), range(0, 10_000))
      assert.deepStrictEqual(yield* readWhileWritten(10_000, { tailLines: 1 }, unlimited), [9_999])
      assert.deepStrictEqual(yield* readWhileWritten(10_000, { tailLines: 5_000 }, unlimited), range(5_000, 10_000))
      assert.deepStrictEqual(yield* readWhileWritten(10_000, { tailLines: 5_000, limitBytes: 70 }, unlimited), range(5_000, 5_010))
    }), 20_000)

  it.live("end there too when they are rotated meanwhile", () =>
    Effect.gen(function*() {
      // Each piece that is read makes the writer rotate soon after.
      const limits = { maxBytes: 100_000, maxFiles: 20 }
      assert.deepStrictEqual(yield* readWhileWritten(2_126, {}, limits), range(0, 2_126))
      assert.deepStrictEqual(yield* readWhileWritten(2_126, { tailLines: 2_000 }, limits), range(126, 2_126))
      assert.deepStrictEqual(yield* readWhileWritten(10_000, { tailLines: 7_000 }, limits), range(3_000, 10_000))
    }), 20_000)

  it.live("go on where a reader has ended, over rotations, in the middle of long lines too", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "3.log")
      const writer = yield* writerOf(path, { maxBytes: 100_000, maxFiles: 99 })
      const lines = range(0, 3_000).map((number) => `${number} ${number % 500 === 0 ? "x".repeat(70_000) : ""}\n`)
      for (const line of lines) assert.isTrue(writer.write(Buffer.from(line), "stdout"))
      let text = ""
      let from: LogPieces.Place | undefined
      for (let isOver = false, readers = 0; !isOver; readers++) {
        assert.isBelow(readers, 99)
        // Each reader is gone after three pieces.
        const pieces = yield* ContainerLogs.stream(path, { follow: true, pieces: { attempt: 3 }, from }, Effect.succeed(true)).pipe(Stream.take(3), Stream.runCollect)
        for (const piece of pieces) {
          const bytes = Buffer.from(piece)
          const [place = "", length] = bytes.toString("latin1", 0, bytes.indexOf(10)).split(" ")
          assert.strictEqual(bytes.length, bytes.indexOf(10) + 1 + Number(length))
          text += bytes.toString("utf8", bytes.indexOf(10) + 1)
          isOver = place === "end"
          if (!isOver) from = Option.getOrThrow(LogPieces.parse(place))
        }
        // It grows between two readers.
        if (readers === 1) assert.isTrue(writer.write(Buffer.from("last\n"), "stdout"))
      }
      assert.isTrue(text === [...lines, "last\n"].join(""))
      assert.isTrue(Option.isNone(LogPieces.parse("3.1.-5.l")))
    }).pipe(Effect.scoped, Effect.provide(NodeContext.layer)), 20_000)

  it.live("are followed without a gap by a reader that is slower than the writer, as far as files are held for it", () =>
    Effect.gen(function*() {
      // 20 records to a file, and rotation keeps two files: each burst of 200 lines goes through ten.
      const { path, write, written } = yield* numbered({ maxBytes: 940, maxFiles: 2 })
      write(10)
      const reader = yield* ContainerLogs.open(path, { follow: true }, Effect.sync(() => written() >= 1_000))
      let text = ""
      const read = Effect.map(reader.next, (bytes) => void (text += Buffer.from(bytes).toString()))
      yield* read
      while (written() < 1_000) {
        // What is rotated between two looks is at most what rotation keeps; what is rotated until it is read may be eight files more.
        const lines = text.split("\n").length - 1
        for (let files = 0; files < 8; files++) {
          write(20)
          yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
          reader.look()
        }
        while (text.split("\n").length - 1 < lines + 160) yield* read
      }
      yield* Effect.forever(read).pipe(Effect.catchAll((end) => {
        assert.isTrue(Option.isNone(end))
        return Effect.void
      }))
      assert.deepStrictEqual(text.trimEnd().split("\n").map(Number), range(0, written()))
    }).pipe(Effect.scoped), 20_000)

  it.live("lose nothing of a rotation that was cut off in its midst, and show nothing twice", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const path = join(directory, "0.log")
      const lines = (from: number, to: number) => {
        const writer = criLog.open(path, { maxBytes: 1e6, maxFiles: 3, nanos: () => 1n })
        for (const line of range(from, to)) assert.isTrue(writer.write(Buffer.from(`${line}\n`), "stdout"))
        writer.close()
      }
      lines(0, 10)
      linkSync(path, `${path}.1`)
      writeFileSync(`${path}.new`, "")
      const read = ContainerLogs.stream(path, {}, Effect.succeed(true)).pipe(
        Stream.runCollect,
        Effect.map((chunks) => Buffer.concat(Chunk.toReadonlyArray(chunks)).toString().trimEnd().split("\n").map(Number))
      )
      assert.deepStrictEqual(yield* read, range(0, 10))
      lines(10, 20)
      assert.deepStrictEqual(yield* read, range(0, 20))
      assert.deepStrictEqual(readdirSync(directory), ["0.log"])
    }).pipe(Effect.scoped))

  it("are asked for with checked numbers", () => {
    const parse = (query: string) => LogTarget.parseQuery(new URLSearchParams(query))
    assert.strictEqual(Either.getOrThrow(parse("tailLines=5&follow=true")).tailLines, 5)
    assert.isTrue(Either.isLeft(parse("sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z")))
    assert.isTrue(Either.isLeft(parse("limitBytes=0")))
  })
})
