import { assert, describe, it } from "@effect/vitest"
import { HostMeasurements } from "@reddwarf/node-agent"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { DatasetName, StorageEngine } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"

/** A host without a pool, that counts how often it is asked for its counters. */
const counting = () => {
  let asked = 0
  const runner = CommandRunner.CommandRunner.of({
    run: (line) =>
      Effect.sync(() => {
        if (!line.program.endsWith("kstat")) return { exitCode: 1, stdout: "", stderr: "no such pool" }
        asked += 1
        return { exitCode: 0, stdout: `unix:0:system_misc:boot_time\t${asked}`, stderr: "" }
      }),
    start: () => Effect.dieMessage("nothing is started"),
    tempFile: () => Effect.dieMessage("no file is made")
  })
  const layer = Layer.provideMerge(StorageEngine.layerZfs({ root: DatasetName.make("rpool/reddwarf") }), Layer.succeed(CommandRunner.CommandRunner, runner))
  return { asked: () => asked, layer }
}

describe("measurements that are shared", () => {
  it.effect("are taken once for all who look within the age, and always for who must know", () => {
    const host = counting()
    return Effect.gen(function*() {
      const { now, recent } = HostMeasurements.shared("15 seconds")
      const boots = (reading: typeof now) => Effect.map(reading, ({ bootTime }) => bootTime)
      assert.strictEqual(yield* boots(recent), 1)
      assert.strictEqual(yield* boots(recent), 1)
      assert.strictEqual(yield* boots(now), 2)
      yield* TestClock.adjust("14 seconds")
      assert.strictEqual(yield* boots(recent), 2)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* boots(recent), 3)
      assert.strictEqual(host.asked(), 3)
    }).pipe(Effect.provide(host.layer))
  })
})
