import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Program } from "@reddwarf/cli"
import { Console, Effect, Exit, Option } from "effect"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect } from "vitest"
import { command } from "../src/Cli.js"
import { names, parseBind } from "../src/ServeSettings.js"

const directory = mkdtempSync(join(tmpdir(), "reddwarf-server-cli-"))
afterAll(() => rmSync(directory, { recursive: true }))

/** Runs one command line in this process; gives exit status and what it printed. */
const run = (...words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const output: Array<string> = []
    const errors: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    const recording: Console.Console = {
      ...console,
      log: (...args) => Effect.sync(() => void output.push(args.join(" "))),
      error: (...args) => Effect.sync(() => void errors.push(args.join(" ")))
    }
    const exit = yield* Program.run({ name: "reddwarf-server", version: "1", prefix: "REDDWARF", names, command, argv: ["node", "reddwarf-server", ...words], environment: {} }).pipe(
      Effect.provide(NodeContext.layer),
      Effect.withConsole(recording),
      Effect.exit
    )
    let status = -1
    Program.teardown(exit, (code) => { status = code })
    return { status, output: output.join("\n"), errors: errors.join("\n"), success: Exit.isSuccess(exit) }
  })

describe("reddwarf-server", () => {
  it("reads bind addresses", () => {
    assert.deepStrictEqual(parseBind("127.0.0.1:6443"), Option.some({ host: "127.0.0.1", port: 6443 }))
    assert.deepStrictEqual(parseBind("[::1]:0"), Option.some({ host: "::1", port: 0 }))
    for (const bad of ["6443", "127.0.0.1", "127.0.0.1:70000", "[x]:1", "::1:6443", "127.0.0.1:-1", ""]) {
      assert.isTrue(Option.isNone(parseBind(bad)), bad)
    }
  })

  it.effect("prints itself as a service of the host", () =>
    Effect.gen(function*() {
      const { output, status } = yield* run("smf-manifest", "--node", "/usr/bin/node", "--program", "/usr/lib/reddwarf/reddwarf-server.js")
      assert.strictEqual(status, 0)
      yield* Effect.promise(() => expect(`${output}\n`).toMatchFileSnapshot("./golden/server.xml"))
      assert.strictEqual((yield* run("smf-manifest", "--program", "server.js")).status, 2)
    }))

  it.effect("prints its version", () =>
    Effect.gen(function*() {
      assert.match((yield* run("version")).output, /^reddwarf-server \d+\.\d+\.\d+/)
    }))

  it.effect("makes kubeconfigs for administrators, users and nodes, with mode 0600", () =>
    Effect.gen(function*() {
      const out = join(directory, "node.kubeconfig")
      assert.strictEqual((yield* run("kubeconfig", "--data-dir", directory, "--node", "node-1", "--out", out)).status, 0)
      assert.strictEqual(statSync(out).mode & 0o777, 0o600)
      assert.include(readFileSync(out, "utf8"), "system:node:node-1")
      const user = yield* run("kubeconfig", "--data-dir", directory, "--user", "jane", "--group", "devs", "--server", "https://127.0.0.1:7443")
      assert.include(user.output, "https://127.0.0.1:7443")
      assert.include(user.output, "name: jane")
    }))

  it.effect("explains a wrong command line and ends with 2", () =>
    Effect.gen(function*() {
      const both = yield* run("kubeconfig", "--data-dir", directory, "--node", "n", "--user", "u")
      assert.deepStrictEqual([both.status, both.errors], [2, "reddwarf-server: --node makes the credentials of an agent; leave --user and --group out"])
      const name = yield* run("kubeconfig", "--data-dir", directory, "--node", "Bad_Name")
      assert.strictEqual(name.status, 2)
      assert.include(name.errors, "a lowercase RFC 1123 subdomain must consist of")
      const tls = yield* run("serve", "--data-dir", directory, "--bind", "127.0.0.1:0", "--tls-cert", "a.pem")
      assert.strictEqual(tls.status, 2)
      assert.include(tls.errors, "tls-cert, tls-key and tls-ca belong together")
      assert.strictEqual((yield* run("serve", "--bind", "nonsense")).status, 2)
    }))
})
