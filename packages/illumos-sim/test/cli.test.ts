import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"
import { directory } from "./support.js"

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** Node with the sources: what the built file is for everybody else. */
const self = ["--conditions=source", "--import", file("./sources.mjs"), file("../src/bin.ts")]

const run = (program: string, args: ReadonlyArray<string>, environment: NodeJS.ProcessEnv = {}, input = "") =>
  Effect.async<{ readonly exitCode: number | null; readonly stdout: string; readonly stderr: string }>((resume) => {
    const child = spawn(program, args, { env: { PATH: process.env["PATH"], ...environment }, stdio: "pipe" })
    const text = { stdout: "", stderr: "" }
    child.stdout.on("data", (chunk: Buffer) => text.stdout += chunk.toString())
    child.stderr.on("data", (chunk: Buffer) => text.stderr += chunk.toString())
    child.on("close", (exitCode) => resume(Effect.succeed({ exitCode, ...text })))
    child.stdin.end(input)
    return Effect.sync(() => child.kill("SIGKILL"))
  })

describe("reddwarf-illumos-sim", () => {
  it.scopedLive("runs programs of the host as commands of the machine", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const environment = { REDDWARF_SIM_DIRECTORY: `${folder}/host`, REDDWARF_SIM_TRANSCRIPT: `${folder}/transcript` }
      const sim = (args: ReadonlyArray<string>, input = "") => run(process.execPath, [...self, ...args], environment, input)
      const config = "create -b\nset zonepath=/zones/web\nset brand=sparse\nset ip-type=exclusive\n"
      assert.deepStrictEqual(yield* sim(["--dialect", "gate", "zonecfg", "-z", "web", "-f", "-"], config), { exitCode: 0, stdout: "", stderr: "" })
      assert.strictEqual((yield* sim(["zoneadm", "-z", "web", "install"])).exitCode, 0)
      assert.strictEqual((yield* sim(["zoneadm", "-z", "web", "install"])).stderr, "zoneadm: zone 'web': is already installed.\n")
      assert.match((yield* sim(["zoneadm", "list", "-cv"])).stdout, /^ {2}ID NAME .*\n.*global.*\n.*web +installed/)
      yield* sim(["zoneadm", "-z", "web", "boot"])
      const hello = yield* sim(["zlogin", "web", "cat; echo done >&2; exit 7"], "through the zone")
      assert.deepStrictEqual(hello, { exitCode: 7, stdout: "through the zone", stderr: "done\n" })
      yield* sim(["zoneadm", "-z", "web", "halt"])
      assert.deepStrictEqual([(yield* sim(["nosuch"])).exitCode, (yield* sim(["--bogus", "x", "zonename"])).exitCode], [127, 2])
      const replayed = yield* run(process.execPath, [...self, "--directory", `${folder}/other`, "--dialect=gate", "replay", `${folder}/transcript`])
      assert.include(replayed.stdout, "6 commands run, 2 not repeatable, 0 differences")
      assert.strictEqual(replayed.exitCode, 0)
    }), 60_000)

  it.scopedLive("makes bad days", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const sim = (args: ReadonlyArray<string>, input = "") => run(process.execPath, [...self, "--directory", folder, ...args], {}, input)
      yield* sim(["script", "-"], "fail zonename times 1 exit 3 text 'not today'\nlocked web times 2\n")
      assert.strictEqual((yield* sim(["faults"])).stdout, "fail zonename exit 3 text \"not today\"\nlocked web times 2\n")
      assert.deepStrictEqual(yield* sim(["zonename"]), { exitCode: 3, stdout: "", stderr: "not today\n" })
      yield* sim(["fault", "clear"])
      yield* sim(["reboot"])
      assert.strictEqual((yield* sim(["faults"])).stdout, "")
      const refused = yield* sim(["fault", "explode"])
      assert.strictEqual(refused.exitCode, 2)
      assert.include(refused.stderr, "'explode' is no action")
    }), 60_000)

  it.scopedLive("makes a folder for PATH, in which scripts find the host", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const made = yield* run(process.execPath, [...self, "--directory", `${folder}/host`, "path-folder", `${folder}/bin`])
      assert.includeMembers(made.stdout.split("\n"), ["zoneadm", "zonecfg", "dladm", "zfs"])
      assert.notInclude(made.stdout.split("\n"), "ls")
      const script = `
        dladm create-etherstub 'stub0' && dladm show-etherstub -p -o link
        zfs create -o 'com.example:note=two words' rpool/data && zfs get -Ho value com.example:note rpool/data
        zoneadm -z nosuch boot; echo "exit $?"
      `
      const { stderr, stdout } = yield* run("/bin/sh", ["-c", script], { PATH: `${folder}/bin:${process.env["PATH"] ?? ""}` })
      assert.strictEqual(stdout, "stub0\ntwo words\nexit 1\n")
      assert.strictEqual(stderr, "zoneadm: nosuch: No such zone configured\n")
      // A program that somebody put there is left alone.
      fs.writeFileSync(`${folder}/bin/zpool`, "#!/bin/sh\n")
      const again = yield* run(process.execPath, [...self, "--directory", `${folder}/host`, "path-folder", `${folder}/bin`])
      assert.strictEqual(again.exitCode, 125)
      assert.include(again.stderr, "zpool is there already and is another program")
    }), 60_000)
})
