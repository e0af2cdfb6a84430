import { assert, describe, it } from "@effect/vitest"
import { ProcessLock } from "@reddwarf/runtime-illumos"
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const place = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "reddwarf-lock-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true }))
  ),
  (directory) => join(directory, "lock")
)

describe("a lock between processes", () => {
  it.scoped("is held until its scope closes, by one at a time", () =>
    Effect.gen(function*() {
      const path = yield* place
      yield* Effect.scoped(Effect.gen(function*() {
        yield* ProcessLock.acquire(path)
        assert.deepStrictEqual(yield* Effect.flip(ProcessLock.acquire(path)), new ProcessLock.ProcessLockHeld({ path }))
      }))
      const { release } = yield* ProcessLock.take(path)
      yield* release
      yield* release
      yield* ProcessLock.acquire(path)
    }))

  it.scoped("says where there can be none", () =>
    Effect.gen(function*() {
      const path = `${yield* place}/below/nothing`
      const error = yield* Effect.flip(ProcessLock.take(path))
      assert.strictEqual(error._tag, "ProcessLockFailed")
      assert.include(error.message, path)
    }))
})
