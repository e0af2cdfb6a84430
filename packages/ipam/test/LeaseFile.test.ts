import * as FileSystem from "@effect/platform/FileSystem"
import { SystemError } from "@effect/platform/Error"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer } from "effect"
import * as Ipam from "../src/Ipam.js"

const cidr = "10.0.0.0/28"

/** One life of the program: what it does with the pool in the file. */
const life = <A, E>(path: string, use: (ipam: Ipam.Ipam["Type"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(Ipam.Ipam, use).pipe(Effect.provide(Layer.fresh(Ipam.layerFile({ cidr, path }))))

const temporaryPath = Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
  Effect.map(fileSystem.makeTempDirectoryScoped(), (directory) => `${directory}/leases.json`))

const broken = (method: string) =>
  Effect.fail(new SystemError({ reason: "Unknown", module: "FileSystem", method, description: "no space left on device" }))

/** The same file system, on which one step of storing fails while `failing()` says so. */
const faulty = (step: "open" | "rename", failing: () => boolean) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (real) => ({
      ...real,
      open: (path: string, options?: FileSystem.OpenFileOptions) =>
        step === "open" && failing() ? broken("open") : real.open(path, options),
      rename: (from: string, to: string) => step === "rename" && failing() ? broken("rename") : real.rename(from, to)
    }))
  )

/** The same file system, which dies before its step number `last + 1`. */
const dyingAfter = (last: number) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (real) => {
      let steps = 0
      const step = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.suspend(() => (++steps > last ? Effect.die("power failure") : effect))
      return {
        ...real,
        remove: (path: string, options?: FileSystem.RemoveOptions) => step(real.remove(path, options)),
        open: (path: string, options?: FileSystem.OpenFileOptions) => step(real.open(path, options)),
        rename: (from: string, to: string) => step(real.rename(from, to))
      }
    })
  )

describe("lease file", () => {
  it.scoped("keeps leases and the turn over restarts, with mode 0600", () =>
    Effect.gen(function*() {
      const path = yield* temporaryPath
      yield* life(path, (ipam) => Effect.all([ipam.allocate("a"), ipam.allocate("b"), ipam.release("b")]))
      const [again, next] = yield* life(path, (ipam) => Effect.all([ipam.allocate("a"), ipam.allocate("c")]))
      assert.strictEqual(again.address, "10.0.0.2")
      assert.strictEqual(next.address, "10.0.0.4")
      const { mode } = yield* Effect.flatMap(FileSystem.FileSystem, (fileSystem) => fileSystem.stat(path))
      assert.strictEqual(mode & 0o777, 0o600)
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  for (const step of ["open", "rename"] as const) {
    it.scoped(`gives no lease that could not be stored (${step} fails), neither before nor after a restart`, () =>
      Effect.gen(function*() {
        let failing = false
        const path = yield* temporaryPath
        yield* life(path, (ipam) =>
          Effect.gen(function*() {
            yield* ipam.allocate("a")
            failing = true
            assert.strictEqual((yield* Effect.flip(ipam.allocate("b")))._tag, "LeaseStorageFailed")
            assert.strictEqual((yield* Effect.flip(ipam.release("a")))._tag, "LeaseStorageFailed")
            assert.deepStrictEqual((yield* ipam.list).map((lease) => lease.owner), ["a"])
            failing = false
            assert.strictEqual((yield* ipam.allocate("c")).address, "10.0.0.3")
          })).pipe(Effect.provide(faulty(step, () => failing)))
        const owners = yield* life(path, (ipam) => Effect.map(ipam.list, (leases) => leases.map((lease) => lease.owner)))
        assert.deepStrictEqual(owners, ["a", "c"])
      }).pipe(Effect.provide(NodeFileSystem.layer)))
  }

  it.scoped("starts from the old file when the program died between writing and renaming", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const path = yield* temporaryPath
      yield* life(path, (ipam) => ipam.allocate("a"))
      yield* fileSystem.writeFileString(`${path}.new`, "{\"version\":1,\"ci")
      const lease = yield* life(path, (ipam) => ipam.allocate("b"))
      assert.strictEqual(lease.address, "10.0.0.3")
      assert.isFalse(yield* fileSystem.exists(`${path}.new`))
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("loses no acknowledged change when the program dies at any step of storing", () =>
    Effect.gen(function*() {
      const change = fc.record({ owner: fc.constantFrom("a", "b", "c", "d"), release: fc.boolean() })
      // Each change takes four steps: remove the leftover, open the new file, rename it, open the directory.
      const lives = fc.sample(fc.tuple(fc.array(change, { minLength: 1, maxLength: 8 }), fc.integer({ min: 0, max: 33 })), 60)
      const path = yield* temporaryPath
      const acknowledged = new Map<string, string>()
      for (const [changes, lastStep] of lives) {
        let pending: string | undefined
        yield* life(path, (ipam) =>
          Effect.forEach(changes, ({ owner, release }) =>
            Effect.gen(function*() {
              pending = owner
              if (release) {
                yield* ipam.release(owner)
                acknowledged.delete(owner)
              } else {
                acknowledged.set(owner, (yield* ipam.allocate(owner)).address)
              }
              pending = undefined
            }))).pipe(Effect.provide(dyingAfter(lastStep)), Effect.exit)
        const found = new Map(
          (yield* life(path, (ipam) => ipam.list)).map(({ address, owner }) => [owner, address] as const)
        )
        // The change in flight may have reached the disk or not; every other one must be as acknowledged.
        for (const owner of ["a", "b", "c", "d"].filter((owner) => owner !== pending)) {
          assert.strictEqual(found.get(owner), acknowledged.get(owner), owner)
        }
        acknowledged.clear()
        for (const [owner, address] of found) acknowledged.set(owner, address)
        assert.strictEqual(new Set(found.values()).size, found.size)
      }
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("refuses a file that is damaged, or belongs to another pool", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const path = yield* temporaryPath
      yield* life(path, (ipam) => ipam.allocate("a"))
      const good = yield* fileSystem.readFileString(path)
      const refused = (content: string) =>
        Effect.gen(function*() {
          yield* fileSystem.writeFileString(path, content)
          const error = yield* Effect.flip(life(path, (ipam) => ipam.list))
          assert.strictEqual(error._tag, "LeaseFileCorrupt")
          assert.strictEqual(yield* fileSystem.readFileString(path), content)
          return error.message
        })
      assert.include(yield* refused(""), "line of content")
      assert.include(yield* refused(good.slice(0, -20)), "line of content")
      assert.include(yield* refused(good.replace("10.0.0.2", "10.0.0.5")), "checksum")
      yield* fileSystem.remove(path)
      yield* Effect.flatMap(Ipam.Ipam, (ipam) => ipam.allocate("a")).pipe(
        Effect.provide(Ipam.layerFile({ cidr: "10.9.0.0/24", path }))
      )
      const other = yield* Effect.flip(life(path, (ipam) => ipam.list))
      assert.include(other.message, "written for the pool 10.9.0.0/24")
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("writes the same leases whatever order they came in", () =>
    Effect.gen(function*() {
      const path = yield* temporaryPath
      const samples = fc.sample(fc.shuffledSubarray(["p", "q", "r", "s", "t"], { minLength: 5 }), 5)
      for (const order of samples) {
        yield* life(path, (ipam) => Effect.forEach(order, ipam.allocate, { concurrency: "unbounded" }))
        const leases = yield* life(path, (ipam) => ipam.list)
        assert.strictEqual(new Set(leases.map((lease) => lease.address)).size, 5)
      }
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
