import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as ZfsFailure from "../src/ZfsFailure.js"
import * as ZfsOutput from "../src/ZfsOutput.js"

describe("ZfsOutput", () => {
  it("reads properties of several datasets", () => {
    const table = ZfsOutput.parseProperties(
      "tank/a\tquota\t1073741824\tlocal\ntank/a\tmountpoint\t/zones/a b\tinherited from tank\ntank/b\tquota\t0\tdefault\n"
    )
    assert.deepStrictEqual([...table.keys()], ["tank/a", "tank/b"])
    assert.deepStrictEqual(table.get("tank/a")?.get("mountpoint"), { value: "/zones/a b", source: "inherited from tank" })
  })

  it.prop("keeps values that hold tabs, and skips those that hold newlines", [fc.string()], ([value]) => {
    const table = ZfsOutput.parseProperties(`tank\treddwarf:x\t${value}\tlocal\ntank\tused\t5\t-\n`)
    const read = table.get("tank")?.get("reddwarf:x")?.value
    return table.get("tank")?.get("used")?.value === "5" && (value.includes("\n") || read === value)
  })

  it("reads pools with exact and with rounded numbers", () => {
    assert.deepStrictEqual(ZfsOutput.parsePool("rpool\t68182605824\t21474836480\t46707769344\t31\tONLINE"), {
      name: "rpool",
      size: 68182605824,
      allocated: 21474836480,
      free: 46707769344,
      health: "ONLINE"
    })
    assert.deepStrictEqual(ZfsOutput.parsePool("tpool\t508M\t1.5K\t508M\t0%\tDEGRADED"), {
      name: "tpool",
      size: 508 * 1024 ** 2,
      allocated: 1536,
      free: 508 * 1024 ** 2,
      health: "DEGRADED"
    })
    assert.isUndefined(ZfsOutput.parsePool("rpool\t-\t-\t-\t-\tFAULTED"))
    assert.isUndefined(ZfsOutput.parsePool("no pools available"))
  })
})

describe("ZfsOutput: lists, holds and previews", () => {
  it("reads rows by column", () => {
    assert.deepStrictEqual(ZfsOutput.parseList("tank/a\t5\ntank/b\t-\nodd\n", ["name", "used"]), [
      { name: "tank/a", used: "5" },
      { name: "tank/b", used: "-" }
    ])
    assert.deepStrictEqual(ZfsOutput.parsePools("a\t1024\t512\t512\t50\tONLINE\nno pools available\n").map((pool) => pool.name), ["a"])
  })

  it("reads holds with their header, and none where there are none", () => {
    const text = "NAME      TAG      TIMESTAMP\ntank/a@s  image-1  Thu Nov 20 10:05:07 2025\n"
    assert.deepStrictEqual(ZfsOutput.parseHolds(text), [{ snapshot: "tank/a@s", tag: "image-1", since: "Thu Nov 20 10:05:07 2025" }])
    assert.deepStrictEqual(ZfsOutput.parseHolds(""), [])
  })

  it("reads what would be destroyed", () => {
    assert.deepStrictEqual(ZfsOutput.parseDestroyPreview("destroy\ttank/a@s\ndestroy\ttank/a\nreclaim\t4096\n"), {
      destroyed: ["tank/a@s", "tank/a"],
      reclaimed: 4096
    })
  })
})

describe("ZfsFailure", () => {
  it.each([
    ["cannot open 'tank/a': dataset does not exist", "DatasetNotFound"],
    ["cannot create 'tank/a/b': parent does not exist", "DatasetNotFound"],
    ["could not find any snapshots to destroy; check snapshot names.", "DatasetNotFound"],
    ["cannot create 'tank/a': dataset already exists", "DatasetExists"],
    ["cannot create snapshot 'tank/a@s': dataset already exists", "DatasetExists"],
    ["cannot create 'x/a': no such pool 'x'", "PoolUnavailable"],
    ["cannot open 'x': no such pool", "PoolUnavailable"],
    ["cannot create 'x': pool I/O is currently suspended", "PoolUnavailable"],
    ["cannot destroy 'tank/a': dataset is busy", "DatasetBusy"],
    ["cannot unmount '/zones/a': Device busy", "DatasetBusy"],
    ["umount: /zones/a: target is busy.\ncannot unmount '/zones/a': umount failed: exit status 32", "DatasetBusy"],
    ["cannot destroy snapshot tank/a@s: it's being held. Run 'zfs holds -r tank/a@s' to see holders.", "DatasetBusy"],
    ["cannot mount 'tank/a': mountpoint or dataset is busy\nfilesystem successfully created, but not mounted", "DatasetNotMounted"],
    ["cannot destroy 'tank/a': filesystem has children\nuse '-r' to destroy the following datasets:\ntank/a/b", "DatasetHasChildren"],
    ["cannot destroy 'tank/a': filesystem has dependent clones\nuse '-R' to destroy the following datasets:\ntank/c", "DatasetHasClones"],
    ["cannot create 'tank/a': out of space", "OutOfSpace"],
    ["cannot set property for 'tank/a': size is less than current used or reserved space", "PropertyRejected"],
    ["cannot create 'tank/a': invalid property 'foo'", "PropertyRejected"],
    ["cannot create 'tank/a': permission denied", "StoragePermissionDenied"],
    ["connect: Connection refused\nPlease make sure that the zfs-fuse daemon is running.", "PoolUnavailable"],
    ["cannot hold snapshot 'tank/a@s': tag already exists on this dataset", "HoldExists"],
    ["cannot hold 'tank/a@s': tag already exists on this dataset", "HoldExists"],
    ["cannot release hold from snapshot 'tank/a@s': no such tag on this dataset", "HoldNotFound"],
    ["cannot receive: failed to read from stream", "StreamRejected"],
    ["cannot receive: invalid stream (bad magic number)", "StreamRejected"],
    ["cannot receive incremental stream: most recent snapshot of tank/a does not\nmatch incremental source", "StreamRejected"],
    ["cannot receive incremental stream: destination tank/a has been modified\nsince most recent snapshot", "StreamRejected"],
    ["cannot receive new filesystem stream: destination 'tank/a' exists\nmust specify -F to overwrite it", "DatasetExists"],
    ["WARNING: could not send tank/a@s: does not exist", "DatasetNotFound"],
    ["internal error: Function not implemented", "NotSupported"],
    ["invalid option 's'\nusage:\n\treceive", "NotSupported"],
    ["cannot promote 'tank/a': not a cloned filesystem", "ZfsCommandFailed"]
  ])("understands %s", (stderr, tag) => {
    const error = ZfsFailure.classify("change", "tank/a", { exitCode: 1, stdout: "", stderr })
    assert.strictEqual(error._tag, tag)
    assert.match(error.message, /^change tank\/a: .+; .+/)
  })
})
