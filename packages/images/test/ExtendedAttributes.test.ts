import { assert, describe, it } from "@effect/vitest"
import { CommandLine, CommandRunner } from "@reddwarf/runtime-illumos"
import { Effect, Layer } from "effect"
import * as ExtendedAttributes from "../src/ExtendedAttributes.js"

const attribute = (fields: Partial<ExtendedAttributes.FileAttribute> = {}): ExtendedAttributes.FileAttribute => ({
  path: "bin/ping",
  name: "security.capability",
  value: new Uint8Array([1, 0, 39, 255]),
  ...fields
})

const keep = (respond: CommandRunner.Respond, attributes: ReadonlyArray<ExtendedAttributes.FileAttribute>, journal: Array<CommandLine.CommandLine> = []) =>
  Effect.flatMap(ExtendedAttributes.ExtendedAttributes, ({ keep }) => keep("/root", attributes)).pipe(
    Effect.provide(Layer.provide(ExtendedAttributes.layer, CommandRunner.layerTest(respond, journal)))
  )

describe("ExtendedAttributes", () => {
  it("says bytes in the words of each tool", () => {
    assert.deepStrictEqual(ExtendedAttributes.setfattr("/root/bin/ping", attribute()), CommandLine.make(
      "/usr/bin/setfattr", "-h", "-n", "security.capability", "-v", "0x010027ff", "/root/bin/ping"
    ))
    // The quote of a value cannot end the quotes: every byte is a number.
    assert.deepStrictEqual(ExtendedAttributes.runat("/root/bin/ping", attribute()), CommandLine.make(
      "/usr/bin/runat", "/root/bin/ping", "printf '\\001\\000\\047\\377' > security.capability"
    ))
  })

  it.effect("counts what cannot be kept, and never gives a name to a shell that is more than a name", () =>
    Effect.gen(function*() {
      const journal: Array<CommandLine.CommandLine> = []
      const lost = yield* keep(() => CommandRunner.result(), [
        attribute(),
        attribute({ name: "user.x; rm -rf /" }),
        attribute({ name: "../escape" }),
        attribute({ value: new Uint8Array(5000) }),
        attribute({ path: "\u00ff\u00fe" }),
        attribute({ path: Buffer.from("ü").toString("latin1") })
      ], journal)
      assert.strictEqual(lost, 4)
      assert.deepStrictEqual(journal.map(({ args }) => args.some((word) => word.includes("ü")) ? "ü" : "ping"), ["ping", "ü"])
      assert.strictEqual(yield* keep(() => CommandRunner.result({ exitCode: 1 }), [attribute(), attribute()]), 2)
    }))

  it.effect("asks a host without the tool once", () =>
    Effect.gen(function*() {
      let asked = 0
      const lost = yield* keep((line) => {
        asked += 1
        return new CommandRunner.CommandUnavailable({ program: line.program, args: [...line.args], reason: "NotFound", detail: "no such file" })
      }, [attribute(), attribute(), attribute()])
      assert.deepStrictEqual([lost, asked], [3, 1])
    }))
})
