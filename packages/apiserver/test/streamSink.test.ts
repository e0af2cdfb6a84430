import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { EventEmitter } from "node:events"
import * as streamSink from "../src/internal/streamSink.js"

/** A stream that is full at once and drains when it is told. */
class Full extends EventEmitter {
  readonly written: Array<Uint8Array> = []
  write(chunk: Uint8Array): boolean {
    this.written.push(chunk)
    return false
  }
}

const chunk = new Uint8Array(1)

describe("a sink over a stream", () => {
  it.effect("does not wait for a drain that came before anybody waited", () =>
    Effect.gen(function*() {
      const target = new Full()
      const sink = streamSink.make({ waitingSince: 0, closed: false }, target, () => 1)
      assert.isFalse(sink.write(chunk))
      target.emit("drain")
      yield* sink.drained
      let called = 0
      sink.whenDrained?.(() => called++)
      assert.strictEqual(called, 1)
    }))

  it.effect("tells all who wait, once, and marks the time in which it waits", () =>
    Effect.sync(() => {
      const target = new Full()
      const receiver = { waitingSince: 0, closed: false }
      const sink = streamSink.make(receiver, target, () => 7)
      sink.write(chunk)
      sink.write(chunk)
      assert.strictEqual(target.listenerCount("drain"), 1)
      assert.strictEqual(receiver.waitingSince, 0)
      const told: Array<string> = []
      sink.whenDrained?.(() => told.push("a"))
      const forget = sink.whenDrained?.(() => told.push("b"))
      assert.strictEqual(receiver.waitingSince, 7)
      forget?.()
      assert.strictEqual(receiver.waitingSince, 7)
      target.emit("drain")
      target.emit("drain")
      assert.deepStrictEqual(told, ["a"])
      assert.strictEqual(receiver.waitingSince, 0)
      assert.strictEqual(target.listenerCount("drain"), 0)
    }))
})
