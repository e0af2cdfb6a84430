import { CommandRunner } from "@reddwarf/runtime-illumos"
import type { CommandLine } from "@reddwarf/runtime-illumos"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, TestClock } from "effect"
import * as DatasetName from "../src/DatasetName.js"
import * as StorageEngine from "../src/StorageEngine.js"

const root = DatasetName.make("tank/reddwarf")

/** Datasets as ZFS keeps them, as far as the engine asks for them. */
const host = (intercept: (line: CommandLine.CommandLine) => CommandRunner.CommandResult | undefined = () => undefined) => {
  const datasets = new Map<string, Map<string, string>>([["tank", new Map([["mountpoint", "/tank"]])]])
  const journal: Array<ReadonlyArray<string>> = []
  const no = (stderr: string) => CommandRunner.result({ exitCode: 1, stderr: `${stderr}\n` })
  const mountpointOf = (name: string): string => {
    const own = datasets.get(name)?.get("mountpoint")
    const cut = name.lastIndexOf("/")
    return own ?? `${mountpointOf(name.slice(0, cut))}/${name.slice(cut + 1)}`
  }
  const rows = (name: string) =>
    [...new Map([
      ["type", "filesystem"],
      ["used", "24576"],
      ["available", "1000000"],
      ["quota", "0"],
      ...(datasets.get(name) ?? []),
      ["mountpoint", mountpointOf(name)]
    ])].map(([property, value]) => `${name}\t${property}\t${value}\tlocal\n`).join("")
  const layer = CommandRunner.layerTest((line) => {
    journal.push(line.args)
    const early = intercept(line)
    if (early !== undefined) return early
    const { args } = line
    const name = args.at(-1) ?? ""
    if (line.program === "/usr/sbin/zpool") {
      return args[1] === "-Hpo"
        ? CommandRunner.result({ exitCode: 2, stderr: "invalid option 'p'\nusage:\n" })
        : CommandRunner.result({ stdout: "tank\t508M\t1.5K\t508M\t0%\tONLINE\n" })
    }
    if (args[0] === "create") {
      if (datasets.has(name)) return no(`cannot create '${name}': dataset already exists`)
      const set = args.flatMap((word, index) => (args[index - 1] === "-o" ? [word] : []))
      datasets.set(name, new Map(set.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)])))
      return CommandRunner.result()
    }
    if (!datasets.has(name)) return no(`cannot open '${name}': dataset does not exist`)
    if (args[0] === "destroy") {
      for (const key of datasets.keys()) if (key === name || key.startsWith(`${name}/`)) datasets.delete(key)
      return CommandRunner.result()
    }
    if (args[0] === "set") {
      const word = args[1] ?? ""
      datasets.get(name)?.set(word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1))
      return CommandRunner.result()
    }
    const names = args[2] === "-d" ? [...datasets.keys()].filter((key) => key === name || key.startsWith(`${name}/`)) : [name]
    return CommandRunner.result({ stdout: names.map(rows).join("") })
  })
  const use = <A, E>(use: (engine: StorageEngine.StorageEngine["Type"]) => Effect.Effect<A, E>) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.fork(Effect.flatMap(StorageEngine.StorageEngine, use))
      for (let second = 0; second < 200 && Option.isNone(yield* Fiber.poll(fiber)); second++) {
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        yield* TestClock.adjust("1 second")
      }
      return yield* Fiber.join(fiber)
    }).pipe(Effect.provide(Layer.provide(StorageEngine.layerZfs({ root, mountpoint: "/reddwarf" }), layer)))
  return { datasets, use, changes: () => journal.filter(([command]) => command !== "get" && command !== "list") }
}

describe("StorageEngine", () => {
  it.effect("makes its datasets and a zone's dataset once", () =>
    Effect.gen(function*() {
      const storage = host()
      const spec = { zone: "web-1", uid: "u-1", quota: 1024 ** 3, properties: { namespace: "default" } }
      const zone = yield* storage.use((engine) =>
        Effect.gen(function*() {
          yield* Effect.repeatN(engine.ensureDatasets, 1)
          yield* engine.ensureZoneDataset(spec)
          return yield* engine.ensureZoneDataset(spec)
        }))
      assert.strictEqual(zone.mountpoint, "/reddwarf/zones/web-1")
      assert.strictEqual(zone.zonepath, "/reddwarf/zones/web-1/zone")
      assert.strictEqual(zone.quota, 1024 ** 3)
      assert.deepStrictEqual(zone.properties, { namespace: "default", uid: "u-1", zone: "web-1" })
      assert.deepStrictEqual(storage.changes().map((args) => `${args[0]} ${args.at(-1)}`), [
        "create tank/reddwarf",
        "create tank/reddwarf/zones",
        "create tank/reddwarf/images",
        "create tank/reddwarf/volumes",
        "create tank/reddwarf/zones/web-1"
      ])
    }))

  it.effect("brings quota and marks up to date", () =>
    Effect.gen(function*() {
      const storage = host()
      const zone = yield* storage.use((engine) =>
        Effect.gen(function*() {
          yield* engine.ensureZoneDataset({ zone: "web-1", uid: "u-1", quota: 1024 ** 3, properties: { image: "a" } })
          return yield* engine.ensureZoneDataset({ zone: "web-1", uid: "u-1", properties: { image: "b" } })
        }))
      assert.isUndefined(zone.quota)
      assert.strictEqual(zone.properties["image"], "b")
    }))

  it.effect("neither takes nor destroys what belongs to somebody else", () =>
    Effect.gen(function*() {
      const storage = host()
      yield* storage.use((engine) => engine.ensureDatasets)
      storage.datasets.set("tank/reddwarf/zones/alien", new Map())
      const tags = yield* storage.use((engine) =>
        Effect.gen(function*() {
          yield* engine.ensureZoneDataset({ zone: "web-1", uid: "u-1" })
          const errors = [
            yield* Effect.flip(engine.ensureZoneDataset({ zone: "web-1", uid: "u-2" })),
            yield* Effect.flip(engine.ensureZoneDataset({ zone: "alien", uid: "u-2" })),
            yield* Effect.flip(engine.destroyZoneDataset("alien")),
            yield* Effect.flip(engine.destroyZoneDataset("../../etc"))
          ]
          const owned = yield* engine.listOwned
          assert.deepStrictEqual(owned.map(({ uid, zone }) => [zone, uid]), [["web-1", "u-1"]])
          return errors.map((error) => error._tag)
        }))
      assert.deepStrictEqual(tags, ["DatasetNotOwned", "DatasetNotOwned", "DatasetNotOwned", "PropertyRejected"])
      assert.isTrue(storage.datasets.has("tank/reddwarf/zones/alien"))
    }))

  it.effect("destroys a busy dataset as soon as it is free; a missing one is fine", () =>
    Effect.gen(function*() {
      let busy = 4
      const storage = host((line) =>
        line.args[0] === "destroy" && busy-- > 0
          ? CommandRunner.result({ exitCode: 1, stderr: "cannot destroy 'x': dataset is busy\n" })
          : undefined
      )
      yield* storage.use((engine) =>
        Effect.gen(function*() {
          yield* engine.ensureZoneDataset({ zone: "web-1", uid: "u-1" })
          yield* engine.destroyZoneDataset("web-1")
          yield* engine.destroyZoneDataset("web-1")
        }))
      assert.isFalse(storage.datasets.has("tank/reddwarf/zones/web-1"))
      assert.strictEqual(storage.changes().filter(([command]) => command === "destroy").length, 5)
    }))

  it.effect("uses force at last, and then gives up", () =>
    Effect.gen(function*() {
      const storage = host((line) =>
        line.args[0] === "destroy"
          ? CommandRunner.result({ exitCode: 1, stderr: "cannot unmount '/x': Device busy\n" })
          : undefined
      )
      const error = yield* Effect.flip(storage.use((engine) =>
        Effect.zipRight(engine.ensureZoneDataset({ zone: "web-1", uid: "u-1" }), engine.destroyZoneDataset("web-1"))))
      assert.strictEqual(error._tag, "DatasetBusy")
      const attempts = storage.changes().filter(([command]) => command === "destroy")
      assert.isBelow(attempts.length, 40)
      assert.isTrue(attempts.at(-1)?.includes("-f"))
    }))

  it.effect("mounts a dataset that was made but not mounted", () =>
    Effect.gen(function*() {
      let made = false
      let mounts = 0
      const storage = host((line) => {
        if (line.args[0] === "mount") {
          mounts += 1
          return mounts < 3
            ? CommandRunner.result({ exitCode: 1, stderr: "cannot mount 'x': mountpoint or dataset is busy\n" })
            : CommandRunner.result()
        }
        if (line.args[0] !== "create" || made || line.args.at(-1) !== "tank/reddwarf/zones/web-1") return undefined
        made = true
        storage.datasets.set("tank/reddwarf/zones/web-1", new Map([["reddwarf:uid", "u-1"], ["reddwarf:zone", "web-1"]]))
        return CommandRunner.result({
          exitCode: 1,
          stderr: "cannot mount 'x': mountpoint or dataset is busy\nfilesystem successfully created, but not mounted\n"
        })
      })
      yield* storage.use((engine) => engine.ensureZoneDataset({ zone: "web-1", uid: "u-1" }))
      assert.strictEqual(mounts, 3)
    }))

  it.effect("refuses marks ZFS would not keep", () =>
    Effect.gen(function*() {
      const storage = host()
      for (const properties of [{ "UPPER": "x" }, { a: "" }, { a: "x\ny" }, { a: "x".repeat(9000) }]) {
        const error = yield* Effect.flip(storage.use((engine) =>
          engine.ensureZoneDataset({ zone: "web-1", uid: "u-1", properties })))
        assert.strictEqual(error._tag, "PropertyRejected")
      }
    }))

  it.effect("reads the pool, also where zpool knows no exact numbers", () =>
    Effect.gen(function*() {
      const usage = yield* host().use((engine) => engine.poolUsage)
      assert.deepStrictEqual(usage, {
        pool: "tank",
        size: 508 * 1024 ** 2,
        allocated: 1536,
        free: 508 * 1024 ** 2,
        available: 1000000,
        health: "ONLINE"
      })
    }))
})
