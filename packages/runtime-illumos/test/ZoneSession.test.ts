import * as NodeContext from "@effect/platform-node/NodeContext"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer } from "effect"
import type { Readable } from "node:stream"
import type * as CommandLine from "../src/CommandLine.js"
import * as CommandRunner from "../src/CommandRunner.js"
import * as HostProcess from "../src/HostProcess.js"
import * as markers from "../src/internal/sessionMarkers.js"
import * as ZoneName from "../src/ZoneName.js"
import * as ZoneSession from "../src/ZoneSession.js"

const zone = ZoneName.make("web-1")

/** What zlogin does with its words: with `-i` they are a program and its arguments, else a shell reads them joined. */
const shellRunner = Layer.effect(
  CommandRunner.CommandRunner,
  Effect.map(CommandRunner.CommandRunner, (real) => ({
    ...real,
    start: (line: CommandLine.CommandLine, options?: CommandRunner.StartOptions) => {
      const words = line.args.slice(line.args.indexOf(zone) + 1)
      const [program = "", ...args] = line.args.includes("-i") ? words : ["/bin/sh", "-c", `${words.join(" ")} `]
      return real.start({ ...line, program, args }, options)
    }
  }))
).pipe(Layer.provide(CommandRunner.layer), Layer.provide(NodeContext.layer))

const textOf = (stream: Readable) =>
  Effect.promise(async () => {
    const chunks: Array<Buffer> = []
    for await (const chunk of stream) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks).toString("utf8")
  })

const run = (argv: ReadonlyArray<string>, options: ZoneSession.Options = {}, input = "") =>
  Effect.flatMap(CommandRunner.CommandRunner, (runner) =>
    Effect.gen(function*() {
      const session = yield* ZoneSession.open(runner, zone, argv, options)
      if (options.terminal !== true) session.stdin.end(input)
      const [out, err, outcome] = yield* Effect.all([textOf(session.stdout), textOf(session.stderr), session.outcome], { concurrency: 3 })
      return { out, err, outcome }
    }).pipe(Effect.scoped)).pipe(Effect.provide(shellRunner))

/** Cuts bytes at the given places. */
const cut = (bytes: Buffer, places: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return edges.slice(1).map((end, index) => bytes.subarray(edges[index], end))
}

describe("ZoneSession", () => {
  it.live("gives exact words and odd variables, and tells how the command ended", () =>
    Effect.gen(function*() {
      const words = ["a b", "it's", "$HOME `id`", "\"q\"", "", "x;exit 3", "l1\nl2", "-n", "a=b"]
      const printed = yield* run(["printf", "%s|", ...words])
      assert.deepStrictEqual(printed, { out: words.map((word) => `${word}|`).join(""), err: "", outcome: { _tag: "Exited", exitCode: 0 } })
      const surroundings = yield* run(["sh", "-c", "pwd; echo \"$A\"; cat; exit 9"], { workingDirectory: "/usr", environment: [["A", "it's $B"]] }, "in")
      assert.deepStrictEqual(surroundings, { out: "/usr\nit's $B\nin", err: "", outcome: { _tag: "Exited", exitCode: 9 } })
      assert.include((yield* run(["env"], { environment: [["odd.name", "1"]] })).out, "odd.name=1\n")
      assert.deepStrictEqual((yield* run(["sh", "-c", "kill -TERM $$"])).outcome, { _tag: "Exited", exitCode: 143 })
      assert.deepStrictEqual((yield* run(["sh"], { environment: [["PATH", "/no/such"]] })).outcome, { _tag: "NotStarted", reason: "missing" })
      assert.deepStrictEqual((yield* run(["/usr"])).outcome, { _tag: "NotStarted", reason: "denied" })
    }), 30_000)

  it.live.skipIf(!HostProcess.hasTerminals())("has a terminal of the wanted size", () =>
    Effect.gen(function*() {
      const { out, outcome } = yield* run(["sh", "-c", "stty size; test -t 0 && test -t 1 && test -t 2; echo $?; exit 4"], {
        terminal: true,
        size: { width: 120, height: 40 }
      })
      assert.strictEqual(out, "40 120\r\n0\r\n")
      assert.deepStrictEqual(outcome, { _tag: "Exited", exitCode: 4 })
    }), 30_000)

  it.effect("says how zlogin is called", () =>
    Effect.gen(function*() {
      const line = yield* ZoneSession.command(zone, ["id"], { token: "t" })
      assert.deepStrictEqual(line.args.slice(0, -1), ["-Q", "-S", "web-1"])
      const terminal = yield* ZoneSession.command(zone, ["id"], { token: "t", terminal: true })
      assert.deepStrictEqual(terminal.args.slice(0, -1), ["-Q", "-E", "-S", "-i", "web-1", "/bin/sh", "-c"])
      assert.deepStrictEqual((yield* ZoneSession.command(zone, ["id"], { token: "t", user: "www" })).args.slice(0, -1), ["-Q", "-l", "www", "web-1"])
      for (const [argv, options] of [[[], {}], [["a\0b"], {}], [["a"], { environment: [["A=B", "1"]] }], [["a"], { user: "-x" }], [["a"], { user: "www", terminal: true }]] as const) {
        assert.strictEqual((yield* Effect.flip(ZoneSession.command(zone, argv, { ...options, token: "t" })))._tag, "ZoneLoginFailed")
      }
    }))
})

describe("the marks of a session", () => {
  const bytes = fc.array(fc.oneof(fc.constantFrom("\u001e", "\u001eon-t", "\u001erc-t=", "\u001erc-t=0x", "rc-t=1\u001e", "t"), fc.string()), { maxLength: 12 }).map((parts) => Buffer.from(parts.join("")))

  it.effect.prop("are found and taken out, however the stream is cut", [bytes, bytes, fc.array(fc.nat(500), { maxLength: 20 })], ([before, output, places]) =>
    Effect.sync(() => {
      // A mark between two separators would be one.
      fc.pre(![before, output].some((text) => `${text.toString("latin1")}\u001e`.split("\u001e").some((part) => /^(?:on|rc)-t=[A-Za-z0-9_:/.]*$/.test(part))))
      const seen: Array<unknown> = []
      const filter = markers.make("t", true, { onStart: (...start) => void seen.push(start), onEnd: (word) => void seen.push(word) })
      const stream = Buffer.concat([before, Buffer.from("\u001eon-t=12:/dev/pts/3\u001e"), output, Buffer.from("\u001erc-t=7\u001etail")])
      const passed = Buffer.concat([...cut(stream, places).map((chunk) => filter.push(chunk)), filter.flush()])
      assert.deepStrictEqual(seen, [[12, "/dev/pts/3"], "7"])
      assert.isTrue(passed.equals(output), JSON.stringify([passed.toString(), output.toString()]))
      assert.strictEqual(filter.preamble(), before.toString("utf8"))
    }))

  it("hold nothing back that cannot be one", () => {
    const filter = markers.make("t", false, { onStart: () => undefined, onEnd: () => undefined })
    filter.push(Buffer.from("\u001eon-t=1:\u001e"))
    assert.strictEqual(filter.push(Buffer.from("prompt> \u001eo?")).toString(), "prompt> \u001eo?")
    assert.strictEqual(filter.push(Buffer.from("x\u001erc-")).toString(), "x")
    assert.strictEqual(filter.push(Buffer.from("t=3\u001eafter")).toString(), "after")
  })
})
