import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Program } from "@reddwarf/cli"
import { Console, Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, expect } from "vitest"
import { parse } from "yaml"
import { command } from "../src/Cli.js"
import { names } from "../src/RunSettings.js"

const directory = mkdtempSync(join(tmpdir(), "reddwarf-agent-doctor-"))
afterAll(() => rmSync(directory, { recursive: true }))
// The command leaves its verdict there; it is not that of the tests.
afterEach(() => {
  process.exitCode = 0
})

/** Runs one command line in this process; gives its exit status and standard output. */
const run = (...words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    const recording: Console.Console = {
      ...console,
      log: (...args) => Effect.sync(() => void lines.push(args.join(" "))),
      error: () => Effect.void
    }
    const argv = ["node", "reddwarf-agent", ...words]
    const tree = yield* Effect.promise(() => command(argv[2]))
    const exit = yield* Program.run({ name: "reddwarf-agent", version: "1", prefix: "REDDWARF", names, command: tree, argv, environment: {} }).pipe(
      Effect.provide(NodeContext.layer),
      Effect.withConsole(recording),
      Effect.exit
    )
    let status = -1
    Program.teardown(exit, (code) => { status = code })
    return { status: status === 0 ? Number(process.exitCode ?? 0) : status, output: lines.join("\n") }
  })

const doctor = (...words: ReadonlyArray<string>) => run("doctor", "--host", "sim", "--data-dir", directory, ...words)

describe("reddwarf-agent doctor", () => {
  it.live("checks a simulated host, as text and as data", () =>
    Effect.gen(function*() {
      const text = yield* doctor("--supported-brands", "lx")
      assert.strictEqual(text.status, 0, text.output)
      assert.match(text.output, /^CHECK +STATUS +FOUND\n/)
      assert.match(text.output, /\nThis host can be used: \d warnings\.$/)
      const json: unknown = JSON.parse((yield* doctor("-o", "json")).output)
      const yaml: unknown = parse((yield* doctor("-o", "yaml")).output)
      const shape = (report: unknown) => JSON.stringify(report).replaceAll(/\d+\.\d GiB/g, "some")
      assert.strictEqual(shape(json), shape(yaml))
      assert.match(JSON.stringify(json), /^\{"kind":"HostCheckReport","usable":true,"findings":\[\{"name":"system","status":"ok","found":/)
    }), 60_000)

  it.live("ends with 1 when something is in the way, and with 2 when it is asked wrongly", () =>
    Effect.gen(function*() {
      const refused = yield* doctor("--storage-pool", "tank")
      assert.strictEqual(refused.status, 1)
      assert.match(refused.output, /PROBLEM pool: name one with --storage-pool: rpool/)
      const unreachable = yield* doctor("--server", "http://127.0.0.1:1", "-o", "json")
      assert.strictEqual(unreachable.status, 1)
      assert.match(unreachable.output, /"name": "api-server",\s+"status": "problem"/)
      assert.strictEqual((yield* doctor("--server", "somewhere")).status, 2)
      assert.strictEqual((yield* doctor("-o", "xml")).status, 2)
    }), 60_000)
})

describe("reddwarf-agent smf-manifest", () => {
  it.effect.each(["agent", "supervisor"] as const)("prints the service %s", (service) =>
    Effect.gen(function*() {
      const { output, status } = yield* run(
        "smf-manifest", "--service", service, "--node", "/usr/bin/node", "--program", "/usr/lib/reddwarf/reddwarf-agent.js", "--data-dir", "/var/lib/reddwarf-agent"
      )
      assert.strictEqual(status, 0)
      yield* Effect.promise(() => expect(`${output}\n`).toMatchFileSnapshot(`./golden/${service}.xml`))
    }))

  it.effect("takes no relative path", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* run("smf-manifest", "--program", "agent.js")).status, 2)
    }))
})
