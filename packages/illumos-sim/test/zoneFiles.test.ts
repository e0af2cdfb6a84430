import { assert, describe, it } from "@effect/vitest"
import { ZoneConfigStamps } from "@reddwarf/runtime-illumos"
import { Effect } from "effect"
import { host } from "./support.js"

describe("/etc/zones", () => {
  it.scopedLive("has a file for every zone, which tells when its configuration was stored last", () =>
    Effect.gen(function*() {
      const { run } = yield* host()
      const zonecfg = (zone: string, ...commands: ReadonlyArray<string>) =>
        Effect.map(run({ program: "/usr/sbin/zonecfg", args: ["-z", zone, commands.join("; ")] }), ({ exitCode, stderr }) => assert.strictEqual(exitCode, 0, stderr))
      const stamps = Effect.map(run(ZoneConfigStamps.list), ({ stdout }) => ZoneConfigStamps.parse(stdout))
      const text = (zone: string) => Effect.map(run({ program: "/usr/bin/cat", args: [`/etc/zones/${zone}.xml`] }), ({ stdout }) => stdout)
      assert.deepStrictEqual([...(yield* stamps).keys()], [])
      for (const zone of ["web", "db"]) yield* zonecfg(zone, "create -b", `set zonepath=/zones/${zone}`, "set brand=sparse")
      const first = yield* stamps
      assert.deepStrictEqual([...first.keys()].sort(), ["db", "web"])
      yield* zonecfg("web", "export")
      assert.deepStrictEqual(yield* stamps, first)
      yield* zonecfg("web", "add attr", "set name=note", "set type=string", "set value=\"a<b & c\"", "end")
      const second = yield* stamps
      assert.notStrictEqual(second.get("web"), first.get("web"))
      assert.strictEqual(second.get("db"), first.get("db"))
      assert.include(yield* text("web"), "<attr name=\"note\" type=\"string\" value=\"a&lt;b &amp; c\"/>")
      yield* zonecfg("web", "set zonename=site")
      assert.deepStrictEqual([...(yield* stamps).keys()].sort(), ["db", "site"])
      yield* zonecfg("site", "delete -F")
      assert.deepStrictEqual([...(yield* stamps).keys()], ["db"])
    }))
})
