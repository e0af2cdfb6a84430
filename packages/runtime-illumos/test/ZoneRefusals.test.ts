import { assert, describe, it } from "@effect/vitest"
import * as CommandRunner from "../src/CommandRunner.js"
import * as Zlogin from "../src/Zlogin.js"
import * as ZoneAdm from "../src/ZoneAdm.js"
import * as ZoneCfg from "../src/ZoneCfg.js"
import * as ZoneRefusals from "../src/ZoneRefusals.js"

const tools = [
  ["zonecfg", ZoneRefusals.zonecfg, ZoneCfg.classify],
  ["zoneadm", ZoneRefusals.zoneadm, ZoneAdm.classify],
  ["zlogin", ZoneRefusals.zlogin, Zlogin.classify]
] as const

describe("refusals", () => {
  for (const [tool, table, classify] of tools) {
    for (const row of table) {
      for (const text of row.texts) {
        it(`${tool}: ${row.situation}: ${text.split("\n")[0]}`, () => {
          const error = classify("change zone", "web", CommandRunner.result({ exitCode: 1, stderr: text === "" ? "" : `${text}\n` }))
          assert.instanceOf(error, row.error)
          // Operation, object, then what to do next.
          assert.match(error.message, /^change zone web: .+; .+/s)
          // No row before it takes its texts.
          assert.strictEqual(table.find((candidate) => candidate.pattern.test(text)), row)
        })
      }
    }
  }

  it("an exit status of 2 without a word is a wrong argument", () => {
    assert.strictEqual(ZoneAdm.classify("mark zone", "web", CommandRunner.result({ exitCode: 2 }))._tag, "CommandMisused")
    assert.strictEqual(ZoneCfg.classify("configure zone", "web", CommandRunner.result({ exitCode: 2 }))._tag, "CommandMisused")
  })

  it("what no table knows keeps its exit status and text", () => {
    const error = ZoneAdm.classify("boot zone", "web", CommandRunner.result({ exitCode: 1, stderr: "zone 'web': something new\n" }))
    assert.strictEqual(error._tag, "HostCommandFailed")
    assert.include(error.message, "boot zone web: failed with exit status 1 (zone 'web': something new)")
  })
})
