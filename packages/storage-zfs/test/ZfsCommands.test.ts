import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as DatasetName from "../src/DatasetName.js"
import * as ZfsCommands from "../src/ZfsCommands.js"

const dataset = DatasetName.make("tank/pods/a")

describe("DatasetName", () => {
  it("accepts what every ZFS accepts and can be put into a command safely", () => {
    for (const good of ["tank", "tank/a", "tank/a-b_c.d:e", "rpool/zones/default-web-1-abc", `t/${"a".repeat(253)}`]) {
      assert.isTrue(DatasetName.is(good), good)
    }
    for (
      const bad of ["", "/tank", "tank/", "tank//a", "tank/..", "tank/.a", "tank/-r", "-r", "tank/a b", "tank/a@b", "mirror0",
        "c0t0d0", "log", "9tank", `t/${"a".repeat(254)}`, "tank/a\n", "tank/ä"]
    ) {
      assert.isFalse(DatasetName.is(bad), bad)
    }
    assert.isTrue(DatasetName.is("logs/a"))
    assert.isTrue(DatasetName.isSnapshot("tank/a@base"))
    assert.isFalse(DatasetName.isSnapshot("tank/a@b@c"))
    assert.strictEqual(DatasetName.poolOf(DatasetName.snapshot(dataset, "x")), DatasetName.make("tank"))
  })

  it.prop("never begins an argument with a dash", [fc.string()], ([text]) => !DatasetName.is(text) || !text.startsWith("-"))
})

describe("ZfsCommands", () => {
  it("puts options before names, in a stable order", () => {
    assert.deepStrictEqual(ZfsCommands.create(dataset, { quota: "1G", "reddwarf:uid": "u 1", atime: "off" }, { parents: true }), {
      program: "/usr/sbin/zfs",
      args: ["create", "-p", "-o", "atime=off", "-o", "quota=1G", "-o", "reddwarf:uid=u 1", "tank/pods/a"]
    })
    assert.deepStrictEqual(ZfsCommands.destroy(dataset, { recursive: true, force: true }).args, ["destroy", "-r", "-f", dataset])
    assert.deepStrictEqual(ZfsCommands.get(dataset, ["used", "quota"], { depth: 1 }).args, [
      "get", "-Hp", "-d", "1", "-o", "name,property,value,source", "used,quota", dataset
    ])
    assert.deepStrictEqual(ZfsCommands.get(dataset, "all", { depth: "all" }).args.slice(1, 3), ["-Hp", "-r"])
    assert.deepStrictEqual(
      ZfsCommands.clone(DatasetName.snapshot(dataset, "base"), DatasetName.make("tank/b"), { zoned: "on" }).args,
      ["clone", "-o", "zoned=on", "tank/pods/a@base", "tank/b"]
    )
  })
})
