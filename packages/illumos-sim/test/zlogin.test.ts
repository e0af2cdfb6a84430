import { assert, describe, it } from "@effect/vitest"
import { Zlogin } from "@reddwarf/runtime-illumos"
import { Effect, Fiber, Schedule } from "effect"
import * as fs from "node:fs"
import { alive, host, type Host, type Row } from "./support.js"

const rows: ReadonlyArray<Row> = [
  { name: "unknown zone", run: "zlogin nix true", exit: 1, stderr: "zlogin: zone 'nix' unknown\n" },
  { name: "global zone", run: "zlogin global true", exit: 1, stderr: "zlogin: 'zlogin' not applicable to the global zone\n" },
  { name: "configured zone", run: "zlogin c true", exit: 1, stderr: "zlogin: cannot login to a zone which is 'configured'\n" },
  { name: "installed zone", before: ["zoneadm -z c install"], run: "zlogin c true", exit: 1, stderr: "zlogin: login allowed only to running zones (c is 'installed').\n" },
  { name: "bad option", run: "zlogin -x z true", exit: 2 },
  { name: "no zone", run: "zlogin", exit: 2 },
  { name: "user in failsafe mode", run: "zlogin -S -l root z true", exit: 2 },
  { name: "unknown user", run: "zlogin -l bob z true", exit: 1, stderr: "su: Unknown id: bob\n" },
  { name: "exit status", run: "zlogin z exit 7", exit: 7, stderr: "" },
  { name: "signal gives 0", run: "zlogin z kill -9 $$", exit: 0, stderr: "" },
  { name: "arguments are joined and parsed again", run: "zlogin z echo a ; echo $((1+1))", exit: 0, stdout: "a\n2\n" },
  { name: "output on both streams", run: "zlogin -Q z echo o; echo e >&2", exit: 0, stdout: "o\n", stderr: "e\n" }
]

describe("zlogin", () => {
  for (const row of rows) {
    it.scopedLive(row.name, () =>
      Effect.gen(function*() {
        const { running, zone, sh, expectOk } = yield* host()
        yield* running("z")
        yield* zone("c")
        for (const command of row.before ?? []) yield* expectOk(command)
        const result = yield* sh(row.run)
        if (row.stderr !== undefined) assert.strictEqual(result.stderr, row.stderr)
        if (row.stdout !== undefined) assert.strictEqual(result.stdout, row.stdout)
        assert.strictEqual(result.exitCode, row.exit)
        // Whatever zlogin says, its callers get an error they can act on.
        if (result.stderr.startsWith("zlogin:")) assert.notStrictEqual(Zlogin.classify("run a command in zone", "z", result)._tag, "HostCommandFailed")
      }))
  }

  it.scopedLive("gives the command the zone's root, stdin, and an environment of its own", () =>
    Effect.gen(function*() {
      const { running, run, realPath } = yield* host()
      yield* running("z")
      const answer = yield* run({ program: "zlogin", args: ["z", "pwd; cat; env | sort"], stdin: "input\n" })
      const [cwd, input, ...environment] = answer.stdout.trim().split("\n")
      assert.strictEqual(cwd, fs.realpathSync(realPath("/zones/z/root")))
      assert.strictEqual(input, "input")
      assert.deepStrictEqual(
        environment.map((line) => line.split("=")[0]).filter((name) => name !== "_"),
        ["HOME", "LOGNAME", "MAIL", "PATH", "PWD", "REDDWARF_SIM_ZONE", "SHELL"]
      )
      const failsafe = yield* run({ program: "zlogin", args: ["-S", "z", "echo $HOME $SHELL $LOGNAME"] })
      assert.strictEqual(failsafe.stdout, "/ /sbin/sh\n")
    }))

  it.scopedLive("waits for children that hold its pipes, and kills the command at the deadline", () =>
    Effect.gen(function*() {
      const { running, run } = yield* host()
      yield* running("z")
      assert.strictEqual((yield* run({ program: "zlogin", args: ["z", "(sleep 0.2; echo late) & echo early"] })).stdout, "early\nlate\n")
      const error = yield* Effect.flip(run({ program: "zlogin", args: ["z", "sleep 60 & wait"], timeout: "100 millis" }))
      assert.strictEqual(error.reason, "Timeout")
    }))
})

const pidIn = (target: Host, file: string) =>
  Effect.sync(() => {
    const real = target.realPath(file)
    return fs.existsSync(real) ? Number(fs.readFileSync(real, "utf8")) : 0
  }).pipe(Effect.repeat({ until: (pid) => pid > 0, schedule: Schedule.spaced("5 millis") }), Effect.zipRight(Effect.sync(() => Number(fs.readFileSync(target.realPath(file), "utf8")))), Effect.timeout("5 seconds"))

describe.skipIf(!fs.existsSync("/proc/self/stat"))("processes of a zone", () => {
  const daemons = [
    // Leaves its group and session, keeps the marker.
    "setsid sh -c 'echo $$ >a.pid; exec sleep 300' >/dev/null 2>&1 </dev/null &",
    // Drops the environment, stays in the group.
    "env -i sh -c 'echo $$ >b.pid; exec sleep 300' >/dev/null 2>&1 </dev/null &",
    // Ignores SIGTERM, and its child leaves the group without the environment.
    "sh -c 'trap \"\" TERM; setsid env -i sh -c \"echo \\$\\$ >c.pid; exec sleep 300\" & while :; do sleep 1; done' >/dev/null 2>&1 </dev/null &"
  ]
  const start = (target: Host) =>
    Effect.gen(function*() {
      for (const daemon of daemons) yield* target.run({ program: "zlogin", args: ["z", daemon] })
      return yield* Effect.forEach(["a", "b", "c"], (name) => pidIn(target, `/zones/z/root/${name}.pid`))
    })

  for (const operation of ["halt", "shutdown", "reboot"]) {
    it.scopedLive(`outlive zlogin and die at ${operation}`, () =>
      Effect.gen(function*() {
        const target = yield* host({ shutdownGrace: "50 millis" })
        yield* target.running("z")
        const pids = yield* start(target)
        assert.deepStrictEqual(pids.map(alive), [true, true, true])
        yield* target.expectOk(`zoneadm -z z ${operation}`)
        assert.deepStrictEqual(pids.map(alive), [false, false, false])
        assert.strictEqual((yield* target.states)["z"], operation === "reboot" ? "running" : "installed")
      }))
  }

  it.scopedLive("a graceful shutdown lets them end by themselves and refuses a second one", () =>
    Effect.gen(function*() {
      const target = yield* host({ shutdownGrace: "5 seconds" })
      yield* target.running("z")
      yield* target.run({ program: "zlogin", args: ["z", "sh -c 'trap \"sleep 0.2; echo bye >bye; exit\" TERM; echo $$ >d.pid; while :; do sleep 0.05; done' >/dev/null 2>&1 &"] })
      yield* pidIn(target, "/zones/z/root/d.pid")
      const first = yield* Effect.fork(target.sh("zoneadm -z z shutdown"))
      yield* Effect.repeat(target.state, { until: (state) => state.zones[0]?.kernel?.shutdown === true, schedule: Schedule.spaced("2 millis") })
      assert.strictEqual((yield* target.sh("zoneadm -z z shutdown")).stderr, "zone 'z': shutdown already in progress\n")
      assert.strictEqual((yield* Fiber.join(first)).exitCode, 0)
      assert.isTrue(fs.existsSync(target.realPath("/zones/z/root/bye")))
    }))

  it.scopedLive("a command whose zone is halted ends with 0", () =>
    Effect.gen(function*() {
      const target = yield* host()
      yield* target.running("z")
      const exec = yield* Effect.fork(target.run({ program: "zlogin", args: ["z", "echo $$ >e.pid; exec sleep 300"] }))
      yield* pidIn(target, "/zones/z/root/e.pid")
      yield* target.expectOk("zoneadm -z z halt")
      assert.strictEqual((yield* Fiber.join(exec)).exitCode, 0)
    }))

  it.scopedLive("kstat counts them", () =>
    Effect.gen(function*() {
      const target = yield* host()
      yield* target.running("z")
      yield* target.run({ program: "zlogin", args: ["z", "sleep 300 >/dev/null 2>&1 &"] })
      const usage = yield* target.run({ program: "kstat", args: ["-p", "caps:1:nprocs_zone_1:usage"] })
      assert.strictEqual(usage.stdout, "caps:1:nprocs_zone_1:usage\t1\n")
      yield* target.rebootHost
      assert.strictEqual((yield* target.states)["z"], "installed")
    }))
})
