import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as DatasetName from "../src/DatasetName.js"
import * as PropertyName from "../src/PropertyName.js"
import * as ZfsCommands from "../src/ZfsCommands.js"
import * as ZfsDelegation from "../src/ZfsDelegation.js"
import * as ZfsSnapshotCommands from "../src/ZfsSnapshotCommands.js"
import * as ZpoolCommands from "../src/ZpoolCommands.js"

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

describe("every builder", () => {
  const base = DatasetName.snapshot(dataset, "base")
  const other = DatasetName.snapshot(dataset, "other")
  it.each([
    [ZfsCommands.createVolume(dataset, 1024, { "a:b": "c" }, { sparse: true, blockSize: 4096 }), "create -s -b 4096 -o a:b=c -V 1024 tank/pods/a"],
    [ZfsCommands.create(dataset, {}, { unmounted: true }), "create -u tank/pods/a"],
    [ZfsCommands.destroy(base, { deferred: true, recursive: true }), "destroy -r -d tank/pods/a@base"],
    [ZfsCommands.destroy(dataset, { clones: true, dryRun: true }), "destroy -R -n -v -p tank/pods/a"],
    [ZfsCommands.destroySnapshots([base, other]), "destroy tank/pods/a@base,other"],
    [ZfsCommands.destroySnapshots({ dataset, from: base }), "destroy tank/pods/a@base%"],
    [ZfsCommands.get(dataset, ["used"], { sources: ["local", "received"], types: ["snapshot"], depth: 1 }), "get -Hp -d 1 -t snapshot -s local,received -o name,property,value,source used tank/pods/a"],
    [ZfsCommands.list(dataset, ["name", "used"], { depth: "all", types: ["filesystem", "volume"], sortBy: ["createtxg"] }), "list -Hp -r -t filesystem,volume -s createtxg -o name,used tank/pods/a"],
    [ZfsCommands.list(undefined, ["name"]), "list -Hp -o name"],
    [ZfsCommands.setAll(dataset, { quota: "1G", atime: "off" }), "set atime=off quota=1G tank/pods/a"],
    [ZfsCommands.inherit(dataset, "quota", { received: true, recursive: true }), "inherit -r -S quota tank/pods/a"],
    [ZfsCommands.snapshot(base, {}, { recursive: true }), "snapshot -r tank/pods/a@base"],
    [ZfsCommands.rename(base, other, { recursive: true }), "rename -r tank/pods/a@base tank/pods/a@other"],
    [ZfsCommands.rollback(base, { destroyNewer: true, destroyClones: true }), "rollback -r -R tank/pods/a@base"],
    [ZfsCommands.clone(base, DatasetName.make("tank/b"), {}, { parents: true }), "clone -p tank/pods/a@base tank/b"],
    [ZfsSnapshotCommands.send(other, { from: base, intermediate: true, replicate: true, properties: true }), "send -R -p -I tank/pods/a@base tank/pods/a@other"],
    [ZfsSnapshotCommands.sendResume("1-abc"), "send -t 1-abc"],
    [ZfsSnapshotCommands.receive(dataset, { rollback: true, unmounted: true, resumable: true, properties: { readonly: "on" }, nameFrom: "last" }), "receive -F -u -s -e -o readonly=on tank/pods/a"],
    [ZfsSnapshotCommands.abortReceive(dataset), "receive -A tank/pods/a"],
    [ZfsSnapshotCommands.hold("keep", [base, other], { recursive: true }), "hold -r keep tank/pods/a@base tank/pods/a@other"],
    [ZfsSnapshotCommands.release("keep", [base]), "release keep tank/pods/a@base"],
    [ZfsSnapshotCommands.holds([base], { recursive: true }), "holds -r tank/pods/a@base"],
    [ZfsDelegation.allow(dataset, { kind: "group", name: "staff" }, ["create", "mount"], "descendants"), "allow -d -g staff create,mount tank/pods/a"],
    [ZfsDelegation.allow(dataset, { kind: "everyone" }, ["send"]), "allow -e send tank/pods/a"],
    [ZfsDelegation.unallow(dataset, { kind: "user", name: "web" }), "unallow -u web tank/pods/a"],
    [ZpoolCommands.create(DatasetName.make("tank"), [{ kind: "mirror", devices: ["c1t0d0", "c1t1d0"] }, { kind: "stripe", devices: ["/a.img"] }], { properties: { autoexpand: "on" }, fileSystemProperties: { atime: "off" }, mountpoint: "none", force: true }),
      "create -f -o autoexpand=on -O atime=off -m none tank mirror c1t0d0 c1t1d0 /a.img"],
    [ZpoolCommands.scrub(DatasetName.make("tank"), { stop: true }), "scrub -s tank"],
    [ZpoolCommands.get(DatasetName.make("tank"), ["health"]), "get -Hp -o name,property,value,source health tank"]
  ])("renders %#", (line, expected) => {
    assert.strictEqual(line.args.join(" "), expected)
  })
})

describe("PropertyName", () => {
  it("knows names, values and tags that survive a command line and its output", () => {
    for (const good of ["quota", "volsize", "reddwarf:uid", "org.example:pod-uid"]) assert.isTrue(PropertyName.is(good), good)
    for (const bad of ["", "-o", "Quota", "a b", "a=b", ":x", "a:", "é:x", `a:${"b".repeat(300)}`]) assert.isFalse(PropertyName.is(bad), bad)
    assert.isUndefined(PropertyName.problem({ "a:b": "x".repeat(8191) }))
    for (const bad of ["", "a\nb", "a\tb", "x".repeat(8192)]) assert.isString(PropertyName.problem({ "a:b": bad }))
    for (const bad of ["", "-r", ".x", "a b", "a/b"]) assert.isFalse(PropertyName.isTag(bad), bad)
  })

  it.prop("never lets a value add a column or a row", [fc.string()], ([value]) =>
    PropertyName.problem({ "a:b": value }) !== undefined || !/[\t\n]/.test(value))
})
