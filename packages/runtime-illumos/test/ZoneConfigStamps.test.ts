import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as CommandRunner from "../src/CommandRunner.js"
import * as LinkName from "../src/LinkName.js"
import * as ZoneConfig from "../src/ZoneConfig.js"
import * as ZoneConfigDifferences from "../src/ZoneConfigDifferences.js"
import * as ZoneConfigStamps from "../src/ZoneConfigStamps.js"

const listing = `total 18
-r--r--r--   1 root     bin          402 2026-05-02 09:11:05.000000000 +0000 SUNWblank.xml
-rw-r--r--   1 root     root        1024 2026-11-21 10:00:00.123456789 +0000 web.xml
-rw-r--r--   1 root     root        1024 2026-11-21 10:00:00.123456790 +0000 default-db-1x.xml
-rw-r--r--   1 root     sys          322 2026-11-21 10:00:00.500000000 +0100 index
`

describe("stamps of stored configurations", () => {
  it("are read for every zone, and differ by a nanosecond", () => {
    const stamps = ZoneConfigStamps.parse(listing)
    assert.deepStrictEqual([...stamps.keys()], ["SUNWblank", "web", "default-db-1x"])
    assert.strictEqual(stamps.get("web"), "1024 2026-11-21 10:00:00.123456789 +0000")
    assert.notStrictEqual(stamps.get("web"), stamps.get("default-db-1x"))
  })

  const answered = (answer: Partial<CommandRunner.CommandResult>) =>
    Effect.flatMap(CommandRunner.CommandRunner, ZoneConfigStamps.read).pipe(Effect.provide(CommandRunner.layerTest(() => CommandRunner.result(answer), [])))

  it.effect("are none on a host that never had a zone, and unknown where they cannot be listed", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* answered({ exitCode: 2, stderr: "/etc/zones/: No such file or directory\n" })).size, 0)
      const error = yield* Effect.flip(answered({ exitCode: 2, stderr: "can't read ACL from /etc/zones/\n" }))
      assert.strictEqual(error._tag, "HostCommandFailed")
    }))
})

describe("differences between configurations", () => {
  const base: ZoneConfig.ZoneConfig = {
    ...ZoneConfig.make("/zones/web", "lx"),
    net: [{ physical: LinkName.make("rd_web_0"), allowedAddress: "10.0.0.2/24" }],
    attr: [{ name: "owner", type: "string", value: "a" }, { name: "uid", type: "string", value: "1" }],
    fs: [{ dir: "/data", special: "/export", type: "lofs", options: ["ro", "nodevices"] }],
    cappedCpuPercent: 50
  }
  const words = (changes: Partial<ZoneConfig.ZoneConfig>) => ZoneConfigDifferences.of({ ...base, ...changes }, base).map(ZoneConfigDifferences.describe)

  it("are named as zonecfg names things", () => {
    assert.deepStrictEqual(words({}), [])
    assert.deepStrictEqual(words({ attr: base.attr.toReversed() }), [])
    assert.deepStrictEqual(words({ autoboot: true, limitpriv: "default,dtrace_user" }), ["autoboot", "limitpriv"])
    assert.deepStrictEqual(words({ cappedCpuPercent: 60, maxLwps: 300 }), ["capped-cpu-percent", "max-lwps"])
    assert.deepStrictEqual(words({ net: [] }), ["net rd_web_0 10.0.0.2/24"])
    assert.deepStrictEqual(words({ attr: [{ name: "owner", type: "string", value: "b" }] }), ["attr owner", "attr uid"])
    assert.deepStrictEqual(words({ fs: [], rctl: [{ name: "zone.max-msg-ids-x", limit: 1n, action: "deny" }] }), ["fs /data", "rctl zone.max-msg-ids-x"])
  })
})
