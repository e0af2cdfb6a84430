import { assert, describe, it } from "@effect/vitest"
import * as awakeClock from "../src/internal/awakeClock.js"

describe("the clock that others are judged by", () => {
  it("goes with the time while its ticks are on time", () => {
    let time = 1000
    const clock = awakeClock.make(() => time, 75)
    for (let i = 0; i < 10; i++) {
      time += i % 2 === 0 ? 75 : 30
      clock.tick()
    }
    assert.strictEqual(clock.now(), time)
  })

  it("leaves out what a tick comes late", () => {
    let time = 1000
    const clock = awakeClock.make(() => time, 75)
    time += 50
    const waitingSince = clock.now()
    time += 5000
    clock.tick()
    assert.isAtMost(clock.now() - waitingSince, 75)
    time += 75
    clock.tick()
    assert.isAtMost(clock.now() - waitingSince, 150)
  })
})
