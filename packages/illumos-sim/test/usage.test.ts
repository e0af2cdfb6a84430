import { assert, describe, it } from "@effect/vitest"
import { Kstat, ResourceUsage } from "@reddwarf/runtime-illumos"
import { Effect, Schedule } from "effect"
import { Faults } from "../src/index.js"
import { host } from "./support.js"

const pause = Schedule.spaced("50 millis")

describe("what zones use", () => {
  it.live("is what their real processes use", () =>
    Effect.scoped(Effect.gen(function*() {
      const machine = yield* host()
      const readCounters = Effect.map(machine.run(ResourceUsage.counters), ({ stdout }) => ResourceUsage.parseCounters(stdout))
      yield* machine.running("busy")
      yield* machine.running("idle")
      // One process that works itself, and one whose short-lived children do.
      yield* Effect.forkScoped(machine.run({ program: "/usr/sbin/zlogin", args: ["busy", "while", ":;", "do", "/bin/sh", "-c", "'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done';", "done"] }))
      yield* Effect.forkScoped(machine.run({ program: "/usr/sbin/zlogin", args: ["idle", "sleep", "60"] }))

      const usageOf = (zone: string) =>
        Effect.flatMap(readCounters, ({ zones }) => Effect.fromNullable(zones.find((one) => one.zone === zone)))
      const first = yield* usageOf("busy").pipe(Effect.filterOrFail(({ cpuNanos }) => cpuNanos > 100_000_000), Effect.retry({ schedule: pause, times: 300 }))
      const second = yield* usageOf("busy").pipe(
        Effect.filterOrFail(({ cpuNanos }) => cpuNanos > first.cpuNanos + 100_000_000),
        Effect.retry({ schedule: pause, times: 300 })
      )
      assert.isAbove(second.cpuNanos, first.cpuNanos)
      assert.strictEqual(second.bootTime, first.bootTime)
      const idle = yield* usageOf("idle").pipe(Effect.filterOrFail(({ rss = 0 }) => rss > 0), Effect.retry({ schedule: pause, times: 300 }))
      assert.isBelow(idle.cpuNanos, 100_000_000)

      const processes = ResourceUsage.parseProcesses((yield* machine.run(ResourceUsage.processes)).stdout)
      const sleeping = processes.filter(({ zoneId }) => zoneId === idle.zoneId)
      assert.isNotEmpty(sleeping)
      assert.isTrue(sleeping.every(({ rss, session, size }) => rss > 0 && size >= rss && session > 1))
      assert.deepStrictEqual(processes.filter(({ zoneId }) => zoneId === 0).map(({ pid }) => pid), [0, 1])

      const { host: whole } = yield* readCounters
      assert.isAbove(whole.cpuNanos ?? 0, second.cpuNanos)
      assert.strictEqual(whole.memoryTotal, 4096 * 1024 * 1024)
    })), 60_000)

  it.live("counts refused memory until the zone halts, and keeps no fault of it", () =>
    Effect.scoped(Effect.gen(function*() {
      const machine = yield* host()
      const failures = Effect.map(machine.run(Kstat.read({ module: "memory_cap", statistic: "anon_alloc_fail" })), ({ stdout }) =>
        Kstat.parse(stdout).map(({ value }) => value))
      yield* machine.running("small")
      assert.deepStrictEqual(yield* failures, ["0"])
      yield* machine.inject(Faults.memoryRefused("small", 2))
      yield* machine.inject(Faults.memoryRefused("small"))
      yield* machine.inject(Faults.memoryRefused("none"))
      assert.deepStrictEqual(yield* failures, ["3"])
      assert.deepStrictEqual((yield* machine.state).faults, [])
      yield* machine.run({ program: "/usr/sbin/zoneadm", args: ["-z", "small", "reboot"] })
      assert.deepStrictEqual(yield* failures, ["0"])
    })), 20_000)

  it.live("refuses columns that ps does not know", () =>
    Effect.scoped(Effect.gen(function*() {
      const machine = yield* host()
      const refused = yield* machine.run({ program: "/usr/bin/ps", args: ["-e", "-o", "pid,bogus"] })
      assert.strictEqual(refused.exitCode, 1)
      assert.match(refused.stderr, /^ps: unknown output format: -o bogus\n/)
    })))
})
