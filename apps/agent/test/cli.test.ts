import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Program } from "@reddwarf/cli"
import { Console, Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { command } from "../src/Cli.js"
import { hostCommandLine } from "../src/HostCommand.js"
import { names } from "../src/RunSettings.js"

const directory = mkdtempSync(join(tmpdir(), "reddwarf-agent-cli-"))
afterAll(() => rmSync(directory, { recursive: true }))

/** Runs one command line in this process; gives exit status and standard error. */
const run = (...words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const errors: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    const recording: Console.Console = { ...console, error: (...args) => Effect.sync(() => void errors.push(args.join(" "))) }
    const { argv, hostCommand } = hostCommandLine(["node", "reddwarf-agent", ...words])
    const exit = yield* Program.run({ name: "reddwarf-agent", version: "1", prefix: "REDDWARF", names, command: command(hostCommand), argv, environment: {} }).pipe(
      Effect.provide(NodeContext.layer),
      Effect.withConsole(recording),
      Effect.exit
    )
    let status = -1
    Program.teardown(exit, (code) => { status = code })
    return { status, errors: errors.join("\n") }
  })

describe("reddwarf-agent", () => {
  it("leaves the words after -- to the host", () => {
    assert.deepStrictEqual(hostCommandLine(["node", "agent", "host", "--data-dir", "/d", "--", "zoneadm", "list", "-cv"]), {
      argv: ["node", "agent", "host", "--data-dir", "/d"],
      hostCommand: ["zoneadm", "list", "-cv"]
    })
    assert.deepStrictEqual(hostCommandLine(["node", "agent", "run", "--", "x"]).hostCommand, [])
  })

  it.effect.skipIf(process.platform === "sunos")("refuses to take another machine for an illumos host", () =>
    Effect.gen(function*() {
      const { errors, status } = yield* run("run", "--kubeconfig", "/none", "--node-name", "n", "--data-dir", directory)
      assert.strictEqual(status, 1)
      assert.include(errors, "give --host sim")
    }))

  it.effect("wants a loopback range for the pods of a simulated host", () =>
    Effect.gen(function*() {
      const { errors, status } = yield* run("run", "--kubeconfig", "/none", "--node-name", "n", "--data-dir", directory, "--host", "sim", "--pod-cidr", "10.88.0.0/16")
      assert.strictEqual(status, 2)
      assert.include(errors, "must be a loopback range")
    }))

  it.effect("checks every setting, also those from a file", () =>
    Effect.gen(function*() {
      const base = ["run", "--kubeconfig", "/none", "--node-name", "n", "--data-dir", directory, "--host", "sim"]
      const wrong = [
        ["--node-name", "Bad_Name"],
        ["--data-dir", "relative"],
        ["--data-dir", "/a/../b"],
        ["--max-pods", "0"],
        ["--system-reserved-cpu", "much"],
        ["--kubelet-bind", "localhost"],
        ["--zones-dataset", "/rpool"],
        ["--supported-brands", "LX"]
      ]
      for (const [flag = "", value = ""] of wrong) {
        const words = base.filter((_, index) => base[index] !== flag && base[index - 1] !== flag)
        assert.strictEqual((yield* run(...words, flag, value)).status, 2, `${flag} ${value}`)
      }
      const file = join(directory, "agent.yaml")
      writeFileSync(file, "max-pods: many\n")
      assert.notStrictEqual((yield* run(...base, "--config", file)).status, 0)
    }))

  it.effect("says what is wrong when no agent has run, or no command was given", () =>
    Effect.gen(function*() {
      const nowhere = yield* run("host", "--data-dir", join(directory, "none"), "--", "zoneadm", "list")
      assert.strictEqual(nowhere.status, 1)
      assert.include(nowhere.errors, "no agent has run with the data directory")
      assert.strictEqual((yield* run("host", "--data-dir", directory)).status, 2)
    }))
})
