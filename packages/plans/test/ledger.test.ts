import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { FileSystem } from "@effect/platform"
import { SystemError } from "@effect/platform/Error"
import { assert, describe, it } from "@effect/vitest"
import { type Plan, PlanLedger, type ZoneInstance } from "@reddwarf/plans"
import { Context, Effect, Layer, Option } from "effect"
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { instanceOf, type Ledger } from "./support/simCluster.js"

const uid = "uid-1"

const plan: Plan.Plan = {
  id: "p1",
  type: "restart",
  phase: "Active",
  target: { specHash: "h1", digests: {} },
  reason: [],
  tasks: [
    { type: "ensure-network", id: "t0", status: "Pending", params: {}, maxRetries: 3, retryCount: 0 },
    { type: "boot-zone", id: "t1", status: "Pending", params: {}, maxRetries: 2, retryCount: 0 }
  ],
  currentTask: "ensure-network",
  createdAt: "2026-01-01T00:00:00Z",
  deadline: "2026-01-01T00:30:00Z"
}

const begun = instanceOf({}, { phase: "Running", plan })
const ended = (marker: string): ZoneInstance.ZoneInstance => instanceOf({}, { phase: "Running", zoneName: marker })

const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "plans-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** Counts what goes to the disk; `fails` makes the next sync fail, after all was written. */
const counting = (counts: { syncs: number; opens: number; fails?: boolean }) =>
  Layer.map(NodeFileSystem.layer, (context) => {
    const fs = Context.get(context, FileSystem.FileSystem)
    return Context.make(FileSystem.FileSystem, {
      ...fs,
      open: (path, options) =>
        Effect.map(fs.open(path, options), (file) => {
          counts.opens += 1
          return new Proxy(file, {
            get: (target, name) => {
              if (name === "sync") {
                return Effect.tap(target.sync, () =>
                  Effect.suspend(() => {
                    counts.syncs += 1
                    if (counts.fails !== true) return Effect.void
                    counts.fails = false
                    return Effect.fail(new SystemError({ reason: "Unknown", module: "FileSystem", method: "sync", description: "input/output error" }))
                  }))
              }
              const value: unknown = Reflect.get(target, name)
              return typeof value === "function" ? value.bind(target) : value
            }
          })
        })
    })
  })

const open = (folder: string, counts: Parameters<typeof counting>[0] = { syncs: 0, opens: 0 }): Effect.Effect<Ledger> =>
  Effect.orDie(Effect.scoped(Effect.map(
    Layer.build(PlanLedger.layer({ folder }).pipe(Layer.provide(counting(counts)))),
    Context.get(PlanLedger.PlanLedger)
  )))

const loaded = (ledger: Ledger) => Effect.map(ledger.load(uid), Option.getOrThrow)

describe("ledger", () => {
  it.scopedLive("has after a restart what was written", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const first = yield* open(folder)
      yield* first.intent(begun)
      yield* first.accepted(uid, "p1")
      const [task] = plan.tasks
      assert.isDefined(task)
      yield* first.tasks(uid, "p1", [[0, { ...task, status: "Complete" }]], false)
      const entry = yield* loaded(yield* open(folder))
      assert.isTrue(entry.accepted)
      assert.isFalse(entry.recovered)
      assert.deepStrictEqual(entry.plan?.tasks.map(({ status }) => status), ["Complete", "Pending"])
      assert.strictEqual(entry.plan?.currentTask, "boot-zone")
      const second = yield* open(folder)
      yield* second.ended(ended("over"))
      assert.strictEqual(readFileSync(join(folder, `${uid}.log`), "utf8"), "")
      const after = yield* loaded(yield* open(folder))
      assert.strictEqual(after.plan, undefined)
      assert.strictEqual(after.instance.status?.zoneName, "over")
      assert.deepStrictEqual(yield* (yield* open(folder)).list, [uid])
    }))

  it.scopedLive("keeps what follows a write of which it was not said whether it is on disk", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const counts = { syncs: 0, opens: 0, fails: false }
      const ledger = yield* open(folder, counts)
      yield* ledger.intent(begun)
      const [task] = plan.tasks
      assert.isDefined(task)
      counts.fails = true
      assert.strictEqual((yield* Effect.flip(ledger.tasks(uid, "p1", [[0, { ...task, retryCount: 1 }]], true)))._tag, "LedgerFailed")
      yield* ledger.tasks(uid, "p1", [[0, { ...task, status: "Complete" }]], true)
      const entry = yield* loaded(yield* open(folder))
      assert.deepStrictEqual(entry.plan?.tasks.map(({ status }) => status), ["Complete", "Pending"])
    }))

  it.scopedLive("brings a pod up with six fsyncs", () =>
    Effect.gen(function*() {
      const counts = { syncs: 0, opens: 0 }
      const ledger = yield* open(yield* temporary, counts)
      yield* ledger.intent(begun)
      yield* ledger.accepted(uid, "p1")
      for (const durable of [false, false, false, true, false, true, false]) {
        yield* ledger.tasks(uid, "p1", plan.tasks.map((task, index) => [index, task] as const), durable)
      }
      yield* ledger.ended(ended("over"))
      assert.strictEqual(counts.syncs, 6)
    }))

  it.scopedLive("falls back to the previous copy when a record is not whole, and says so", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const ledger = yield* open(folder)
      yield* ledger.save(ended("one"))
      yield* ledger.save(ended("two"))
      const file = join(folder, uid)
      writeFileSync(file, readFileSync(file, "utf8").replace("two", "2wo"))
      const again = yield* open(folder)
      const entry = yield* loaded(again)
      assert.strictEqual(entry.instance.status?.zoneName, "one")
      assert.isTrue(entry.recovered)
      assert.deepStrictEqual([...(yield* again.rebuilt)], [uid])
    }))

  it.scopedLive("has nothing when both copies are broken, and goes on from there", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const ledger = yield* open(folder)
      yield* ledger.save(ended("one"))
      yield* ledger.save(ended("two"))
      writeFileSync(join(folder, uid), "rubbish")
      writeFileSync(join(folder, `${uid}.prev`), "")
      const again = yield* open(folder)
      assert.isTrue(Option.isNone(yield* again.load(uid)))
      yield* again.intent(begun)
      assert.strictEqual((yield* loaded(yield* open(folder))).plan?.id, "p1")
    }))

  it.scopedLive("reads a log up to where it is cut off, at every byte, and can be written again", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const ledger = yield* open(folder)
      yield* ledger.intent(begun)
      const whole = readFileSync(join(folder, `${uid}.log`), "utf8")
      const [task] = plan.tasks
      assert.isDefined(task)
      yield* ledger.tasks(uid, "p1", [[0, { ...task, status: "Complete" }]], false)
      const full = readFileSync(join(folder, `${uid}.log`), "utf8")
      for (let length = whole.length; length < full.length; length += 7) {
        const copy = join(folder, `at-${length}`)
        mkdirSync(copy)
        writeFileSync(join(copy, `${uid}.log`), full.slice(0, length))
        const again = yield* open(copy)
        assert.strictEqual((yield* loaded(again)).plan?.tasks[0]?.status, "Pending")
        yield* again.tasks(uid, "p1", [[0, { ...task, status: "Complete" }]], true)
        assert.strictEqual((yield* loaded(yield* open(copy))).plan?.tasks[0]?.status, "Complete")
      }
    }))

  it.scopedLive("does not read lines that are older than the record", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const ledger = yield* open(folder)
      yield* ledger.intent(begun)
      const log = readFileSync(join(folder, `${uid}.log`), "utf8")
      yield* ledger.ended(ended("over"))
      // The host crashed before the emptied log was on disk.
      writeFileSync(join(folder, `${uid}.log`), log)
      const entry = yield* loaded(yield* open(folder))
      assert.strictEqual(entry.plan, undefined)
      assert.strictEqual(entry.instance.status?.zoneName, "over")
    }))

  it.scopedLive("refuses what a newer agent wrote", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const { createHash } = yield* Effect.promise(() => import("node:crypto"))
      const body = "{}"
      const sum = createHash("sha256").update(`2 1 ${body}`).digest("hex").slice(0, 32)
      appendFileSync(join(folder, uid), `reddwarf-plans 2 1 ${sum} ${body}\n`)
      const error = yield* Effect.flip(Effect.scoped(Layer.build(PlanLedger.layer({ folder }).pipe(Layer.provide(NodeFileSystem.layer)))))
      assert.strictEqual(error._tag, "LedgerSchemaNewer")
      assert.include(error.message, "start the newer agent")
    }))

  it.scopedLive("refuses names that are no uids, and removes everything of a pod", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const ledger = yield* open(folder)
      for (const name of ["../x", "", "a/b", "uid.prev", "-x"]) {
        assert.strictEqual((yield* Effect.flip(ledger.load(name)))._tag, "LedgerFailed")
      }
      yield* ledger.save(ended("one"))
      yield* ledger.save(ended("two"))
      yield* ledger.remove(uid)
      assert.deepStrictEqual(readdirSync(folder), [])
      assert.isFalse(existsSync(join(folder, uid)))
    }))

  it.scopedLive("fails with a path when it cannot write, and keeps what it had", () =>
    Effect.gen(function*() {
      const folder = yield* temporary
      const ledger = yield* open(folder)
      yield* ledger.save(ended("one"))
      mkdirSync(join(folder, `${uid}.log`))
      const error = yield* Effect.flip(ledger.intent(begun))
      assert.include(error.message, `${uid}.log`)
      assert.strictEqual((yield* loaded(ledger)).plan, undefined)
    }))
})
