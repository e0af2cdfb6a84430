import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Program } from "@reddwarf/cli"
import { Console, Effect } from "effect"
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { command } from "../src/Cli.js"
import { names } from "../src/RunSettings.js"

const directory = mkdtempSync(join(tmpdir(), "reddwarf-agent-images-"))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Runs `reddwarf-agent images …` on a simulated host in this process. */
const images = (dataDir: string, subcommand: string, ...words: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const output: Array<string> = []
    const errors: Array<string> = []
    const console = yield* Console.consoleWith(Effect.succeed)
    const recording: Console.Console = {
      ...console,
      log: (...args) => Effect.sync(() => void output.push(args.join(" "))),
      error: (...args) => Effect.sync(() => void errors.push(args.join(" ")))
    }
    const argv = ["node", "reddwarf-agent", "images", subcommand, "--host", "sim", "--data-dir", join(directory, dataDir), ...words]
    const tree = yield* Effect.promise(() => command(argv[2]))
    const exit = yield* Program.run({ name: "reddwarf-agent", version: "1", prefix: "REDDWARF", names, command: tree, argv, environment: {} }).pipe(
      Effect.provide(NodeContext.layer),
      Effect.withConsole(recording),
      Effect.exit
    )
    let status = -1
    Program.teardown(exit, (code) => { status = code })
    return { status, output: output.join("\n"), errors: errors.join("\n") }
  })

const folder = join(directory, "root")
mkdirSync(join(folder, "bin"), { recursive: true })
writeFileSync(join(folder, "bin", "hello"), "#!/bin/sh\necho hello\n", { mode: 0o755 })
writeFileSync(join(directory, "config.json"), JSON.stringify({ os: "linux", architecture: "amd64", config: { Cmd: ["/bin/hello"] }, rootfs: { type: "layers", diff_ids: [] } }))

describe("reddwarf-agent images", () => {
  it.live("builds, lists, exports, removes, imports and prunes", () =>
    Effect.gen(function*() {
      const empty = yield* images("a", "list")
      assert.deepStrictEqual(empty, { status: 0, output: "No images found", errors: "" })

      const built = yield* images("a", "build", "--root", folder, "--oci-config", join(directory, "config.json"), "--name", "hello:1", "-o", "json")
      assert.strictEqual(built.errors, "")
      assert.strictEqual(built.status, 0)
      const list: { readonly items: ReadonlyArray<{ readonly id: string; readonly references: ReadonlyArray<string>; readonly config: { readonly config: unknown } }> } = JSON.parse(built.output)
      assert.deepStrictEqual(list.items[0]?.references, ["docker.io/library/hello:1"])
      assert.deepStrictEqual(list.items[0]?.config.config, { Cmd: ["/bin/hello"] })

      const table = yield* images("a", "list")
      assert.match(table.output, /^IMAGE +ID +PLATFORM +BRAND +SIZE +AGE +USERS\ndocker.io\/library\/hello:1 +[0-9a-f]{12} +linux\/amd64 +<any> +[0-9.]+KiB +\d+s +0$/)

      for (const format of ["tar", "zfs"]) {
        const file = join(directory, `hello-${format}.zar`)
        const exported = yield* images("a", "export", "--format", format, "hello:1", file)
        assert.strictEqual(exported.errors, "")
        assert.include(exported.output, `wrote ${file}`)
        const imported = yield* images(format, "import", file)
        assert.strictEqual(imported.errors, "")
        assert.include(imported.output, "docker.io/library/hello:1")
        assert.isTrue(statSync(join(directory, format, "images", "images.json")).isFile())
      }

      assert.include((yield* images("a", "remove", "hello:1")).output, "removed hello:1")
      const again = yield* images("a", "remove", "hello:1")
      assert.strictEqual(again.status, 1)
      assert.include(again.errors, "hello:1: image not found")

      const pruned = yield* images("tar", "prune", "--all", "-o", "json")
      assert.strictEqual(JSON.parse(pruned.output).removed.length, 1)
      assert.strictEqual((yield* images("tar", "list")).output, "No images found")
    }), 60_000)

  it.live("says what is wrong with what it is told", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* images("b", "build", "--name", "x:1")).status, 2)
      assert.strictEqual((yield* images("b", "pull", "--platform", "nonsense", "x")).status, 2)
      assert.strictEqual((yield* images("b", "prune", "--min-age", "soon")).status, 2)
      const missing = yield* images("b", "import", join(directory, "nothing.tar"))
      assert.strictEqual(missing.status, 1)
      assert.include(missing.errors, "nothing.tar")
      writeFileSync(join(directory, "registries.yaml"), "127.0.0.1:5000:\n  scheme: gopher\n")
      const registries = yield* images("b", "pull", "--registries", join(directory, "registries.yaml"), "127.0.0.1:5000/x:1")
      assert.strictEqual(registries.status, 1)
      assert.include(registries.errors, "registries file")
      const never = yield* images("b", "pull", "--policy", "Never", "127.0.0.1:1/x:1")
      assert.include(never.errors, "pull policy of Never")
      const unnamed = yield* images("b", "pull", "Upper/Case:1")
      assert.include(unnamed.errors, "invalid reference format")
    }), 60_000)
})
