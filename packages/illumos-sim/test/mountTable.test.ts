import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { directory, host, hostIn } from "./support.js"

describe("/etc/mnttab", () => {
  it.scoped("shows what is mounted, and how, after each command", () =>
    Effect.gen(function*() {
      const { expectOk, realPath } = yield* host()
      const table = () =>
        fs.readFileSync(realPath("/etc/mnttab"), "utf8").trimEnd().split("\n").map((line) => {
          const [special, point, type, options = "", time] = line.split("\t")
          assert.deepStrictEqual([type, Number.isInteger(Number(time))], ["zfs", true])
          return `${special} ${point} ${options.split(",")[0]}`
        })
      assert.deepStrictEqual(table(), ["rpool / rw", "rpool /rpool rw"])
      yield* expectOk("zfs create -o mountpoint=/a rpool/a")
      yield* expectOk("zfs create rpool/a/b")
      assert.deepStrictEqual(table().slice(2), ["rpool/a /a rw", "rpool/a/b /a/b rw"])
      yield* expectOk("zfs set readonly=on rpool/a")
      assert.deepStrictEqual(table().slice(2), ["rpool/a /a ro", "rpool/a/b /a/b ro"])
      yield* expectOk("zfs set mountpoint=none rpool/a/b")
      assert.deepStrictEqual(table().slice(2), ["rpool/a /a ro"])
      yield* expectOk("zfs destroy -r rpool/a")
      assert.deepStrictEqual(table(), ["rpool / rw", "rpool /rpool rw"])
    }))

  it.scoped("is as the host is for whoever works on it next", () =>
    Effect.gen(function*() {
      const folder = yield* directory
      const { expectOk } = yield* hostIn(folder)
      yield* expectOk("zfs create -o mountpoint=/a rpool/a")
      const { realPath, sh } = yield* hostIn(folder)
      assert.strictEqual((yield* sh("zfs list -Ho mountpoint rpool/a")).stdout, "/a\n")
      assert.include(fs.readFileSync(realPath("/etc/mnttab"), "utf8"), "rpool/a\t/a\tzfs\t")
    }))
})

describe("/dev/vmmctl", () => {
  it.scoped("is there where bhyve is and the CPUs can carry it", () =>
    Effect.gen(function*() {
      const exists = (options: Parameters<typeof host>[0]) =>
        Effect.flatMap(host(options), ({ run }) => Effect.map(run({ program: "/usr/bin/ls", args: ["-1", "/dev/vmmctl"] }), ({ exitCode }) => exitCode === 0))
      assert.isTrue(yield* exists({}))
      assert.isFalse(yield* exists({ virtualization: "none" }))
      assert.isFalse(yield* exists({ brands: ["sparse"] }))
    }))
})
