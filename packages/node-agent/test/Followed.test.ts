import { assert, describe, it } from "@effect/vitest"
import { ZoneName } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { settle } from "vitest-config/waiting"
import * as activeDeadline from "../src/internal/activeDeadline.js"
import * as followed from "../src/internal/followed.js"
import type * as Files from "../src/supervisor/SupervisorFiles.js"

describe("a followed value", () => {
  it.effect("wakes those who wait for what it becomes, and nobody else", () =>
    Effect.gen(function*() {
      const cell = followed.make({ n: 0 })
      const even = (least: number) => cell.until(({ n }) => n >= least && n % 2 === 0 ? n : undefined)
      assert.strictEqual(yield* even(0), 0)
      const two = yield* Effect.fork(even(1))
      const cut = yield* Effect.fork(even(1))
      yield* settle
      yield* Fiber.interrupt(cut)
      yield* cell.set({ n: 1 })
      yield* settle
      assert.isNull(yield* Effect.map(Fiber.poll(two), (exit) => exit._tag === "None" ? null : exit.value))
      yield* cell.set({ n: 2 })
      assert.strictEqual(yield* Fiber.join(two), 2)
      assert.strictEqual(cell.get().n, 2)
    }))

  it.effect("is seen by a slow one as it is, not as it was meanwhile", () =>
    Effect.gen(function*() {
      const cell = followed.make({ n: 0 })
      const seen: Array<number> = []
      const fiber = yield* Effect.fork(cell.each(({ n }) => Effect.sync(() => void seen.push(n))))
      yield* settle
      for (const n of [1, 2, 3]) yield* cell.set({ n })
      yield* settle
      assert.deepStrictEqual(seen, [0, 3])
      yield* cell.set({ n: 4 })
      yield* settle
      assert.deepStrictEqual(seen, [0, 3, 4])
      yield* Fiber.interrupt(fiber)
    }))
})

describe("a limit of how long a pod is active", () => {
  it.effect("is the one that holds when its time comes", () =>
    Effect.gen(function*() {
      const spec = (activeDeadlineAt?: number): Files.PodSpec => ({
        schema: 1,
        pod: { namespace: "default", name: "p", uid: "u" },
        zone: ZoneName.make("default-p-1"),
        restartPolicy: "Never",
        containers: [],
        backOff: { initialMillis: 1, maxMillis: 1, resetMillis: 1 },
        logs: { directory: "/logs", maxBytes: 1, maxFiles: 1 },
        desired: { state: "run" },
        ...(activeDeadlineAt === undefined ? {} : { activeDeadlineAt })
      })
      const specs = followed.make(spec())
      const passed = yield* Effect.fork(activeDeadline.passed(specs))
      const isOver = Effect.map(Effect.zipRight(settle, Fiber.poll(passed)), (exit) => exit._tag === "Some")
      yield* specs.set(spec(10_000))
      yield* settle
      yield* specs.set(spec(20_000))
      yield* settle
      yield* TestClock.adjust("15 seconds")
      assert.isFalse(yield* isOver)
      yield* specs.set(spec())
      yield* settle
      yield* TestClock.adjust("1 minute")
      assert.isFalse(yield* isOver)
      yield* specs.set(spec(80_000))
      yield* settle
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(yield* isOver)
    }))
})
