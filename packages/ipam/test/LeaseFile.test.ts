import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, FastCheck as fc, Layer, Option } from "effect"
import { createHash } from "node:crypto"
import type * as AddressPool from "../src/AddressPool.js"
import * as Ipam from "../src/Ipam.js"
import { noSpace, type Step, steppedBy } from "./support.js"

type Pools = readonly [AddressPool.PoolConfig, ...ReadonlyArray<AddressPool.PoolConfig>]

const usual: Pools = [{ cidr: "10.0.0.0/28" }]

/** One life of the program: what it does with the pools in the file. */
const life = <A, E>(path: string, use: (ipam: Ipam.Ipam["Type"]) => Effect.Effect<A, E>, pools: Pools = usual) =>
  Effect.flatMap(Ipam.Ipam, use).pipe(Effect.provide(Layer.fresh(Ipam.layerFile({ pools, path }))))

const temporaryPath = Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
  Effect.map(fileSystem.makeTempDirectoryScoped(), (directory) => `${directory}/leases.json`))

const owners = (ipam: Ipam.Ipam["Type"]) => Effect.map(ipam.list, (leases) => leases.map((lease) => lease.owner))

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

  for (const step of ["open", "write", "sync", "rename"] as const) {
    it.scoped(`gives no lease that could not be stored (${step} fails), neither before nor after a restart`, () =>
      Effect.gen(function*() {
        let failing = false
        const path = yield* temporaryPath
        const fileSystem = steppedBy((now, effect) => failing && now === step ? noSpace : effect)
        // The first change of a life is a checkpoint, those that follow are appended: both fail here.
        const fails = (ipam: Ipam.Ipam["Type"]) =>
          Effect.gen(function*() {
            failing = true
            assert.strictEqual((yield* Effect.flip(ipam.allocate("b")))._tag, "LeaseStorageFailed")
            assert.strictEqual((yield* Effect.flip(ipam.release("a")))._tag, "LeaseStorageFailed")
            assert.deepStrictEqual(yield* owners(ipam), ["a"])
            failing = false
          })
        yield* life(path, (ipam) => ipam.allocate("a"))
        yield* life(path, (ipam) =>
          Effect.gen(function*() {
            yield* fails(ipam)
            assert.strictEqual((yield* ipam.allocate("c")).address, "10.0.0.3")
            yield* ipam.release("c")
            if (step === "write" || step === "sync") yield* fails(ipam)
            yield* ipam.allocate("d")
          })).pipe(Effect.provide(fileSystem))
        assert.deepStrictEqual(yield* life(path, owners), ["a", "d"])
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

  it.scoped("loses no acknowledged change when the program dies at any step of storing, half-way through a write included", () =>
    Effect.gen(function*() {
      const change = fc.record({ owner: fc.constantFrom("a", "b", "c", "d"), release: fc.boolean() })
      const lives = fc.sample(
        fc.tuple(fc.array(change, { minLength: 1, maxLength: 8 }), fc.integer({ min: 0, max: 26 }), fc.double({ min: 0, max: 1, noNaN: true })),
        120
      )
      const path = yield* temporaryPath
      const acknowledged = new Map<string, string>()
      for (const [changes, lastStep, part] of lives) {
        let pending: string | undefined
        let steps = 0
        const dying = steppedBy((step: Step, effect, bytes, file) => {
          steps += 1
          if (steps <= lastStep) return effect
          const death = Effect.die("power failure")
          const torn = step === "write" && steps === lastStep + 1 && bytes !== undefined && file !== undefined
          return torn ? Effect.zipRight(file.writeAll(bytes.slice(0, Math.floor(bytes.length * part))), death) : death
        })
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
            }))).pipe(Effect.provide(dying), Effect.exit)
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

  it.scoped("passes over a last line that was cut off, also one of which blocks are missing", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const path = yield* temporaryPath
      yield* life(path, (ipam) => Effect.all([ipam.allocate("a"), ipam.allocate("b"), ipam.allocate("c")]))
      const good = yield* fileSystem.readFileString(path)
      const last = good.lastIndexOf("\n", good.length - 2) + 1
      for (const tail of [good.slice(last, last + 30), good.slice(last, -1), `${"\0".repeat(40)}${good.slice(last + 40)}`]) {
        yield* fileSystem.writeFileString(path, good.slice(0, last) + tail)
        assert.deepStrictEqual(yield* life(path, owners), ["a", "b"])
        // The next change puts the file in order.
        yield* life(path, (ipam) => ipam.allocate("d"))
        assert.deepStrictEqual(yield* life(path, owners), ["a", "b", "d"])
      }
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("refuses a file that is damaged, and leaves it alone", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const path = yield* temporaryPath
      yield* life(path, (ipam) => Effect.all([ipam.allocate("a"), ipam.allocate("b"), ipam.allocate("c")]))
      const good = yield* fileSystem.readFileString(path)
      const [first = "", second = "", third = ""] = good.split("\n")
      const refused = (content: string) =>
        Effect.gen(function*() {
          yield* fileSystem.writeFileString(path, content)
          const error = yield* Effect.flip(life(path, (ipam) => ipam.list))
          assert.strictEqual(error._tag, "LeaseFileCorrupt")
          assert.strictEqual(yield* fileSystem.readFileString(path), content)
          return error.message
        })
      assert.include(yield* refused(""), "first line")
      assert.include(yield* refused(first.slice(0, -20)), "first line")
      assert.include(yield* refused(good.replace("10.0.0.2", "10.0.0.5")), "first line")
      assert.include(yield* refused(good.replace('["10.0.0.3"]', '["10.0.0.5"]')), "checksum of line 2")
      assert.include(yield* refused(`${first}\n${third}\n${second}\n`), "line 2 is not transaction 1")
      assert.include(yield* refused(`${first}\n${second}\n${second}\n`), "line 3 is not transaction 2")
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("reads what was written before there were transactions", () =>
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const path = yield* temporaryPath
      const content = JSON.stringify({ version: 1, cidr: "10.0.0.0/28", next: "10.0.0.5", leases: [["a", "10.0.0.4"]] })
      const sum = createHash("sha256").update(content).digest("hex")
      yield* fileSystem.writeFileString(path, `${content}\n${sum}\n`)
      assert.strictEqual((yield* life(path, (ipam) => ipam.allocate("b"))).address, "10.0.0.5")
      assert.deepStrictEqual(yield* life(path, owners), ["a", "b"])
      yield* fileSystem.writeFileString(path, `${content.replace("0.4", "0.6")}\n${sum}\n`)
      assert.include((yield* Effect.flip(life(path, owners))).message, "checksum")
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("keeps leases of pools that are not configured any more until they are released", () =>
    Effect.gen(function*() {
      const path = yield* temporaryPath
      const elsewhere: Pools = [{ cidr: "10.9.0.0/24" }]
      yield* life(path, (ipam) => Effect.all([ipam.allocate("a"), ipam.allocate("b")]))
      const [before, outside, fresh] = yield* life(path, (ipam) => Effect.all([ipam.allocate("a"), ipam.outside, ipam.allocate("c")]), elsewhere)
      assert.deepInclude(before, { address: "10.0.0.2", prefixLength: 28, gateway: "10.0.0.1" })
      assert.deepStrictEqual(outside.map(({ owner }) => owner), ["a", "b"])
      assert.strictEqual(fresh.address, "10.9.0.2")
      yield* life(path, (ipam) => ipam.release("a"), elsewhere)
      const [left, again] = yield* life(path, (ipam) => Effect.all([ipam.outside, ipam.allocate("a")]), elsewhere)
      assert.deepStrictEqual(left.map(({ owner }) => owner), ["b"])
      assert.strictEqual(again.address, "10.9.0.3")
      // The old configuration again: what it covers is inside again, and nobody was given an address twice.
      const [back, all] = yield* life(path, (ipam) => Effect.all([ipam.outside, ipam.list]), [...usual, ...elsewhere])
      assert.deepStrictEqual(back, [])
      assert.deepStrictEqual(all.map(({ address, owner }) => `${owner} ${address}`), ["b 10.0.0.3", "c 10.9.0.2", "a 10.9.0.3"])
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("keeps leases when a pool grows, shrinks or reserves what is leased", () =>
    Effect.gen(function*() {
      const path = yield* temporaryPath
      const many = ["a", "b", "c", "d", "e", "f", "g"]
      yield* life(path, (ipam) => ipam.allocateAll(many))
      const [larger] = yield* life(path, (ipam) => Effect.all([ipam.find("g"), ipam.outside]), [{ cidr: "10.0.0.0/24" }])
      assert.deepInclude(Option.getOrThrow(larger), { address: "10.0.0.8", prefixLength: 24 })
      const smaller = yield* life(path, (ipam) => ipam.outside, [{ cidr: "10.0.0.0/29" }])
      // 10.0.0.7 is the broadcast address of the smaller network.
      assert.deepStrictEqual(smaller.map(({ address }) => address), ["10.0.0.7", "10.0.0.8"])
      const reserved: Pools = [{ cidr: "10.0.0.0/28", reserved: ["10.0.0.2-10.0.0.4"] }]
      const [outside, next] = yield* life(path, (ipam) =>
        Effect.all([ipam.outside, Effect.zipRight(Effect.forEach(many, ipam.release), ipam.allocateAll(["x", "y"]))]), reserved)
      assert.deepStrictEqual(outside.map(({ address }) => address), ["10.0.0.2", "10.0.0.3", "10.0.0.4"])
      assert.deepStrictEqual(next.map(({ address }) => address), ["10.0.0.9", "10.0.0.10"])
    }).pipe(Effect.provide(NodeFileSystem.layer)))

  it.scoped("stores what many callers ask for at once in few transactions, and fails them together", () =>
    Effect.gen(function*() {
      let syncs = 0
      let failing = false
      const path = yield* temporaryPath
      const counting = steppedBy((step, effect) => {
        if (step === "sync") syncs += 1
        return failing && step === "sync" ? noSpace : effect
      })
      yield* life(path, (ipam) =>
        Effect.gen(function*() {
          yield* Effect.forEach(Array.from({ length: 200 }, (_, index) => `pod-${index}`), ipam.allocate, { concurrency: "unbounded" })
          assert.isBelow(syncs, 10)
          failing = true
          const results = yield* Effect.forEach(["p", "q", "r"], (owner) => Effect.exit(ipam.allocate(owner)), { concurrency: "unbounded" })
          assert.isTrue(results.every(Exit.isFailure))
          failing = false
          assert.strictEqual((yield* ipam.list).length, 200)
        }), [{ cidr: "10.1.0.0/16" }]).pipe(Effect.provide(counting))
      assert.strictEqual((yield* life(path, (ipam) => ipam.list, [{ cidr: "10.1.0.0/16" }])).length, 200)
    }).pipe(Effect.provide(NodeFileSystem.layer)))
})
