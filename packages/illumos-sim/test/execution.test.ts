import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, FastCheck as fc, Duration } from "effect"
import { CommandLine } from "@reddwarf/runtime-illumos"
import { until } from "vitest-config/waiting"
import { Faults, FaultScript, SimulatedHost } from "../src/index.js"
import { host } from "./support.js"

describe("commands that are killed", () => {
  it.scopedLive("before, midway and after what they do", () =>
    Effect.gen(function*() {
      const { inject, sh, states, zone } = yield* host()
      yield* zone("z")
      for (const [when, state] of [["before", "configured"], ["midway", "incomplete"]] as const) {
        yield* inject(Faults.killed({ program: "zoneadm", match: "install", when }))
        assert.deepStrictEqual(yield* sh("zoneadm -z z install"), { exitCode: 137, stdout: "", stderr: "" })
        assert.strictEqual((yield* states)["z"], state)
      }
      // The lock died with the process.
      assert.strictEqual((yield* sh("zoneadm -z z uninstall -F")).exitCode, 0)
      yield* inject(Faults.killed({ program: "/usr/sbin/zoneadm", match: "install", when: "after" }))
      assert.strictEqual((yield* sh("zoneadm -z z install")).exitCode, 137)
      assert.strictEqual((yield* states)["z"], "installed")
      yield* inject(Faults.killed({ program: "dladm", when: "midway" }))
      assert.strictEqual((yield* sh("dladm create-etherstub -t s0")).exitCode, 137)
      assert.strictEqual((yield* sh("dladm show-etherstub")).stdout, "LINK\ns0\n")
    }))

  it.scopedLive("strike after as many commands as they are told to let through", () =>
    Effect.gen(function*() {
      const { inject, sh } = yield* host()
      yield* inject(Faults.failNext({ program: "zoneadm", match: "list", skip: 2, times: 2, stderr: "no", exitCode: 3 }))
      const codes = yield* Effect.replicateEffect(sh("zoneadm list"), 6)
      assert.deepStrictEqual(codes.map(({ exitCode }) => exitCode), [0, 0, 3, 3, 0, 0])
      assert.deepStrictEqual((yield* sh("zoneadm list -p")).exitCode, 0)
    }))

  it.scopedLive("with the host: what is in progress dies, temporary objects go, and nothing is locked", () =>
    Effect.gen(function*() {
      const { expectOk, inject, rebootHost, sh, states, zone } = yield* host({ installDelay: "30 seconds" })
      yield* zone("z")
      const install = yield* Effect.fork(sh("zoneadm -z z install"))
      yield* until("the installation", Effect.map(states, (now) => now["z"] === "incomplete"))
      yield* rebootHost
      assert.strictEqual((yield* states)["z"], "incomplete")
      assert.strictEqual((yield* sh("zoneadm -z z uninstall -F")).exitCode, 0)
      yield* Fiber.interruptFork(install)
      yield* inject(Faults.hostReboots({ program: "dladm", match: "create-etherstub", when: "after" }))
      assert.strictEqual((yield* sh("dladm create-etherstub -t s0")).exitCode, 137)
      assert.strictEqual((yield* sh("dladm show-etherstub -p -o link")).stdout, "")
      yield* expectOk("dladm create-etherstub s1")
      yield* inject(Faults.hostReboots({ program: "dladm", match: "create-vnic" }))
      yield* sh("dladm create-vnic -l s1 v0")
      assert.strictEqual((yield* sh("dladm show-vnic -p -o link")).stdout, "v0\n")
    }))

  it.scopedLive("a command that a reboot overtakes gives the status of a killed one", () =>
    Effect.gen(function*() {
      const { rebootHost, sh, states, zone } = yield* host({ installDelay: "300 millis" })
      yield* zone("z")
      const install = yield* Effect.fork(sh("zoneadm -z z install"))
      yield* until("the installation", Effect.map(states, (now) => now["z"] === "incomplete"))
      yield* rebootHost
      assert.deepStrictEqual(yield* Fiber.join(install), { exitCode: 137, stdout: "", stderr: "" })
      assert.strictEqual((yield* states)["z"], "incomplete")
    }))

  it.scopedLive("every command takes the latency of the host", () =>
    Effect.gen(function*() {
      const { sh } = yield* host({ latency: "40 millis" })
      const [elapsed] = yield* Effect.timed(sh("psrinfo -p"))
      assert.isAtLeast(Duration.toMillis(elapsed), 39)
    }))
})

describe("fault script", () => {
  const action = (line: string) => Either.getOrThrow(Either.map(FaultScript.parse(line), ([first]) => first))

  it("says what the constructors say", () => {
    const plant = (fault: Faults.Fault) => ({ kind: "plant" as const, fault })
    assert.deepStrictEqual(
      action("fail zoneadm match \"-z web boot\" skip 1 times 2 exit 3 text \"it's no\""),
      plant(Faults.failNext({ program: "zoneadm", match: "-z web boot", skip: 1, times: 2, exitCode: 3, stderr: "it's no" }))
    )
    assert.deepStrictEqual(action("kill zfs after"), plant(Faults.killed({ program: "zfs", when: "after" })))
    assert.deepStrictEqual(action("reboot during zoneadm match install"), plant(Faults.hostReboots({ program: "zoneadm", match: "install" })))
    assert.deepStrictEqual(action("delay zfs by 1.5s"), plant(Faults.slow({ program: "zfs", delayMillis: 1500 })))
    assert.deepStrictEqual(action("stuck web down"), plant(Faults.stuckZone("web", "down")))
    assert.deepStrictEqual(action("wait 2m"), { kind: "wait", millis: 120_000 })
  })

  it.each([
    ["fial zoneadm", "'fial' is no action"],
    ["fail", "names no program"],
    ["fail zoneadm times two", "not a number"],
    ["fail zoneadm times", "has no value"],
    ["delay zfs", "'by …' is missing"],
    ["delay zfs by soon", "not a time"],
    ["install-fails z exit 7", "no such state or exit status"],
    ["fail zfs text \"open", "quote is not closed"],
    ["wait", "takes a time"],
    ["__proto__ x", "is no action"]
  ])("refuses %s", (line, reason) => {
    const error = Either.getOrThrow(Either.flip(FaultScript.parse(`# first\n\n${line}\n`)))
    assert.include(error.message, reason)
    assert.strictEqual(error.line, 3)
  })

  const word = fc.stringMatching(/^[a-z][a-z0-9/_-]{0,8}$/)
  const text = fc.oneof(word, fc.constantFrom("two words", "it's", "-z web boot", "a #b"))
  const times = fc.integer({ min: 1, max: 9 })
  const target = fc.record({ program: word, match: text, times, skip: times }, { requiredKeys: ["program"] })
  const fault: fc.Arbitrary<Faults.Fault> = fc.oneof(
    fc.tuple(target, text, fc.integer({ min: 0, max: 255 })).map(([target, stderr, exitCode]) => Faults.failNext({ ...target, stderr, exitCode })),
    fc.tuple(target, fc.integer({ min: 0, max: 9999 })).map(([target, delayMillis]) => Faults.slow({ ...target, delayMillis })),
    target.map(Faults.hang),
    fc.tuple(target, fc.constantFrom("before" as const, "midway" as const, "after" as const)).map(([target, when]) => Faults.killed({ ...target, when })),
    fc.tuple(target, fc.constantFrom("before" as const, "midway" as const, "after" as const)).map(([target, when]) => Faults.hostReboots({ ...target, when })),
    word.map(Faults.outOfSpace),
    fc.tuple(word, times).map(([name, times]) => Faults.datasetBusy(name, times)),
    fc.tuple(word, fc.constantFrom(1 as const, 254 as const, 255 as const), times).map(([name, status, times]) => Faults.installFails(name, status, times)),
    fc.tuple(word, times).map(([service, exitCode]) => Faults.serviceFails({ service, exitCode })),
    fc.tuple(word, times).map(([zone, times]) => Faults.memoryRefused(zone, times)),
    word.map((pool) => Faults.poolHealth(pool, "DEGRADED"))
  )
  it.prop("reads every fault it writes", [fault], ([fault]) => {
    const line = FaultScript.format({ kind: "plant" as const, fault })
    assert.deepStrictEqual(action(line), { kind: "plant", fault })
    return true
  })

  it.scopedLive("runs on a host", () =>
    Effect.gen(function*() {
      const { inject, clearFaults, rebootHost, realPath, sh, shutDown, state } = yield* host()
      const script = Either.getOrThrow(FaultScript.parse("hang zpool\nclear\nfail psrinfo exit 9 text no\nreboot\nwait 1ms\n"))
      yield* Effect.provideService(FaultScript.run(script), SimulatedHost.SimulatedHost, { inject, clearFaults, rebootHost, realPath, shutDown, state })
      assert.strictEqual((yield* sh("psrinfo -p")).exitCode, 9)
      assert.strictEqual((yield* state).boots, 1)
      assert.deepStrictEqual((yield* state).faults, [])
    }))

  it.scopedLive("tells the run level, which a host that goes down changes first", () =>
    Effect.gen(function*() {
      const { rebootHost, run, shutDown } = yield* host()
      assert.match((yield* run(CommandLine.make("/usr/bin/who", "-r"))).stdout, /^ {3}\. {7}run-level 3 {2}\w{3} [ \d]\d \d\d:\d\d {5}3 {6}0 {2}S\n$/)
      yield* shutDown
      assert.match((yield* run(CommandLine.make("/usr/bin/who", "-r"))).stdout, /run-level 5 .* 5 {6}0 {2}3\n$/)
      yield* rebootHost
      assert.include((yield* run(CommandLine.make("/usr/bin/who", "-r"))).stdout, "run-level 3")
    }))
})
