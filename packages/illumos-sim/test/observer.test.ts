import { assert, describe, it } from "@effect/vitest"
import { CommandRunner, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { Effect, Fiber, Layer, TestClock } from "effect"
import { settle, until } from "vitest-config/waiting"
import { host } from "./support.js"

/** Five seconds in quarters of one, with everything that happens in each. */
const fiveSeconds = Effect.repeatN(Effect.zipRight(TestClock.adjust("250 millis"), settle), 19)

/** So many zones on their way down, something waiting for each of them: how many looks at zones that takes, and how many booting them all. */
const waitingFor = (count: number) =>
  Effect.gen(function*() {
    const { expectOk, run, sh, start, states, tempFile, zone } = yield* host({ haltDelay: "20 seconds" })
    const inState = (wanted: string) => Effect.map(states, (now) => Object.values(now).filter((state) => state === wanted).length)
    const zones = Array.from({ length: count }, (_, index) => ZoneName.make(`z${index}`))
    for (const name of zones) {
      yield* zone(name)
      yield* expectOk(`zoneadm -z ${name} install`)
      yield* expectOk(`zoneadm -z ${name} boot`)
    }
    const halting = yield* Effect.fork(Effect.forEach(zones, (name) => sh(`zoneadm -z ${name} halt`), { concurrency: "unbounded", discard: true }))
    yield* until("all zones are on their way", Effect.zipRight(settle, Effect.map(inState("shutting_down"), (going) => going === count)))
    // The zones go on by themselves; a command that still waited for them would take the next boot for the old one.
    yield* Fiber.interrupt(halting)
    let looks = 0
    const counting = CommandRunner.CommandRunner.of({
      run: (line) =>
        Effect.suspend(() => {
          if (line.program.endsWith("zoneadm") && line.args.includes("list")) looks += 1
          return run(line)
        }),
      start,
      tempFile
    })
    return yield* Effect.gen(function*() {
      const runtime = yield* ZoneRuntime.ZoneRuntime
      const booting = yield* Effect.fork(Effect.forEach(zones, runtime.boot, { concurrency: "unbounded", discard: true }))
      yield* settle
      looks = 0
      yield* fiveSeconds
      const waiting = looks
      looks = 0
      yield* Effect.repeatN(fiveSeconds, 2)
      // The global zone runs as well.
      yield* until("all zones run", Effect.zipRight(
        Effect.zipRight(TestClock.adjust("1 second"), settle),
        Effect.map(inState("running"), (running) => running === count + 1)
      ))
      yield* Fiber.join(booting)
      const afterwards = looks
      looks = 0
      yield* fiveSeconds
      return { waiting, afterwards, idle: looks }
    }).pipe(Effect.provide(Layer.provide(ZoneRuntime.layer, Layer.succeed(CommandRunner.CommandRunner, counting))))
  })

describe("zones that are waited for", () => {
  it.scoped("are looked at together: 200 of them cost as many looks as two", () =>
    Effect.gen(function*() {
      const few = yield* waitingFor(2)
      const many = yield* waitingFor(200)
      assert.isAtMost(Math.abs(many.waiting - few.waiting), 1, `${many.waiting} and ${few.waiting} looks`)
      assert.isAtMost(many.waiting, 22)
      assert.isAtLeast(few.waiting, 10)
      // Fifteen more seconds; then each of the 200 is read after its command, and those that ended together are read together.
      assert.isBelow(many.afterwards, 200)
      assert.deepStrictEqual([few.idle, many.idle], [0, 0])
    }), 60_000)
})
