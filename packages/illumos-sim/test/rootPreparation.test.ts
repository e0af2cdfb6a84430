import { assert, describe, it } from "@effect/vitest"
import { SimulatedHost } from "../src/index.js"
import { CommandRunner, RootPreparation } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-preparation-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe("a root beside that of a zone", () => {
  it.scopedLive("gets its files and folders, following the links of its image and never out of it", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const real = join(directory, "root/pool/r")
      mkdirSync(join(real, "etc"), { recursive: true })
      symlinkSync("/run", join(real, "spool"))
      symlinkSync("../../../../../../elsewhere", join(real, "out"))
      writeFileSync(join(real, "etc/file"), "")
      const program = Effect.gen(function*() {
        const runner = yield* CommandRunner.CommandRunner
        const prepare = (changes: Partial<RootPreparation.Preparation>) =>
          RootPreparation.prepare(runner, { zone: "z", root: "/pool/r", files: [], ...changes })
        yield* prepare({ files: [{ path: "/etc/hosts", content: "localhost\n", mode: 0o644 }], folders: ["/dev", "/spool/a/b", "/out/c", "/dev"] })
        yield* prepare({ files: [{ path: "/etc/hosts", content: "again\n", mode: 0o600 }], folders: ["/dev"] })
        const refused = yield* Effect.either(prepare({ folders: ["/etc/file"] }))
        assert.strictEqual(Either.isLeft(refused) ? refused.left._tag : "", "ZoneRootRejected")
      })
      yield* Effect.provide(program, SimulatedHost.layer({ directory }))
      assert.strictEqual(readFileSync(join(real, "etc/hosts"), "utf8"), "again\n")
      assert.strictEqual(statSync(join(real, "etc/hosts")).mode & 0o777, 0o600)
      assert.deepStrictEqual(["dev", "run/a/b", "elsewhere/c"].map((name) => statSync(join(real, name)).isDirectory()), [true, true, true])
      assert.isFalse(existsSync(join(directory, "elsewhere")))
    }))
})
