import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { Faults } from "../src/index.js"
import { host, type Row } from "./support.js"

const made = ["zfs create rpool/a"]
const child = [...made, "zfs create rpool/a/b"]
const snapped = [...made, "zfs snapshot rpool/a@s"]
const cloned = [...snapped, "zfs clone rpool/a@s rpool/c"]

const rows: ReadonlyArray<Row> = [
  { name: "list missing", run: "zfs list rpool/x", exit: 1, stderr: "cannot open 'rpool/x': dataset does not exist\n" },
  { name: "create existing", before: made, run: "zfs create rpool/a", exit: 1, stderr: "cannot create 'rpool/a': dataset already exists\n" },
  { name: "create -p existing", before: made, run: "zfs create -p rpool/a", exit: 0, stderr: "" },
  { name: "create without parent", run: "zfs create rpool/a/b", exit: 1, stderr: "cannot create 'rpool/a/b': parent does not exist\n" },
  { name: "create below a volume", before: ["zfs create -V 1M rpool/v"], run: "zfs create rpool/v/a", exit: 1, stderr: "cannot create 'rpool/v/a': parent 'rpool/v' is not a filesystem\n" },
  { name: "create without pool", run: "zfs create tank/a", exit: 1, stderr: "cannot create 'tank/a': no such pool 'tank'\n" },
  { name: "create with a bad name", run: "zfs create rpool/a*b", exit: 1, stderr: "cannot create 'rpool/a*b': invalid character '*' in name\n" },
  { name: "create with an empty component", run: "zfs create rpool//a", exit: 1, stderr: "cannot create 'rpool//a': empty component in name\n" },
  { name: "create with a trailing slash", run: "zfs create rpool/a/", exit: 1, stderr: "cannot create 'rpool/a/': trailing slash in name\n" },
  { name: "create too long", run: `zfs create rpool/${"x".repeat(255)}`, exit: 1, stderr: `cannot create 'rpool/${"x".repeat(255)}': name is too long\n` },
  { name: "create unknown property", run: "zfs create -o foo=1 rpool/a", exit: 1, stderr: "cannot create 'rpool/a': invalid property 'foo'\n" },
  { name: "set unknown property", before: made, run: "zfs set foo=1 rpool/a", exit: 1, stderr: "cannot set property for 'rpool/a': invalid property 'foo'\n" },
  { name: "set bad number", before: made, run: "zfs set quota=abc rpool/a", exit: 1, stderr: "cannot set property for 'rpool/a': bad numeric value 'abc'\n" },
  { name: "set bad enumeration", before: made, run: "zfs set atime=maybe rpool/a", exit: 1, stderr: "cannot set property for 'rpool/a': 'atime' must be one of 'on | off'\n" },
  { name: "set read-only", before: made, run: "zfs set used=1 rpool/a", exit: 1, stderr: "cannot set property for 'rpool/a': 'used' is readonly\n" },
  { name: "quota below use", before: made, run: "zfs set quota=1K rpool/a", exit: 1, stderr: "cannot set property for 'rpool/a': size is less than current used or reserved space\n" },
  { name: "reservation too big", before: made, run: "zfs set reservation=900T rpool/a", exit: 1, stderr: "cannot set property for 'rpool/a': size is greater than available space\n" },
  { name: "destroy missing", run: "zfs destroy rpool/x", exit: 1, stderr: "cannot open 'rpool/x': dataset does not exist\n" },
  { name: "destroy with children", before: child, run: "zfs destroy rpool/a", exit: 1, stderr: "cannot destroy 'rpool/a': filesystem has children\nuse '-r' to destroy the following datasets:\nrpool/a/b\n" },
  { name: "destroy with clones", before: cloned, run: "zfs destroy -r rpool/a", exit: 1, stderr: "cannot destroy 'rpool/a': filesystem has dependent clones\nuse '-R' to destroy the following datasets:\nrpool/c\n" },
  { name: "destroy snapshot with clones", before: cloned, run: "zfs destroy rpool/a@s", exit: 1, stderr: "cannot destroy 'rpool/a@s': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\nrpool/c\n" },
  { name: "destroy -d with clones", before: cloned, run: "zfs destroy -d rpool/a@s", exit: 0, stderr: "" },
  { name: "destroy -R", before: cloned, run: "zfs destroy -R rpool/a", exit: 0, stderr: "" },
  { name: "destroy held snapshot", before: [...snapped, "zfs hold keep rpool/a@s"], run: "zfs destroy rpool/a@s", exit: 1, stderr: "cannot destroy snapshot rpool/a@s: dataset is busy\n" },
  { name: "snapshot existing", before: snapped, run: "zfs snapshot rpool/a@s", exit: 1, stderr: "cannot create snapshot 'rpool/a@s': dataset already exists\n" },
  { name: "snapshot of nothing", run: "zfs snapshot rpool/x@s", exit: 1, stderr: "cannot open 'rpool/x': dataset does not exist\n" },
  { name: "clone onto existing", before: snapped, run: "zfs clone rpool/a@s rpool/a", exit: 1, stderr: "cannot create 'rpool/a': dataset already exists\n" },
  { name: "clone to another pool", before: snapped, run: "zfs clone rpool/a@s data/a", exit: 1, stderr: "cannot create 'data/a': source and target pools differ\n" },
  { name: "promote a non-clone", before: made, run: "zfs promote rpool/a", exit: 1, stderr: "cannot promote 'rpool/a': not a cloned filesystem\n" },
  { name: "rename onto existing", before: child, run: "zfs rename rpool/a/b rpool/a", exit: 1, stderr: "cannot rename 'rpool/a/b': dataset already exists\n" },
  { name: "rollback past newer", before: [...snapped, "zfs snapshot rpool/a@t"], run: "zfs rollback rpool/a@s", exit: 1, stderr: "cannot rollback to 'rpool/a@s': more recent snapshots exist\nuse '-r' to force deletion of the following snapshots:\nrpool/a@t\n" },
  { name: "mount mounted", before: made, run: "zfs mount rpool/a", exit: 1, stderr: "cannot mount 'rpool/a': filesystem already mounted\n" },
  { name: "mount legacy", before: ["zfs create -o mountpoint=legacy rpool/a"], run: "zfs mount rpool/a", exit: 1, stderr: "cannot mount 'rpool/a': legacy mountpoint\nuse mount(1M) to mount this filesystem\n" },
  { name: "unknown option", run: "zfs list -Z", exit: 2 },
  { name: "missing operand", run: "zfs create", exit: 2 },
  { name: "unknown list property", run: "zfs list -o foo", exit: 2 },
  { name: "list columns", before: ["zfs create -o quota=1G -o mountpoint=/m rpool/a"], run: "zfs list -Hpo name,quota,mountpoint,refquota rpool/a", exit: 0, stdout: "rpool/a\t1073741824\t/m\t0\n" },
  { name: "get with sources", before: ["zfs create -o quota=1G -o x:y=z rpool/a", "zfs create rpool/a/b"], run: "zfs get -Hpo property,value,source quota,mountpoint,x:y,zoned rpool/a/b", exit: 0, stdout: "quota\t0\tdefault\nmountpoint\t/rpool/a/b\tdefault\nx:y\tz\tinherited from rpool/a\nzoned\toff\tdefault\n" },
  { name: "get with one missing", before: made, run: "zfs get -Ho value type rpool/a rpool/x", exit: 1, stdout: "filesystem\n", stderr: "cannot open 'rpool/x': dataset does not exist\n" },
  { name: "snapshots of one dataset", before: [...snapped, "zfs snapshot rpool/a@b"], run: "zfs list -Ho name -t snapshot -r rpool/a", exit: 0, stdout: "rpool/a@s\nrpool/a@b\n" },
  { name: "a snapshot has no quota", before: snapped, run: "zfs get -Ho value quota rpool/a@s", exit: 0, stdout: "-\n" },
  { name: "zpool missing", run: "zpool list tank", exit: 1, stderr: "cannot open 'tank': no such pool\n" },
  { name: "zpool columns", run: "zpool list -Hpo name,size,cap,health rpool", exit: 0, stdout: "rpool\t68719476736\t0\tONLINE\n" },
  { name: "zpool health", run: "zpool status -x", exit: 0, stdout: "all pools are healthy\n" }
]

describe("zfs and zpool", () => {
  for (const row of rows) {
    it.scoped(row.name, () =>
      Effect.gen(function*() {
        const { sh, expectOk } = yield* host({ pools: [{ name: "rpool", size: 64 * 1024 ** 3 }, { name: "data", size: 1024 ** 3 }] })
        for (const command of row.before ?? []) yield* expectOk(command)
        const result = yield* sh(row.run)
        if (row.stderr !== undefined) assert.strictEqual(result.stderr, row.stderr)
        if (row.stdout !== undefined) assert.strictEqual(result.stdout, row.stdout)
        assert.strictEqual(result.exitCode, row.exit)
      }))
  }

  it.scoped("keeps real content through snapshot, clone, rollback, rename and destroy", () =>
    Effect.gen(function*() {
      const { expectOk, realPath, sh } = yield* host()
      const write = (name: string, text: string) => fs.writeFileSync(realPath(name), text)
      const read = (name: string) => fs.readFileSync(realPath(name), "utf8")
      yield* expectOk("zfs create -o mountpoint=/data rpool/d")
      write("/data/f", "one")
      yield* expectOk("zfs snapshot rpool/d@s")
      write("/data/f", "two")
      yield* expectOk("zfs clone -o mountpoint=/copy rpool/d@s rpool/c")
      assert.strictEqual(read("/copy/f"), "one")
      yield* expectOk("zfs rollback rpool/d@s")
      assert.strictEqual(read("/data/f"), "one")
      yield* expectOk("zfs promote rpool/c")
      assert.strictEqual((yield* sh("zfs get -Ho value origin rpool/d")).stdout, "rpool/c@s\n")
      yield* expectOk("zfs inherit mountpoint rpool/c")
      yield* expectOk("zfs rename rpool/c rpool/e")
      assert.strictEqual(read("/rpool/e/f"), "one")
      yield* expectOk("zfs destroy rpool/d")
      assert.isFalse(fs.existsSync(realPath("/data")))
    }))

  it.scoped("rolls back what a booted zone has mounted, with the mounts in it", () =>
    Effect.gen(function*() {
      const { expectOk, folder, realPath, running } = yield* host()
      const inZone = (name: string) => realPath(`/zones/z/root/inner/${name}`)
      fs.mkdirSync(`${folder}/volume`)
      fs.writeFileSync(`${folder}/volume/kept`, "kept")
      yield* expectOk("zfs create -o mountpoint=/data rpool/d")
      fs.mkdirSync(realPath("/data/place"))
      yield* expectOk("zfs snapshot rpool/d@s")
      yield* running(
        "z",
        "add fs; set dir=/inner; set special=/data; set type=lofs; end",
        `add fs; set dir=/inner/place; set special=${folder}/volume; set type=lofs; end`,
        `add fs; set dir=/inner/late; set special=${folder}/volume; set type=lofs; end`
      )
      fs.writeFileSync(inZone("own"), "written")
      fs.writeFileSync(inZone("place/more"), "more")
      yield* expectOk("zfs rollback rpool/d@s")
      assert.deepStrictEqual(fs.readdirSync(realPath("/zones/z/root/inner")).filter((name) => !name.startsWith(".")), ["place"])
      assert.deepStrictEqual(fs.readdirSync(inZone("place")), ["kept", "more"])
      yield* expectOk("zoneadm -z z halt")
      assert.deepStrictEqual(fs.readdirSync(realPath("/data")), ["place"])
      assert.deepStrictEqual(fs.readdirSync(`${folder}/volume`), ["kept", "more"])
    }))

  it.scoped("never removes anything outside its own folder", () =>
    Effect.gen(function*() {
      const { expectOk, realPath, folder, sh } = yield* host()
      fs.mkdirSync(`${folder}-outside`)
      yield* Effect.addFinalizer(() => Effect.sync(() => fs.rmSync(`${folder}-outside`, { recursive: true, force: true })))
      fs.writeFileSync(`${folder}-outside/keep`, "x")
      yield* expectOk("zfs create -o mountpoint=/data rpool/d")
      fs.symlinkSync(`${folder}-outside`, realPath("/data/link"))
      yield* expectOk("zfs destroy rpool/d")
      fs.symlinkSync(`${folder}-outside`, realPath("/evil"))
      assert.strictEqual((yield* Effect.flip(sh("zfs create -o mountpoint=/evil/x rpool/e"))).reason, "Failed")
      assert.deepStrictEqual(fs.readdirSync(`${folder}-outside`), ["keep"])
    }))

  it.scoped("counts what is written against the quota", () =>
    Effect.gen(function*() {
      const { expectOk, realPath, sh } = yield* host()
      yield* expectOk("zfs create -o quota=10M -o mountpoint=/q rpool/q")
      fs.writeFileSync(realPath("/q/f"), "x".repeat(4 * 1024 * 1024))
      const available = Number((yield* sh("zfs list -Hpo available rpool/q")).stdout)
      assert.isBelow(available, 6 * 1024 * 1024)
      assert.isAbove(available, 5 * 1024 * 1024)
    }))

  it.scoped("faults: busy, not mounted, out of space", () =>
    Effect.gen(function*() {
      const { expectOk, sh, inject } = yield* host()
      for (const command of snapped) yield* expectOk(command)
      yield* inject(Faults.datasetBusy("rpool/b", 2))
      yield* inject(Faults.notMounted("rpool/b"))
      const clone = yield* sh("zfs clone rpool/a@s rpool/b")
      assert.deepStrictEqual(clone, { exitCode: 1, stdout: "", stderr: "cannot mount 'rpool/b': mountpoint or dataset is busy\nfilesystem successfully created, but not mounted\n" })
      yield* expectOk("zfs mount rpool/b")
      for (const exit of [1, 1, 0]) assert.strictEqual((yield* sh("zfs destroy rpool/b")).exitCode, exit)
      yield* inject(Faults.outOfSpace("rpool"))
      assert.strictEqual((yield* sh("zfs create rpool/n")).stderr, "cannot create 'rpool/n': out of space\n")
    }))

  it.scoped("a running zone keeps its datasets busy", () =>
    Effect.gen(function*() {
      const { expectOk, sh, running } = yield* host()
      yield* expectOk("zfs create -o mountpoint=/zones rpool/zones")
      yield* expectOk("zfs create -o mountpoint=/vol rpool/vol")
      yield* running("z", "add fs", "set dir=/mnt", "set special=/vol", "set type=lofs", "end")
      assert.strictEqual((yield* sh("zfs destroy rpool/vol")).stderr, "cannot unmount '/vol': Device busy\n")
      assert.strictEqual((yield* sh("zfs destroy -r rpool/zones")).exitCode, 1)
      yield* expectOk("zoneadm -z z halt")
      yield* expectOk("zfs destroy rpool/vol")
      yield* expectOk("zoneadm -z z uninstall -F")
      assert.strictEqual((yield* sh("zfs list rpool/zones/z")).exitCode, 1)
    }))
})
