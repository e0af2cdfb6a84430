import { Command, Options } from "@effect/cli"
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll } from "vitest"
import { Settings } from "../src/index.js"

const directory = mkdtempSync(join(tmpdir(), "reddwarf-settings-"))
afterAll(() => rmSync(directory, { recursive: true }))
const fileWith = (name: string, content: string): string => {
  const file = join(directory, name)
  writeFileSync(file, content)
  return file
}

const options = {
  config: Settings.file,
  dataDir: Settings.text("data-dir").pipe(Options.withDefault("/var/lib")),
  port: Settings.integer("port", 1, 65_535).pipe(Options.withDefault(6443)),
  host: Settings.choice("host", ["sim", "illumos"]).pipe(Options.withDefault("illumos"))
}
const names = Settings.namesOf(options)

/** Parses the words as a program with three settings would, and gives what it got. */
const parse = (words: ReadonlyArray<string>, environment: Record<string, string> = {}) =>
  Effect.gen(function*() {
    let got: { readonly dataDir: string; readonly port: number; readonly host: string } | undefined
    const command = Command.make("program", options, ({ dataDir, host, port }) => Effect.sync(() => { got = { dataDir, port, host } }))
    const argv = ["node", "program", ...words]
    yield* Command.run(command, { name: "program", version: "0" })(argv).pipe(
      Effect.provide(Layer.merge(NodeContext.layer, Settings.layer({ argv, environment, prefix: "REDDWARF", names })))
    )
    return got
  })

describe("Settings", () => {
  it("are named by their options, whatever else these are", () => {
    assert.deepStrictEqual(names, ["data-dir", "port", "host"])
    const more = { list: Settings.orElse(Options.filterMap(Settings.text("a-list"), Option.some, "no list"), "", "a list"), maybe: Options.optional(Settings.text("maybe")) }
    assert.deepStrictEqual(Settings.namesOf(more), ["a-list", "maybe"])
  })
  it.effect("uses the default when nobody says anything", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* parse([]), { dataDir: "/var/lib", port: 6443, host: "illumos" })
    }))
  it.effect("reads flag, environment and file, in this order of precedence", () =>
    Effect.gen(function*() {
      const file = fileWith("all.yaml", "data-dir: /from/file\nport: 1\nhost: sim\n")
      const environment = { REDDWARF_DATA_DIR: "/from/environment", REDDWARF_PORT: "2" }
      assert.deepStrictEqual(yield* parse(["--config", file, "--port", "3"], environment), { dataDir: "/from/environment", port: 3, host: "sim" })
      assert.deepStrictEqual(yield* parse([], { ...environment, REDDWARF_CONFIG: file }), { dataDir: "/from/environment", port: 2, host: "sim" })
    }))
  it.effect("validates a value wherever it comes from", () =>
    Effect.gen(function*() {
      for (const bad of [parse(["--port", "70000"]), parse([], { REDDWARF_PORT: "70000" }), parse([], { REDDWARF_PORT: "x" }), parse([], { REDDWARF_HOST: "vm" }), parse(["--host", "vm"])]) {
        assert.isTrue(Exit.isFailure(yield* Effect.exit(bad)))
      }
    }))
  it.effect("refuses a file that is missing, malformed, or holds an unknown setting, and names the file", () =>
    Effect.gen(function*() {
      const messages: Array<string> = []
      for (const file of [join(directory, "none.yaml"), fileWith("bad.yaml", "a: [1"), fileWith("list.yaml", "- a"), fileWith("unknown.yaml", "datadir: x")]) {
        const error = yield* Effect.flip(parse(["--config", file]))
        assert.include(String(error), file)
        messages.push(String(error))
      }
      assert.include(messages[3], "unknown setting \"datadir\"; known are data-dir, host, port")
    }))
})
