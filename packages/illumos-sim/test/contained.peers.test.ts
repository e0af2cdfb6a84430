import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { host } from "./support.js"

const peers = process.env["REDDWARF_PEERS"]
const busybox = peers === undefined ? undefined : path.join(peers, "bin", "busybox")
const missing = busybox === undefined || !fs.existsSync(busybox) || process.getuid?.() !== 0

describe("a root with a shell of its own (skipped unless run as root with REDDWARF_PEERS naming a folder with bin/busybox)", () => {
  it.scopedLive.skipIf(missing)("is all that the processes of its zone see, with the file systems of the zone in it", () =>
    Effect.gen(function*() {
      const { command, expectOk, folder, realPath, running, sh } = yield* host({ shutdownGrace: "0 millis" })
      fs.mkdirSync(path.join(folder, "volume/inner"), { recursive: true })
      fs.writeFileSync(path.join(folder, "volume/key"), "value")
      fs.writeFileSync(path.join(folder, "single"), "one file")
      yield* running(
        "z",
        `add fs; set dir=/data; set special=${folder}/volume; set type=lofs; end`,
        `add fs; set dir=/etc/single; set special=${folder}/single; set type=lofs; end`
      )
      yield* expectOk("zoneadm -z z halt")
      const root = realPath("/zones/z/root")
      fs.mkdirSync(path.join(root, "bin"), { recursive: true })
      fs.copyFileSync(busybox ?? "", path.join(root, "bin/busybox"))
      for (const name of ["sh", "cat", "ls", "pwd", "touch"]) fs.symlinkSync("busybox", path.join(root, "bin", name))
      yield* expectOk("zoneadm -z z boot")
      const inside = (script: string) => command("zlogin", "-Q", "z", script)
      const said = yield* inside("cat /data/key /etc/single; pwd; ls /; touch /data/written /own; exit 5")
      assert.deepStrictEqual([said.exitCode, said.stderr], [5, ""])
      assert.match(said.stdout, /^valueone file\/\nbin\ndata\n/)
      assert.deepStrictEqual([fs.existsSync(path.join(folder, "volume/written")), fs.existsSync(path.join(root, "own"))], [true, true])
      // What is mounted is mounted for the commands of the zone alone.
      assert.deepStrictEqual(fs.readdirSync(path.join(root, "data")), [])
      assert.include((yield* inside(`ls ${folder}`)).stderr, "No such file")
      yield* sh("zoneadm -z z halt")
      assert.isFalse(fs.existsSync(path.join(root, "data")))
      yield* expectOk("zoneadm -z z uninstall -F")
      assert.strictEqual(fs.readFileSync(path.join(folder, "volume/key"), "utf8"), "value")
    }))

  it.scopedLive.skipIf(missing)("shows what is read-only as such, and lets nothing be mounted where it would have to write first", () =>
    Effect.gen(function*() {
      const { command, expectOk, folder, realPath, running } = yield* host({ shutdownGrace: "0 millis" })
      fs.mkdirSync(path.join(folder, "fixed/there"), { recursive: true })
      fs.mkdirSync(path.join(folder, "inner"))
      yield* running(
        "z",
        `add fs; set dir=/fixed; set special=${folder}/fixed; set type=lofs; add options ro; end`,
        `add fs; set dir=/fixed/there; set special=${folder}/inner; set type=lofs; end`
      )
      yield* expectOk("zoneadm -z z halt")
      const root = realPath("/zones/z/root")
      fs.mkdirSync(path.join(root, "bin"), { recursive: true })
      fs.copyFileSync(busybox ?? "", path.join(root, "bin/busybox"))
      for (const name of ["sh", "touch"]) fs.symlinkSync("busybox", path.join(root, "bin", name))
      yield* expectOk("zoneadm -z z boot")
      const said = yield* command("zlogin", "-Q", "z", "touch /fixed/there/x /fixed/y")
      assert.include(said.stderr, "/fixed/y: Read-only file system")
      assert.isTrue(fs.existsSync(path.join(folder, "inner/x")))
      yield* expectOk("zoneadm -z z halt")
      fs.rmdirSync(path.join(folder, "fixed/there"))
      const refused = yield* command("zoneadm", "-z", "z", "boot")
      assert.notStrictEqual(refused.exitCode, 0)
      assert.include(refused.stderr, "Read-only file system")
    }))
})
