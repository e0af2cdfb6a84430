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
    ["cannot promote 'tank/a': not a cloned filesystem", "ZfsCommandFailed"]
  ])("understands %s", (stderr, tag) => {
    const error = ZfsFailure.classify("change", "tank/a", { exitCode: 1, stdout: "", stderr })
    assert.strictEqual(error._tag, tag)
    assert.match(error.message, /^change tank\/a: .+; .+/)
  })
})
