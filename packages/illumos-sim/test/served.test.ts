import { assert, describe, it } from "@effect/vitest"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Effect, Exit, Fiber, Layer, Logger, LogLevel, Scope } from "effect"
import * as fs from "node:fs"
import { connect } from "node:net"
import { fileURLToPath } from "node:url"
import { ConnectedHost, Faults, HostServer, HostServerProcess, SimulatedHost } from "../src/index.js"
import { alive, directory } from "./support.js"

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const self = ["--conditions=source", "--import", file("./sources.mjs"), file("../src/bin.ts")]

const pause = Effect.sleep("10 millis")

/** Looks again until it is so; a test that waits longer than 15 seconds has failed. */
const until = (what: string, condition: () => boolean | undefined) =>
  Effect.suspend(() => condition() === true ? Effect.void : Effect.zipRight(pause, Effect.fail("not yet"))).pipe(
    Effect.retry({ while: (problem) => problem === "not yet" }),
    Effect.timeoutFail({ duration: "15 seconds", onTimeout: () => new Error(`never happened: ${what}`) }),
    Effect.orDie
  )

const socketOf = (folder: string) => `${folder}/server/commands`

/** A host that is served by a fiber of the test, and its controls. */
const served = (folder: string, options: Partial<HostServer.Options> = {}) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(SimulatedHost.layerWithControls({ directory: folder }))
    const serving = yield* Effect.forkScoped(Effect.provide(HostServer.serve({ directory: folder, ...options }), context))
    yield* until("the socket of the server", () => fs.existsSync(socketOf(folder)))
    const controls = yield* Effect.provide(SimulatedHost.SimulatedHost, context)
    yield* Effect.addFinalizer(() => Effect.ignore(controls.rebootHost))
    return { serving, controls }
  }).pipe(Logger.withMinimumLogLevel(LogLevel.None))

/** A client for as long as the scope lives. */
const client = (folder: string, server?: ConnectedHost.ServerOptions) =>
  Effect.map(Layer.build(ConnectedHost.layer({ directory: folder, ...(server === undefined ? {} : { server }) })), (context) => {
    const runner = Effect.provide(CommandRunner.CommandRunner, context)
    const run = (text: string, more: { readonly stdin?: string; readonly timeout?: number } = {}) => {
      const [name = "", ...args] = text.split(" ")
      return Effect.flatMap(runner, (service) => service.run({ program: name.includes("/") ? name : `/usr/sbin/${name}`, args, ...more }))
    }
    return { run, runner }
  }).pipe(Logger.withMinimumLogLevel(LogLevel.None))

const booted = (zone: string) => [
  `zonecfg -z ${zone} create -b; set zonepath=/zones/${zone}; set brand=sparse`.split(" "),
  ["zoneadm", "-z", zone, "install"],
  ["zoneadm", "-z", zone, "boot"]
]

const boot = (runner: Effect.Effect.Success<ReturnType<typeof client>>["runner"], zone: string) =>
  Effect.flatMap(runner, ({ run }) => Effect.forEach(booted(zone), ([name = "", ...args]) =>
    Effect.tap(run({ program: `/usr/sbin/${name}`, args: name === "zonecfg" ? [args[0] ?? "", args[1] ?? "", args.slice(2).join(" ")] : args }), (result) =>
      Effect.sync(() => assert.strictEqual(result.exitCode, 0, result.stderr)))))

describe("a served host", () => {
  it.scopedLive("runs the commands of its clients with their input, output and status", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      yield* served(folder)
      const { run, runner } = yield* client(folder)
      yield* boot(runner, "web")
      const { run: runLine, tempFile } = yield* runner
      const hello = yield* runLine({ program: "/usr/sbin/zlogin", args: ["web", "cat; echo 'über' >&2; exit 7"], stdin: "through «the» zone" })
      assert.deepStrictEqual(hello, { exitCode: 7, stdout: "through «the» zone", stderr: "über\n" })
      assert.strictEqual((yield* Effect.flip(run("/usr/bin/nosuch"))).reason, "NotFound")
      const script = yield* tempFile("more.cfg", "create -b\nset zonepath=/zones/more\nset brand=sparse\n")
      assert.strictEqual((yield* run(`zonecfg -z more -f ${script}`)).exitCode, 0)
      const states = yield* Effect.all(Array.from({ length: 600 }, () => run("zoneadm list -cp")), { concurrency: "unbounded" })
      assert.deepStrictEqual(new Set(states.map(({ stdout }) => stdout.match(/:(running|configured):/g)?.join(""))), new Set([":running::running::configured:"]))
    }))

  it.scopedLive("gives output that is larger than any buffer", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      yield* served(folder)
      const { runner } = yield* client(folder)
      yield* boot(runner, "web")
      const { run } = yield* runner
      const stdin = "0123456789abcde\n".repeat(2 ** 18)
      const results = yield* Effect.forEach([1, 2, 3], () => run({ program: "/usr/sbin/zlogin", args: ["web", "cat"], stdin }), { concurrency: 3 })
      assert.deepStrictEqual(results.map(({ stdout }) => stdout === stdin), [true, true, true])
    }))

  it.scopedLive("is one process of its own, that clients share and that ends after them", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const start = Effect.suspend(() =>
        HostServerProcess.start({ directory: folder, command: [process.execPath, ...self, "--directory", folder, "serve", "--linger", "200ms", "--identity", "one"] }))
      const keeper = { identity: "one", start }
      const scope = yield* Scope.make()
      const runners = yield* Scope.extend(Effect.all([client(folder, keeper), client(folder, keeper), client(folder, keeper)], { concurrency: 3 }), scope)
      yield* Effect.forEach(runners, ({ run }) => Effect.map(run("zoneadm list -cp"), ({ exitCode }) => assert.strictEqual(exitCode, 0)))
      const log = fs.readFileSync(`${folder}/server/server.log`, "utf8")
      const pids = [...log.matchAll(/serving the simulated host\n.*\n +pid: (\d+)/g)].map(([, pid]) => Number(pid))
      assert.strictEqual(pids.length, 1)
      assert.isTrue(alive(pids[0] ?? 0))
      assert.deepStrictEqual([fs.statSync(`${folder}/server`).mode & 0o777, fs.statSync(socketOf(folder)).mode & 0o777], [0o700, 0o600])
      // Another program serves it from now on.
      const other = yield* Scope.extend(client(folder, {
        identity: "two",
        start: HostServerProcess.start({ directory: folder, command: [process.execPath, ...self, "--directory", folder, "serve", "--linger", "200ms", "--identity", "two"] })
      }), scope)
      assert.strictEqual((yield* other.run("zoneadm list")).stdout, "global\n")
      yield* until("the end of the first server", () => !alive(pids[0] ?? 0))
      assert.strictEqual((yield* runners[0].run("zoneadm list")).exitCode, 0)
      yield* Scope.close(scope, Exit.void)
      yield* until("nothing to be left but the log", () => fs.readdirSync(`${folder}/server`).join() === "server.log")
    }), 60_000)

  it.scopedLive("finishes what a client began that died, and kills what a client gave up", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { controls } = yield* served(folder)
      const { runner } = yield* client(folder)
      yield* boot(runner, "web")
      const mark = controls.realPath("/zones/web/root")
      const login = (name: string) => `echo begun >${name}.begun; while ! test -e ${name}.go; do sleep 0.02; done; echo done >${name}.done`
      // The client goes away without a word, as by kill -9.
      const socket = connect(socketOf(folder))
      const message = Buffer.from(JSON.stringify({ kind: "run", id: 1, program: "/usr/sbin/zlogin", args: ["web", login("dead")] }))
      const head = Buffer.alloc(4)
      head.writeUInt32BE(message.length)
      socket.write(Buffer.concat([head, message]))
      yield* until("the command of the dead client", () => fs.existsSync(`${mark}/dead.begun`))
      socket.destroy()
      const given = yield* Effect.fork(Effect.flatMap(runner, (service) => service.run({ program: "/usr/sbin/zlogin", args: ["web", login("given")] })))
      yield* until("the command that is given up", () => fs.existsSync(`${mark}/given.begun`))
      yield* Fiber.interrupt(given)
      const late = yield* Effect.flip(Effect.flatMap(runner, (service) => service.run({ program: "/usr/sbin/zlogin", args: ["web", login("late")], timeout: "300 millis" })))
      assert.strictEqual(late.reason, "Timeout")
      for (const name of ["dead", "given", "late"]) fs.writeFileSync(`${mark}/${name}.go`, "")
      yield* until("the end of the dead client's command", () => fs.existsSync(`${mark}/dead.done`))
      const { processGroups } = (yield* controls.state).zones[0]?.kernel ?? { processGroups: [] }
      assert.deepStrictEqual(processGroups.filter(({ pid }) => alive(pid)), [])
      assert.deepStrictEqual(["given", "late"].map((name) => fs.existsSync(`${mark}/${name}.done`)), [false, false])
    }))

  it.scopedLive("whose server goes away: what was under way fails, what comes after runs elsewhere", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { controls, serving } = yield* served(folder)
      const { run } = yield* client(folder)
      yield* controls.inject(Faults.hang({ program: "zonename" }))
      const hanging = yield* Effect.fork(Effect.flip(run("/usr/bin/zonename")))
      yield* Effect.iterate(1, { while: (left) => left > 0, body: () => Effect.zipRight(pause, Effect.map(controls.state, ({ faults }) => faults.length)) })
      yield* Fiber.interrupt(serving)
      const error = yield* Fiber.join(hanging)
      assert.strictEqual(error.reason, "Failed")
      assert.match(error.detail, /went away|killed/)
      assert.strictEqual((yield* run("/usr/bin/zonename")).stdout, "global\n")
      assert.isFalse(fs.existsSync(socketOf(folder)))
    }))

  it.scopedLive("whose server ends: what is under way is finished, and nothing is lost", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { controls, serving } = yield* served(folder)
      const { run } = yield* client(folder)
      yield* controls.inject(Faults.slow({ program: "zonename", delayMillis: 400 }))
      const slow = yield* Effect.fork(run("/usr/bin/zonename"))
      yield* Effect.iterate(1, { while: (left) => left > 0, body: () => Effect.zipRight(pause, Effect.map(controls.state, ({ faults }) => faults.length)) })
      const ending = yield* Effect.fork(ConnectedHost.endServer(folder))
      yield* until("the end of the socket", () => !fs.existsSync(socketOf(folder)))
      assert.strictEqual((yield* run("zoneadm list")).stdout, "global\n")
      assert.strictEqual((yield* Fiber.join(slow)).stdout, "global\n")
      yield* Fiber.join(ending)
      yield* Fiber.join(serving)
      yield* ConnectedHost.endServer(folder)
    }))

  it.scopedLive("has one server, which ends when its directory is gone", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { serving } = yield* served(folder)
      const second = yield* Effect.flip(Effect.provide(HostServer.serve({ directory: folder }), SimulatedHost.layer({ directory: folder })))
      assert.strictEqual(second.reason, "Served")
      fs.rmSync(folder, { recursive: true })
      yield* Fiber.join(serving)
    }))

  it.scopedLive("is not reached by what speaks otherwise, nor served where no socket can be", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      yield* served(folder)
      for (const bytes of [Buffer.from([255, 255, 255, 255]), Buffer.from([0, 0, 0, 2, 0x7b, 0x7b]), Buffer.from([0, 0, 0, 2, 0x7b, 0x7d])]) {
        const socket = connect(socketOf(folder))
        let closed = false
        socket.on("close", () => (closed = true)).on("error", () => undefined).resume()
        socket.write(bytes)
        yield* until("the end of the connection", () => closed)
      }
      const { run } = yield* client(folder)
      assert.strictEqual((yield* run("zoneadm list")).stdout, "global\n")
      const deep = `${folder}/${"long".repeat(30)}`
      const unserved = yield* Effect.flip(Effect.provide(HostServer.serve({ directory: deep }), SimulatedHost.layer({ directory: deep })))
      assert.include(unserved.message, "too long for a socket")
      const alone = yield* client(deep, { identity: "", start: HostServerProcess.start({ directory: deep, command: [process.execPath] }) })
      assert.strictEqual((yield* alone.run("zoneadm list")).stdout, "global\n")
    }))

  it.scopedLive("that cannot be is said to whoever wants it", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      fs.writeFileSync(`${folder}/state.json`, "{")
      const start = HostServerProcess.start({ directory: folder, command: [process.execPath, ...self, "--directory", folder, "serve"] })
      const error = yield* Effect.flip(client(folder, { identity: "", start }))
      assert.strictEqual(error.reason, "Corrupt")
    }), 60_000)
})
