import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { mkdtempSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as ledgerRecord from "../src/internal/ledgerRecord.js"
import * as rememberedFiles from "../src/internal/rememberedFiles.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "remembered-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

const Content = Schema.parseJson(Schema.Struct({ n: Schema.Number }))

/** As every file of a pod is written: beside the one before, and over it. */
const replace = (path: string, n: number, changedAt?: number): void => {
  writeFileSync(`${path}.new`, JSON.stringify({ n }))
  if (changedAt !== undefined) utimesSync(`${path}.new`, changedAt, changedAt)
  renameSync(`${path}.new`, path)
}

describe("remembered files", () => {
  it.scopedLive("are decoded once as long as they are the same, and again when they were replaced", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "state.json")
      const files = rememberedFiles.make(Content)
      assert.isTrue(Option.isNone(yield* files.read(path)))
      replace(path, 1, 1_700_000_000)
      const first = Option.getOrThrow(yield* files.read(path))
      assert.deepStrictEqual(first, { n: 1 })
      assert.strictEqual(Option.getOrThrow(yield* files.read(path)), first)
      replace(path, 2, 1_700_000_030)
      const second = Option.getOrThrow(yield* files.read(path))
      assert.deepStrictEqual(second, { n: 2 })
      files.forget(path)
      assert.notStrictEqual(Option.getOrThrow(yield* files.read(path)), second)
      rmSync(path)
      assert.isTrue(Option.isNone(yield* files.read(path)))
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scopedLive("are never older than the last one, however fast they follow each other", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "state.json")
      const files = rememberedFiles.make(Content)
      for (let n = 100; n < 400; n++) {
        replace(path, n)
        assert.deepStrictEqual(yield* files.read(path), Option.some({ n }))
      }
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scopedLive("tell what is wrong with them, each time", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "state.json")
      const files = rememberedFiles.make(Content)
      writeFileSync(path, "{")
      for (let n = 0; n < 2; n++) assert.strictEqual((yield* Effect.flip(files.read(path))).operation, "decode")
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})

describe("a record that was written by this process", () => {
  const Body = Schema.Struct({ n: Schema.Number })

  it.scopedLive("is kept beside the next one without being read", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "record")
      const record = ledgerRecord.make(path, 1, Body)
      yield* record.write({ n: 1 }, 1)
      const first = readFileSync(path, "utf8")
      yield* record.writeText(JSON.stringify({ n: 2 }), 2)
      assert.strictEqual(readFileSync(`${path}.previous`, "utf8"), first)
      assert.deepStrictEqual((yield* ledgerRecord.make(path, 1, Body).read).body, Option.some({ n: 2 }))
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scopedLive("is not kept once somebody else has damaged it", () =>
    Effect.gen(function*() {
      const path = join(yield* folder, "record")
      const record = ledgerRecord.make(path, 1, Body)
      yield* record.write({ n: 1 }, 1)
      const first = readFileSync(path, "utf8")
      yield* record.write({ n: 2 }, 2)
      writeFileSync(path, "damaged")
      yield* record.write({ n: 3 }, 3)
      assert.strictEqual(readFileSync(`${path}.previous`, "utf8"), first)
      assert.deepStrictEqual((yield* record.read).body, Option.some({ n: 3 }))
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
