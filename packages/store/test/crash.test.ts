import { assert, describe, it } from "@effect/vitest"
import { ObjectStore } from "@reddwarf/store"
import { Clock, Console, Effect, Random, Schema } from "effect"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import * as NodePath from "node:path"
import { bundle } from "vitest-config/bundle"
import { temporaryDirectory } from "./support/stores.js"

const bundleWriter = Effect.flatMap(temporaryDirectory, (directory) => bundle(new URL("crash/writer.ts", import.meta.url), directory))

/** Runs a command and kills it as soon as `deadline` ends, which is told of the first acknowledged write; answers with all that it has said. */
const runUntil = (command: string, args: ReadonlyArray<string>, deadline: (busy: Effect.Effect<void>) => Effect.Effect<void>) =>
  Effect.scoped(Effect.gen(function*() {
    const busy = yield* Effect.makeLatch(false)
    let output = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] })),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk
      if (output.includes("\nack ")) busy.unsafeOpen()
    })
    const closed = Effect.async<void>((resume) => {
      child.once("close", () => resume(Effect.void))
    })
    yield* Effect.all([
      closed,
      Effect.raceFirst(Effect.zipRight(deadline(busy.await), Effect.sync(() => child.kill("SIGKILL"))), Effect.never).pipe(
        Effect.forkScoped
      )
    ], { concurrency: 2 })
    // A line that is cut off was not reported whole: it does not count as acknowledged.
    return output.slice(0, output.lastIndexOf("\n") + 1).split("\n").filter((line) => line.length > 0)
  }))

interface Ack {
  readonly type: string
  readonly revision: number
  readonly key: string
  readonly sum: string
}

const acksOf = (lines: ReadonlyArray<string>): ReadonlyArray<Ack> =>
  lines.flatMap((line) => {
    const [word, type = "", revision, key = "", sum = ""] = line.split(" ")
    return word === "ack" ? [{ type, revision: Number(revision), key, sum }] : []
  })

const sha1 = (data: string | Uint8Array): string => createHash("sha1").update(data).digest("hex")

const decodeBody = Schema.decodeUnknownSync(Schema.parseJson(
  Schema.Struct({ key: Schema.String, revision: Schema.Number, fill: Schema.String, sum: Schema.String })
))

const checkWhole = (version: ObjectStore.Version): void => {
  const body = decodeBody(new TextDecoder().decode(version.bytes))
  assert.deepStrictEqual([body.key, body.revision, body.sum], [version.key, version.revision, sha1(body.fill)])
}

const isBehind = (ack: { readonly key: string }) => ack.key.startsWith("/leases/")

/** Opens what the killed process has left and compares it with what it had acknowledged: in this life, and of heartbeats ever. */
const check = (path: string, acks: ReadonlyArray<Ack>, before: number, heartbeats: Map<number, string>) =>
  Effect.gen(function*() {
    const store = yield* ObjectStore.ObjectStore
    const revision = yield* store.revision
    const compacted = yield* store.compactedRevision
    const changes = yield* store.changesAfter(compacted)
    const current = (yield* store.range({ prefix: "" })).items
    for (const version of [...changes, ...current]) checkWhole(version)
    assert.deepStrictEqual(changes.map((change) => change.revision), changes.map((change) => change.revision).sort((a, b) => a - b))

    // Also the revisions of what was not written any more are used up.
    const newest = acks.reduce((max, ack) => Math.max(max, ack.revision), before)
    assert.isAtLeast(revision, newest)

    // A revision never stands for two contents, whether its write survived or not.
    for (const ack of acks) {
      assert.isFalse(heartbeats.has(ack.revision))
      if (isBehind(ack)) heartbeats.set(ack.revision, ack.sum)
    }
    for (const version of current.filter(isBehind)) {
      const shown = heartbeats.get(version.revision)
      // Also what was written before the writer could report it.
      if (shown !== undefined) assert.strictEqual(sha1(version.bytes), shown)
    }

    const byRevision = new Map(changes.map((change) => [change.revision, change]))
    const byKey = new Map(current.map((version) => [version.key, version]))
    const last = new Map<string, Ack>()
    const durable = acks.filter((ack) => !isBehind(ack))
    for (const ack of durable) {
      assert.isAbove(ack.revision, before)
      if (ack.revision > (last.get(ack.key)?.revision ?? 0)) last.set(ack.key, ack)
      if (ack.revision <= compacted) continue
      const change = byRevision.get(ack.revision)
      assert.deepStrictEqual([change?.type, change?.key, sha1(change?.bytes ?? "")], [ack.type, ack.key, ack.sum])
    }
    // Also what compaction went over: the last acknowledged state of a key is there, or a later one that was durable.
    for (const ack of last.values()) {
      const version = byKey.get(ack.key)
      if (changes.some((change) => change.key === ack.key && change.revision > ack.revision)) continue
      assert.deepStrictEqual(version === undefined ? "deleted" : sha1(version.bytes), ack.type === "delete" ? "deleted" : ack.sum)
    }
    const acknowledged = new Set(durable.map((ack) => ack.revision))
    const unacknowledged = changes.filter((change) =>
      change.revision > before && !isBehind(change) && !acknowledged.has(change.revision)
    ).length
    return { revision, durable: durable.length, unacknowledged }
  }).pipe(Effect.provide(ObjectStore.layerSqlite({ path, writeBehind: { prefixes: ["/leases/"] } })))

const rounds = 60

describe("a process that dies", () => {
  it.scopedLive("loses no acknowledged write, however often it is killed", () =>
    Effect.gen(function*() {
      const writer = yield* bundleWriter
      const path = NodePath.join(yield* temporaryDirectory, "store.db")
      const started = yield* Clock.currentTimeMillis
      const total = { acknowledged: 0, unacknowledged: 0, early: 0 }
      const heartbeats = new Map<number, string>()
      let revision = 0
      for (let round = 0; round < rounds; round++) {
        // Every sixth dies at some moment of its start, the others under load.
        const early = round % 6 === 5
        const delay = yield* Random.nextIntBetween(0, 120)
        const lines = yield* runUntil(process.execPath, [writer, path], (busy) =>
          Effect.zipRight(early ? Effect.sleep(60) : busy, Effect.sleep(delay)))
        const acks = acksOf(lines)
        const found = yield* check(path, acks, revision, heartbeats)
        revision = found.revision
        total.acknowledged += found.durable
        total.unacknowledged += found.unacknowledged
        if (acks.length === 0) total.early++
      }
      assert.isAtMost(total.early, rounds / 6)
      const seconds = ((yield* Clock.currentTimeMillis) - started) / 1000
      yield* Console.log(
        `${rounds} kills in ${seconds.toFixed(1)} s: ${total.acknowledged} acknowledged durable writes, 0 lost; ` +
          `${heartbeats.size} heartbeats, no revision used twice; ` +
          `${total.unacknowledged} durable but not yet acknowledged; ${total.early} killed before the first one`
      )
    }), { timeout: 60_000 })

  it.scopedLive("stops writing when the disk refuses, and has kept what it acknowledged", () =>
    Effect.gen(function*() {
      const writer = yield* bundleWriter
      const path = NodePath.join(yield* temporaryDirectory, "store.db")
      // A file may not grow above 2 MiB: the write that crosses it gets EFBIG, which SQLite reports as an I/O error.
      const script = 'trap "" XFSZ; ulimit -f "$1"; exec "$2" "$3" "$4"'
      const lines = yield* runUntil(
        "/bin/sh",
        ["-c", script, "sh", "4096", process.execPath, writer, path],
        () => Effect.sleep("15 seconds")
      )
      assert.include(lines.at(-1) ?? "", "fault Failed")
      const acks = acksOf(lines)
      assert.isAbove(acks.length, 100)
      yield* check(path, acks, 0, new Map())
    }), { timeout: 30_000 })
})
