import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { Faults } from "../src/index.js"
import { host, type Row } from "./support.js"

const MiB = 1024 ** 2

const rows: ReadonlyArray<Row> = [
  { name: "set quota to 0", before: ["zfs create rpool/a"], run: "zfs set quota=0 rpool/a", exit: 1, stderr: "cannot set property for 'rpool/a': use 'none' to disable quota/refquota\n" },
  { name: "more than the pool holds", run: "zfs create -o reservation=2G rpool/a", exit: 1, stderr: "cannot create 'rpool/a': out of space\n" },
  { name: "below a full quota", before: ["zfs create -o quota=64K rpool/a", "zfs create rpool/a/b"], run: "zfs create rpool/a/c", exit: 1, stderr: "cannot create 'rpool/a/c': out of space\n" },
  { name: "a volume larger than the pool", run: "zfs create -V 2G rpool/v", exit: 1, stderr: "cannot create 'rpool/v': out of space\n" },
  { name: "a sparse volume larger than the pool", run: "zfs create -s -V 2G rpool/v", exit: 0 },
  { name: "a volume of a size that is no multiple", before: ["zfs create -V 1M rpool/v"], run: "zfs set volsize=1000001 rpool/v", exit: 1, stderr: "cannot set property for 'rpool/v': size must be a multiple of volume block size\n" },
  { name: "clone to another pool", before: ["zfs create rpool/a", "zfs snapshot rpool/a@s"], run: "zfs clone rpool/a@s data/a", exit: 1, stderr: "cannot create 'data/a': source and target pools differ\n" },
  { name: "rename to another pool", before: ["zfs create rpool/a"], run: "zfs rename rpool/a data/a", exit: 1, stderr: "cannot rename to 'data/a': datasets must be within same pool\n" },
  { name: "abort without a part", before: ["zfs create rpool/a"], run: "zfs receive -A rpool/a", exit: 1, stderr: "'rpool/a' does not have any resumable receive state to abort\n" },
  { name: "resume with a broken token", run: "zfs send -t nonsense", exit: 1, stderr: "cannot resume send: resume token is corrupt\n" },
  { name: "allow something that is no permission", run: "zfs allow nobody fly rpool", exit: 2 },
  { name: "pool from a missing file", run: "zpool create tank /no/such/file", exit: 1, stderr: "cannot open '/no/such/file': No such file or directory\n" },
  { name: "pool on a disk in use", run: "zpool create tank c1t0d0", exit: 1 },
  { name: "pool with a reserved name", run: "zpool create mirror c2t0d0", exit: 1, stderr: "cannot create 'mirror': name is reserved\npool name may have been omitted\n" },
  { name: "mirror of one", run: "zpool create tank mirror c2t0d0", exit: 1, stderr: "invalid vdev specification: mirror requires at least 2 devices\n" },
  { name: "mirror of two", run: "zpool create -m none tank mirror c2t0d0 c2t1d0", exit: 0 },
  { name: "last disk offline", before: ["zpool create -m none tank c2t0d0"], run: "zpool offline tank c2t0d0", exit: 1, stderr: "cannot offline c2t0d0: no valid replicas\n" },
  { name: "half a mirror offline", before: ["zpool create -m none tank mirror c2t0d0 c2t1d0", "zpool offline tank c2t1d0"], run: "zpool list -Ho name,health tank", exit: 0, stdout: "tank\tDEGRADED\n" },
  { name: "and online again", before: ["zpool create -m none tank mirror c2t0d0 c2t1d0", "zpool offline tank c2t1d0", "zpool online tank c2t1d0"], run: "zpool status -x tank", exit: 0, stdout: "pool 'tank' is healthy\n" },
  { name: "pool properties", before: ["zpool set failmode=continue rpool"], run: "zpool get -Ho property,value,source failmode,autoexpand rpool", exit: 0, stdout: "failmode\tcontinue\tlocal\nautoexpand\toff\tdefault\n" },
  { name: "pool property without meaning", run: "zpool set failmode=sleep rpool", exit: 1, stderr: "cannot set property for 'rpool': 'failmode' must be one of 'wait | continue | panic'\n" }
]

describe("zfs: space, pools and streams", () => {
  for (const row of rows) {
    it.scoped(row.name, () =>
      Effect.gen(function*() {
        const { sh, expectOk } = yield* host({ pools: [{ name: "rpool", size: 1024 ** 3 }, { name: "data", size: 1024 ** 3 }] })
        for (const command of row.before ?? []) yield* expectOk(command)
        const result = yield* sh(row.run)
        if (row.stderr !== undefined) assert.strictEqual(result.stderr, row.stderr)
        if (row.stdout !== undefined) assert.strictEqual(result.stdout, row.stdout)
        assert.strictEqual(result.exitCode, row.exit)
      }))
  }

  it.scoped("a pool fills up, and is free again when what filled it is gone", () =>
    Effect.gen(function*() {
      const { expectOk, realPath, sh } = yield* host({ pools: [{ name: "rpool", size: 4 * MiB }] })
      yield* expectOk("zfs create -o mountpoint=/a rpool/a")
      fs.writeFileSync(realPath("/a/big"), Buffer.alloc(4 * MiB, 1))
      assert.strictEqual((yield* sh("zfs create rpool/b")).stderr, "cannot create 'rpool/b': out of space\n")
      assert.strictEqual((yield* sh("zfs snapshot rpool/a@s")).stderr, "cannot create snapshot 'rpool/a@s': out of space\n")
      assert.strictEqual((yield* sh("zpool list -Hpo cap rpool")).stdout, "100\n")
      fs.rmSync(realPath("/a/big"))
      yield* expectOk("zfs create rpool/b")
      fs.writeFileSync(realPath("/a/half"), Buffer.alloc(MiB, 1))
      yield* expectOk("zfs snapshot rpool/a@s")
      fs.rmSync(realPath("/a/half"))
      const used = (name: string) => Effect.map(sh(`zfs list -Hpo used ${name}`), ({ stdout }) => Number(stdout))
      assert.isAtLeast(yield* used("rpool/a@s"), MiB)
      assert.isAtLeast(yield* used("rpool/a"), MiB)
      yield* expectOk("zfs destroy rpool/a@s")
      assert.isBelow(yield* used("rpool/a"), MiB)
    }))

  it.scoped("pools in trouble: degraded works, suspended stops changes, faulted hides everything", () =>
    Effect.gen(function*() {
      const { clearFaults, expectOk, inject, sh } = yield* host()
      yield* expectOk("zfs create rpool/a")
      yield* inject(Faults.poolHealth("rpool", "DEGRADED"))
      yield* expectOk("zfs create rpool/b")
      assert.strictEqual((yield* sh("zpool list -Ho health rpool")).stdout, "DEGRADED\n")
      assert.match((yield* sh("zpool status -x")).stdout, /^ {2}pool: rpool\n state: DEGRADED\nstatus: One or more devices/)
      yield* clearFaults
      yield* inject(Faults.poolHealth("rpool", "SUSPENDED"))
      assert.strictEqual((yield* sh("zfs create rpool/c")).stderr, "cannot create 'rpool/c': pool I/O is currently suspended\n")
      yield* expectOk("zfs list rpool/a")
      yield* clearFaults
      yield* inject(Faults.poolHealth("rpool", "FAULTED"))
      assert.strictEqual((yield* sh("zfs list rpool/a")).stderr, "cannot open 'rpool/a': pool is unavailable\n")
      yield* clearFaults
      yield* expectOk("zfs list rpool/a")
    }))

  it.scoped("a stream is text that can be kept in a file and received from it", () =>
    Effect.gen(function*() {
      const { expectOk, realPath, run, sh } = yield* host()
      yield* expectOk("zfs create -o mountpoint=/a rpool/a")
      fs.writeFileSync(realPath("/a/file"), "content", { mode: 0o4755 })
      fs.chmodSync(realPath("/a/file"), 0o4755)
      fs.symlinkSync("file", realPath("/a/link"))
      yield* expectOk("zfs snapshot rpool/a@1")
      const stream = (yield* sh("zfs send rpool/a@1")).stdout
      // oxlint-disable-next-line no-control-regex -- that there are none is the point
      assert.match(stream, /^[\x20-\x7e\n]+$/)
      const receive = (stdin: string, ...args: ReadonlyArray<string>) => run({ program: "/usr/sbin/zfs", args: ["receive", ...args], stdin })
      assert.strictEqual((yield* receive(stream, "-o", "mountpoint=/b", "rpool/b")).exitCode, 0)
      assert.strictEqual(fs.readFileSync(realPath("/b/link"), "utf8"), "content")
      assert.strictEqual(fs.statSync(realPath("/b/file")).mode & 0o7777, 0o4755)
      assert.match((yield* receive(stream.slice(0, -20), "rpool/c")).stderr, /incomplete stream/)
      assert.strictEqual((yield* sh("zfs list rpool/c")).exitCode, 1)
      const evil = stream.replace("\"path\":\"file\"", "\"path\":\"../../file\"")
      yield* receive(evil, "rpool/evil")
      assert.isFalse(fs.existsSync(realPath("/../../file")))
    }))

  it.scoped("a delegated dataset cannot be touched from outside while its zone runs", () =>
    Effect.gen(function*() {
      const { expectOk, sh, running } = yield* host()
      yield* expectOk("zfs create -o mountpoint=/zones rpool/zones")
      yield* expectOk("zfs create -o zoned=on -o mountpoint=/data rpool/data")
      yield* expectOk("zfs create rpool/data/inner")
      yield* running("z", "add dataset", "set name=rpool/data", "end")
      assert.strictEqual((yield* sh("zfs destroy -r rpool/data")).exitCode, 1)
      assert.strictEqual((yield* sh("zfs rename rpool/data rpool/other")).stderr, "cannot rename 'rpool/data': dataset is used in a non-global zone\n")
      assert.strictEqual((yield* sh("zfs mount rpool/data")).stderr, "cannot mount 'rpool/data': dataset is exported to a local zone\n")
      yield* expectOk("zoneadm -z z halt")
      yield* expectOk("zfs destroy -r rpool/data")
    }))

  it.scoped("volumes are devices with content that snapshots keep", () =>
    Effect.gen(function*() {
      const { expectOk, realPath } = yield* host()
      yield* expectOk("zfs create -V 2M rpool/v")
      const device = (name: string) => realPath(`/dev/zvol/rdsk/rpool/${name}`)
      assert.strictEqual(fs.statSync(device("v")).size, 2 * MiB)
      assert.strictEqual(fs.statSync(realPath("/dev/zvol/dsk/rpool/v")).size, 2 * MiB)
      fs.writeFileSync(device("v"), Buffer.alloc(2 * MiB, 7))
      yield* expectOk("zfs snapshot rpool/v@s")
      fs.writeFileSync(device("v"), Buffer.alloc(2 * MiB, 8))
      yield* expectOk("zfs clone rpool/v@s rpool/w")
      assert.strictEqual(fs.readFileSync(device("w"))[0], 7)
      yield* expectOk("zfs set volsize=4M rpool/w")
      assert.strictEqual(fs.statSync(device("w")).size, 4 * MiB)
      yield* expectOk("zfs rename rpool/w rpool/x")
      assert.isFalse(fs.existsSync(device("w")))
      yield* expectOk("zfs rollback rpool/v@s")
      assert.strictEqual(fs.readFileSync(device("v"))[0], 7)
      yield* expectOk("zfs destroy rpool/x")
      yield* expectOk("zfs destroy -r rpool/v")
      assert.isFalse(fs.existsSync(device("v")))
    }))
})
