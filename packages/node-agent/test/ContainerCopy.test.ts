import { assert, describe, it } from "@effect/vitest"
import { ContainerCopy } from "@reddwarf/node-agent"
import { SimulatedHost } from "@reddwarf/illumos-sim"
import { CommandRunner, ZoneName, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { FakeApi } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { Header } from "tar"
import * as tarArchive from "../src/internal/tarArchive.js"
import * as tarCommand from "../src/internal/tarCommand.js"
import * as h from "./support/harness.js"

const zone = ZoneName.make("default-p-1")

interface World {
  /** Real path of the zone's root. */
  readonly root: string
  /** A folder of this machine outside the zone. */
  readonly outside: string
  /** Runs a tar command in a container without tar. */
  readonly tar: (argv: ReadonlyArray<string>, input?: Buffer) => Effect.Effect<{ readonly out: Buffer; readonly err: string; readonly exitCode: number }>
}

const withZone = <E>(body: (world: World) => Effect.Effect<void, E, h.World | Scope.Scope>) =>
  Effect.gen(function*() {
    const folders = yield* h.directories
    yield* Effect.gen(function*() {
      const zones = yield* ZoneRuntime.ZoneRuntime
      const host = yield* SimulatedHost.SimulatedHost
      const runner = yield* CommandRunner.CommandRunner
      yield* zones.ensureRunning({ zoneName: zone, zonepath: "/zones/p", brand: "sparse", attributes: [], network: [], fileSystems: [] })
      yield* Effect.addFinalizer(() => Effect.ignore(zones.ensureRemoved(zone)))
      const outside = join(folders.root, "outside")
      fs.mkdirSync(outside)
      const target = {
        pod: { namespace: "default", name: "p", uid: "1" },
        zone,
        spec: { name: "c", kind: "main" as const, argv: ["true"] as const, env: [{ name: "PATH", value: "/nowhere" }], workingDirectory: "/" },
        attempt: 0,
        launch: "x",
        logDirectory: "/"
      }
      yield* body({
        root: join(fs.realpathSync(host.realPath("/zones/p")), "root"),
        outside,
        tar: (argv, input) =>
          Effect.gen(function*() {
            const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
            const out: Array<Buffer> = []
            const err: Array<Buffer> = []
            stdout.on("data", (chunk: Buffer) => void out.push(chunk))
            stderr.on("data", (chunk: Buffer) => void err.push(chunk))
            stdin.end(input)
            const options = { stdin: true, stdout: true, stderr: true, tty: false }
            const outcome = yield* ContainerCopy.serve(runner, { target, argv, options }, { stdin, stdout, stderr, resize: Stream.empty })
            return {
              out: Buffer.concat(out),
              err: Buffer.concat(err).toString("utf8"),
              exitCode: outcome._tag === "Exited" ? outcome.exitCode : -1
            }
          })
      })
    }).pipe(Effect.scoped, Effect.provide(h.hostLayer(folders)))
  }).pipe(Effect.provide(FakeApi.layer()), Effect.scoped)

const local = (args: ReadonlyArray<string>, input?: Buffer) => execFileSync("tar", [...args], { input, maxBuffer: 64 * 1024 * 1024 })

describe("kubectl cp without tar in the zone", () => {
  it.live("writes what a client sends, as tar would", () =>
    withZone(({ outside, root, tar }) =>
      Effect.gen(function*() {
        const source = join(outside, "source")
        fs.mkdirSync(join(source, "deep/er"), { recursive: true })
        const large = Buffer.alloc(300_001, "0123456789\n\u0000")
        fs.writeFileSync(join(source, "large"), large)
        fs.writeFileSync(join(source, "deep/er/it's a \"name\""), "text", { mode: 0o755 })
        fs.writeFileSync(join(source, "empty"), "")
        fs.writeFileSync(join(source, "l".repeat(150)), "long")
        fs.symlinkSync("large", join(source, "link"))
        fs.mkdirSync(join(root, "tmp"), { recursive: true })
        fs.writeFileSync(join(root, "tmp/large"), "old", { mode: 0o600 })
        assert.deepStrictEqual(yield* tar(["tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-", "-C", "/tmp"], local(["cf", "-", "-C", source, "."])), {
          out: Buffer.alloc(0), err: "", exitCode: 0
        })
        assert.isTrue(fs.readFileSync(join(root, "tmp/large")).equals(large))
        assert.strictEqual(fs.readFileSync(join(root, "tmp/deep/er/it's a \"name\""), "utf8"), "text")
        assert.strictEqual(fs.statSync(join(root, "tmp/deep/er/it's a \"name\"")).mode & 0o777, 0o755)
        assert.strictEqual(fs.readFileSync(join(root, "tmp/empty"), "utf8"), "")
        assert.strictEqual(fs.readFileSync(join(root, `tmp/${"l".repeat(150)}`), "utf8"), "long")
        assert.strictEqual(fs.readlinkSync(join(root, "tmp/link")), "large")
        const nowhere = yield* tar(["tar", "-xmf", "-", "-C", "/no/such"], local(["cf", "-", "-C", source, "large"]))
        assert.deepStrictEqual([nowhere.exitCode, nowhere.err], [2, "tar: /no/such: Cannot open: No such file or directory\n"])
      })), 30_000)

  it.live("gives what is there, as tar would, and follows no link", () =>
    withZone(({ outside, root, tar }) =>
      Effect.gen(function*() {
        fs.mkdirSync(join(root, "data/.hidden folder/x"), { recursive: true })
        const large = Buffer.alloc(200_003, "abc\u0000\n")
        fs.writeFileSync(join(root, "data/large"), large, { mode: 0o640 })
        fs.writeFileSync(join(root, "data/.hidden folder/x/f"), "f")
        fs.writeFileSync(join(root, `data/${"n".repeat(130)}`), "long")
        fs.writeFileSync(join(outside, "secret"), "secret")
        fs.symlinkSync(join(outside, "secret"), join(root, "data/leak"))
        const answer = yield* tar(["tar", "cf", "-", "/data"])
        assert.deepStrictEqual([answer.exitCode, answer.err], [0, ""])
        const result = join(outside, "result")
        fs.mkdirSync(result)
        local(["-xpf", "-", "-C", result], answer.out)
        assert.isTrue(fs.readFileSync(join(result, "data/large")).equals(large))
        assert.strictEqual(fs.statSync(join(result, "data/large")).mode & 0o777, 0o640)
        assert.strictEqual(fs.readFileSync(join(result, "data/.hidden folder/x/f"), "utf8"), "f")
        assert.strictEqual(fs.readFileSync(join(result, `data/${"n".repeat(130)}`), "utf8"), "long")
        assert.strictEqual(fs.readlinkSync(join(result, "data/leak")), join(outside, "secret"))
        assert.notInclude(answer.out.toString("latin1"), "secret\u0000secret")
        local(["-tf", "-"], (yield* tar(["tar", "cf", "-", "data/large"])).out)
        const missing = yield* tar(["tar", "cf", "-", "/no/such"])
        assert.strictEqual(missing.exitCode, 2)
        assert.include(missing.err, "tar: /no/such: Cannot stat: No such file or directory")
      })), 30_000)

  it.live("never writes or reads outside the root", () =>
    withZone(({ outside, root, tar }) =>
      Effect.gen(function*() {
        fs.mkdirSync(join(root, "tmp"), { recursive: true })
        fs.symlinkSync(outside, join(root, "tmp/out"))
        fs.writeFileSync(join(outside, "mine"), "mine")
        fs.symlinkSync(join(outside, "mine"), join(root, "tmp/mine"))
        const entry = (path: string, text: string) => {
          const header = new Header({ path, size: text.length, mode: 0o644, type: "File" })
          header.encode()
          return Buffer.concat([header.block ?? Buffer.alloc(512), Buffer.from(text.padEnd(512, "\u0000"))])
        }
        const archive = Buffer.concat([entry("../escaped", "x"), entry("out/through", "x"), entry("mine", "yours"), entry("good", "good"), Buffer.alloc(1024)])
        const answer = yield* tar(["tar", "-xmf", "-", "-C", "/tmp"], archive)
        assert.strictEqual(answer.exitCode, 2)
        assert.include(answer.err, "../escaped: Member name contains '..'")
        assert.include(answer.err, "out/through: leads out of the container")
        assert.deepStrictEqual(fs.readdirSync(outside), ["mine"])
        assert.isFalse(fs.existsSync(join(root, "escaped")))
        // The link was replaced, not followed.
        assert.strictEqual(fs.readFileSync(join(outside, "mine"), "utf8"), "mine")
        assert.strictEqual(fs.readFileSync(join(root, "tmp/mine"), "utf8"), "yours")
        assert.strictEqual(fs.readFileSync(join(root, "tmp/good"), "utf8"), "good")
        assert.strictEqual((yield* tar(["tar", "-xmf", "-", "-C", "/tmp/out"], archive)).exitCode, 2)
        const read = yield* tar(["tar", "cf", "-", "/tmp/out/mine"])
        assert.strictEqual(read.exitCode, 2)
        assert.notInclude(read.out.toString("latin1"), "mine")
      })), 30_000)

  it("knows kubectl's command lines and nothing else", () => {
    assert.deepStrictEqual(tarCommand.parse(["tar", "cf", "-", "/f"]), { _tag: "Create", path: "/f" })
    assert.deepStrictEqual(tarCommand.parse(["tar", "--no-same-permissions", "--no-same-owner", "-xmf", "-", "-C", "/d"]), { _tag: "Extract", directory: "/d" })
    assert.deepStrictEqual(tarCommand.parse(["tar", "-xmf", "-"]), { _tag: "Extract", directory: "." })
    for (const words of [["tar", "tf", "-"], ["tar", "cf", "x", "/f"], ["tar", "cf", "-", "a", "b"], ["tar", "-xmf", "-", "--to-command=x"], ["tar"], ["gtar", "cf", "-", "/f"]]) {
      assert.isUndefined(tarCommand.parse(words))
    }
    assert.strictEqual(tarArchive.cleanName("/./a//b/"), "a/b")
    assert.isUndefined(tarArchive.cleanName("a/../b"))
  })
})
