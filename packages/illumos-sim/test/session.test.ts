import { assert, describe, it } from "@effect/vitest"
import { HostProcess, ZoneName, ZoneSession } from "@reddwarf/runtime-illumos"
import { Data, Effect, Exit, Fiber, Schedule, Scope } from "effect"
import * as fs from "node:fs"
import type { Readable } from "node:stream"
import { alive, host, type Host } from "./support.js"

const zone = ZoneName.make("z")

/** Collects a stream; the text so far, and its end. */
const reader = (stream: Readable) => {
  let text = ""
  stream.setEncoding("utf8")
  stream.on("data", (chunk: string) => void (text += chunk))
  return {
    text: () => text,
    end: Effect.async<string>((resume) => {
      if (stream.readableEnded) return resume(Effect.sync(() => text))
      stream.once("end", () => resume(Effect.sync(() => text)))
    })
  }
}

class WaitedInVain extends Data.TaggedError("WaitedInVain")<{ readonly what: string }> {}

const until = (what: string, test: () => boolean) =>
  Effect.sync(test).pipe(
    Effect.repeat({ until: (done) => done, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutFail({ duration: "15 seconds", onTimeout: () => new WaitedInVain({ what }) })
  )

const open = (target: Host, argv: ReadonlyArray<string>, options: ZoneSession.Options = {}) =>
  Effect.map(ZoneSession.open(target, zone, argv, options), (session) => ({
    ...session,
    out: reader(session.stdout),
    err: reader(session.stderr)
  }))

const marked = (hostId: string) =>
  fs.readdirSync("/proc").filter((name) => /^\d+$/.test(name) && alive(Number(name))).filter((pid) => {
    try {
      return fs.readFileSync(`/proc/${pid}/environ`, "latin1").includes(`REDDWARF_SIM_ZONE=${hostId}/`)
    } catch {
      return false
    }
  })

const world = Effect.tap(host(), (target) => target.running("z"))

describe("a session in a zone", () => {
  it.scopedLive("gives exact words, variables and directory, passes input and half-close, and tells the exit code", () =>
    Effect.gen(function*() {
      const target = yield* world
      fs.mkdirSync(`${target.realPath("/zones/z/root")}/a b`)
      const session = yield* open(target, ["sh", "-c", "pwd; printf '%s|' \"$@\"; echo \"$X\"; cat; echo err >&2; exit 42", "sh", "it's", "$HOME `id`", ""], {
        environment: [["X", "v 'w'\n$Z"]],
        workingDirectory: "a b"
      })
      session.stdin.write("one ")
      yield* until("the beginning", () => session.out.text().endsWith("one "))
      session.stdin.end("two")
      const text = yield* session.out.end
      assert.strictEqual(text, `${fs.realpathSync(target.realPath("/zones/z/root/a b"))}\nit's|$HOME \`id\`||v 'w'\n$Z\none two`)
      assert.strictEqual(yield* session.err.end, "err\n")
      assert.deepStrictEqual(yield* session.outcome, { _tag: "Exited", exitCode: 42 })
      const surroundings = yield* open(target, ["env"], { environment: [["X.y-z", "odd name"]] })
      assert.include(yield* surroundings.out.end, "X.y-z=odd name\n")
    }))

  it.scopedLive("tells a signal, and why a command was not started", () =>
    Effect.gen(function*() {
      const target = yield* world
      const root = target.realPath("/zones/z/root")
      fs.writeFileSync(`${root}/plain`, "")
      const outcome = (argv: ReadonlyArray<string>, options: ZoneSession.Options = {}) =>
        Effect.scoped(Effect.flatMap(open(target, argv, options), (session) =>
          Effect.all([session.outcome, session.out.end, session.err.end])))
      assert.deepStrictEqual(yield* outcome(["sh", "-c", "kill -9 $$"]), [{ _tag: "Exited", exitCode: 137 }, "", ""])
      assert.deepStrictEqual(yield* outcome(["no-such-program"]), [{ _tag: "NotStarted", reason: "missing" }, "", ""])
      assert.deepStrictEqual(yield* outcome(["/no/such"]), [{ _tag: "NotStarted", reason: "missing" }, "", ""])
      assert.deepStrictEqual(yield* outcome(["./plain"]), [{ _tag: "NotStarted", reason: "denied" }, "", ""])
      assert.deepStrictEqual(yield* outcome(["true"], { workingDirectory: "nowhere" }), [{ _tag: "NotStarted", reason: "directory" }, "", ""])
    }))

  it.scopedLive("carries much output in both directions unchanged to a slow reader", () =>
    Effect.gen(function*() {
      const target = yield* world
      const session = yield* ZoneSession.open(target, zone, ["cat"])
      const size = 3_000_000
      const sent = Buffer.alloc(size, "0123456789\u001e\n")
      session.stdin.end(sent)
      const chunks: Array<Buffer> = []
      session.stderr.resume()
      yield* Effect.sleep("300 millis")
      yield* Effect.promise(async () => {
        for await (const chunk of session.stdout) chunks.push(chunk as Buffer)
      })
      assert.isTrue(Buffer.concat(chunks).equals(sent))
      assert.deepStrictEqual(yield* session.outcome, { _tag: "Exited", exitCode: 0 })
    }))

  it.scopedLive("says what zlogin says when there is no running zone", () =>
    Effect.gen(function*() {
      const target = yield* world
      yield* target.expectOk("zoneadm -z z halt")
      const error = yield* Effect.flip(Effect.scoped(ZoneSession.open(target, zone, ["true"])))
      assert.strictEqual(error._tag, "WrongZoneState")
    }))

  it.scopedLive("dies with its scope, with its zone, and leaves what let go of it", () =>
    Effect.gen(function*() {
      const target = yield* world
      const { hostId } = yield* target.state
      const scope = yield* Scope.make()
      const first = yield* Scope.extend(open(target, ["sh", "-c", "sleep 300 & sleep 301; echo never"]), scope)
      yield* until("the processes", () => marked(hostId).length >= 3)
      yield* Scope.close(scope, Exit.void)
      yield* until("their end", () => marked(hostId).length === 0)
      assert.strictEqual(first.out.text(), "")

      const left = yield* open(target, ["sh", "-c", "sleep 300 >/dev/null 2>&1 & echo left"])
      assert.deepStrictEqual(yield* left.outcome, { _tag: "Exited", exitCode: 0 })
      assert.strictEqual(yield* left.out.end, "left\n")
      assert.strictEqual(marked(hostId).length, 1)

      const holding = yield* open(target, ["sh", "-c", "sleep 300 & echo holding"])
      assert.strictEqual(yield* holding.out.end, "holding\n")

      const lost = yield* open(target, ["sleep", "300"])
      const outcome = yield* Effect.fork(Effect.exit(lost.outcome))
      yield* target.expectOk("zoneadm -z z halt")
      assert.isTrue(Exit.isFailure(yield* Fiber.join(outcome)))
      assert.deepStrictEqual(marked(hostId), [])
    }))
})

describe.skipIf(!HostProcess.hasTerminals())("a session with a terminal", () => {
  it.scopedLive("has echo, a size that changes, interrupts, and the exit code", () =>
    Effect.gen(function*() {
      const target = yield* world
      const session = yield* open(target, ["sh", "-i"], { terminal: true, environment: [["PS1", "ready> "]] })
      const says = (text: string) => until(text, () => session.out.text().includes(text))
      yield* says("ready> ")
      yield* session.resize(132, 43)
      session.stdin.write("stty size\n")
      yield* says("43 132\r\n")
      session.stdin.write("echo $((6*7)); sleep 300\n")
      yield* says("42\r\n")
      // An interrupt discards what was typed and not read yet.
      session.stdin.write("\u0003")
      yield* until("the prompt", () => /\^C\r?\n.*ready> $/s.test(session.out.text()))
      session.stdin.write("echo status $?\n")
      yield* says("status 130\r\n")
      session.stdin.write("exit 3\n")
      assert.deepStrictEqual(yield* session.outcome, { _tag: "Exited", exitCode: 3 })
      const text = yield* session.out.end
      assert.notInclude(text, "\u001e")
      assert.isTrue(text.startsWith("ready> "))
    }))

  it.scopedLive("ends a command by an interrupt, and takes everything along when its scope closes", () =>
    Effect.gen(function*() {
      const target = yield* world
      const { hostId } = yield* target.state
      const sleeping = yield* open(target, ["sh", "-c", "echo up; exec sleep 300"], { terminal: true })
      yield* until("the command", () => sleeping.out.text().includes("up"))
      sleeping.stdin.write("\u0003")
      assert.deepStrictEqual(yield* sleeping.outcome, { _tag: "Exited", exitCode: 130 })

      const scope = yield* Scope.make()
      const shell = yield* Scope.extend(open(target, ["sh", "-i"], { terminal: true }), scope)
      shell.stdin.write("sleep 300 &\nsleep 301\n")
      yield* until("the processes", () => marked(hostId).length >= 4)
      yield* Scope.close(scope, Exit.void)
      yield* until("their end", () => marked(hostId).length === 0)
    }))
})
