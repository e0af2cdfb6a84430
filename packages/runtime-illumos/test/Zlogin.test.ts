import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck as fc, Fiber, Layer, TestClock } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import { until } from "vitest-config/waiting"
import * as CommandLine from "../src/CommandLine.js"
import * as CommandRunner from "../src/CommandRunner.js"
import * as Zlogin from "../src/Zlogin.js"
import * as ZoneName from "../src/ZoneName.js"

const zone = ZoneName.make("web-1")
const options = { timeout: "5 seconds" } as const

/** What zlogin does with its command: joins the words and lets a shell read them. */
const shellRunner = (finished: Array<string> = []) => Layer.effect(
  CommandRunner.CommandRunner,
  Effect.map(CommandRunner.CommandRunner, (real) => ({
    ...real,
    run: (line: CommandLine.CommandLine) => {
      const words = line.args.slice(line.args.indexOf(zone) + 1)
      const signal = /'(TERM|KILL)'(?: '-?\d+')*$/.exec(words.at(-1) ?? "")?.[1]
      return Effect.tap(real.run({ ...line, program: "/bin/sh", args: ["-c", `${words.join(" ")} `] }), () => {
        if (signal !== undefined) finished.push(signal)
      })
    }
  }))
).pipe(Layer.provide(CommandRunner.layer), Layer.provide(NodeContext.layer))

const exec = (argv: ReadonlyArray<string>, extra: Partial<Zlogin.ExecOptions> = {}) =>
  Effect.flatMap(CommandRunner.CommandRunner, (runner) => Zlogin.run(runner, zone, argv, { ...options, ...extra }))

const scripted = (result: Partial<CommandRunner.CommandResult>) =>
  CommandRunner.layerTest(() => CommandRunner.result(result))

describe("Zlogin", () => {
  it.live("gives a command exactly its arguments, environment, directory and input", () =>
    Effect.gen(function*() {
      const words = ["a b", "it's", "$HOME `id`", "\"q\"", "", "x;exit 3", "l1\nl2"]
      const printed = yield* exec(["printf", "%s|", ...words])
      assert.deepStrictEqual(printed, { exitCode: 0, stdout: words.map((word) => `${word}|`).join(""), stderr: "" })
      const surroundings = yield* exec(["sh", "-c", "pwd; echo \"$A\"; cat"], {
        workingDirectory: "/usr",
        environment: { A: "it's $B" },
        stdin: "in"
      })
      assert.strictEqual(surroundings.stdout, "/usr\nit's $B\nin")
    }).pipe(Effect.provide(shellRunner())))

  it.live("tells the true exit code, also after a signal or when the command is missing", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* exec(["sh", "-c", "echo no newline >&2; exit 42"])).exitCode, 42)
      const killed = yield* exec(["sh", "-c", "printf err >&2; kill -9 $$"])
      assert.strictEqual(killed.exitCode, 137)
      assert.match(killed.stderr, /^err/)
      assert.strictEqual((yield* exec(["/no/such/program"])).exitCode, 127)
      assert.notStrictEqual((yield* exec(["true"], { workingDirectory: "/no/such" })).exitCode, 0)
    }).pipe(Effect.provide(shellRunner())))

  describe("a command that takes too long", () => {
    const alive = (pid: number) => {
      try {
        process.kill(pid, 0)
        // A process that nobody has waited for is there, but does not run.
        return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"))
      } catch {
        return false
      }
    }
    const pids = (folder: string) => fs.readdirSync(folder).map((name) => Number(fs.readFileSync(`${folder}/${name}`, "utf8").trim()))
    const folder = Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(`${os.tmpdir()}/zlogin-`)),
      (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
    )

    const started = (path: string) =>
      until("the command runs", Effect.sync(() => fs.readdirSync(path).length === 2 && pids(path).every((pid) => pid > 0)))
    const gone = (path: string) => until("the command is gone", Effect.sync(() => pids(path).every((pid) => !alive(pid))))

    for (const [name, script, signals] of [
      ["ends by SIGTERM with its children", "sleep 60 & echo $! >a; echo $$ >b; wait", ["TERM"]],
      ["does not leave children behind that have a session of their own", "setsid sleep 60 & echo $! >a; echo $$ >b; wait", ["TERM"]],
      [
        "ends by SIGKILL when it does not listen",
        "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $! >a; echo $$ >b; while :; do sleep 1; done",
        ["TERM", "KILL"]
      ],
      ["ends by SIGKILL when only a child does not listen", "sh -c 'trap \"\" TERM; while :; do sleep 1; done' & echo $! >a; echo $$ >b; wait", ["TERM", "KILL"]]
    ] as const) {
      const finished: Array<string> = []
      it.scoped(name, () =>
        Effect.gen(function*() {
          const path = yield* folder
          const fiber = yield* Effect.fork(Effect.flip(exec(["sh", "-c", script], { timeout: "1 minute", killAfter: "1 minute", workingDirectory: path })))
          yield* started(path)
          for (const [index] of signals.entries()) {
            // The clock stands still while a signal is on its way.
            yield* TestClock.adjust("1 minute")
            yield* until("the signal was sent", Effect.sync(() => finished.length === index + 1))
          }
          yield* gone(path)
          const error = yield* Fiber.join(fiber)
          assert.strictEqual(error._tag, "CommandUnavailable")
          assert.include(error.message, "did not end within 1m")
          assert.deepStrictEqual(finished, [...signals])
        }).pipe(Effect.provide(shellRunner(finished))))
    }

    it.scoped("dies with the caller", () =>
      Effect.gen(function*() {
        const path = yield* folder
        const fiber = yield* Effect.fork(exec(["sh", "-c", "sleep 60 & echo $! >a; echo $$ >b; wait"], { timeout: "1 minute", workingDirectory: path }))
        yield* started(path)
        yield* Fiber.interrupt(fiber)
        yield* gone(path)
      }).pipe(Effect.provide(shellRunner())))

    it.effect("gets its signals in order, each after its time, though zlogin hangs in the zone", () => {
      const journal: Array<CommandLine.CommandLine> = []
      return Effect.gen(function*() {
        const fiber = yield* Effect.fork(Effect.flip(exec(["true"], { timeout: "10 seconds", killAfter: "3 seconds" })))
        const signals = () => journal.slice(1).map((line) => /'(TERM|KILL)'(?: '-?\d+')*$/.exec(line.args.at(-1) ?? "")?.[1])
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual(signals(), [])
        yield* TestClock.adjust("1 seconds")
        assert.deepStrictEqual(signals(), ["TERM"])
        yield* TestClock.adjust("3 seconds")
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(signals(), ["TERM", "KILL"])
        yield* TestClock.adjust("6 seconds")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "CommandUnavailable")
      }).pipe(Effect.provide(CommandRunner.layerTest((line) =>
        Effect.timeoutFail(Effect.never, {
          duration: line.timeout ?? "1 minute",
          onTimeout: () => new CommandRunner.CommandUnavailable({ program: line.program, args: [...line.args], reason: "Timeout", detail: "hangs" })
        }), journal)))
    })
  })

  it.effect.prop("finds the marker whatever the command printed", [fc.string(), fc.integer({ min: 0, max: 255 })], ([text, code]) =>
    Effect.sync(() => {
      const parsed = Zlogin.parseResult("t", CommandRunner.result({ stderr: `${text}@@rc-t=${code}\n` }))
      assert.deepStrictEqual(parsed, { exitCode: code, stdout: "", stderr: text })
    }))

  it.effect("does not believe exit 0 without the marker", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(exec(["true"]))
      assert.strictEqual(error._tag, "ZoneLoginFailed")
      assert.include(error.message, "exit status 0 without an end marker")
    }).pipe(Effect.provide(scripted({}))))

  for (const [stderr, tag] of [
    ["zlogin: zone 'web-1' unknown\n", "ZoneNotFound"],
    ["zlogin: login allowed only to running zones (web-1 is 'installed').\n", "WrongZoneState"],
    ["zlogin: cannot login to a zone which is 'configured'\n", "WrongZoneState"],
    ["zlogin: You lack sufficient privilege to run this command (all privs required)\n", "HostPermissionDenied"],
    ["zlogin: could not enter zone web-1: I/O error\n", "ZoneLoginFailed"]
  ] as const) {
    it.effect(`understands ${stderr.trim()}`, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Effect.flip(exec(["true"])))._tag, tag)
      }).pipe(Effect.provide(scripted({ exitCode: 1, stderr }))))
  }

  it("puts options before the zone, closes the input when there is none, and refuses what it cannot quote", () => {
    const line = Either.getOrThrow(Zlogin.command(zone, ["id"], { ...options, user: "www", token: "t" }))
    assert.deepStrictEqual(line.args, ["-Q", "-n", "-l", "www", "web-1", ": @@run-t; trap : HUP INT QUIT TERM; 'id'; rc=$?; echo \"@@rc-t=$rc\" >&2; exit $rc"])
    for (const [argv, extra] of [
      [[], {}],
      [["a\0b"], {}],
      [["a"], { environment: { "A B": "1" } }],
      [["a"], { user: "-x" }],
      [["a"], { user: "www", failsafe: true }]
    ] as const) {
      assert.isTrue(Either.isLeft(Zlogin.command(zone, argv, { ...options, ...extra, token: "t" })))
    }
    assert.strictEqual(CommandLine.format(line).split(" ")[0], "/usr/sbin/zlogin")
  })
})
