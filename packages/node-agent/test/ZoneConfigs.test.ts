import { assert, describe, it } from "@effect/vitest"
import { EnvironmentSources, ZoneConfigs } from "@reddwarf/node-agent"
import type { CoreV1 } from "@reddwarf/api-types"
import { ZoneConfig, ZoneName, type ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Effect from "effect/Effect"
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { directories } from "./support/harness.js"

/** Zones that are a table, and a count of exports. */
const host = Effect.gen(function*() {
  const { root } = yield* directories
  const stored = new Map<string, { config: ZoneConfig.ZoneConfig; stamp: number; id: number; unknown: ReadonlyArray<string> }>()
  let exports = 0
  const found = (zone: string) => stored.get(zone) ?? { config: base, stamp: 0, id: 0, unknown: [] }
  const zones: Pick<ZoneRuntime.ZoneRuntime["Type"], "configuration" | "configurationStamps" | "list" | "persist"> = {
    configuration: (zone) => Effect.sync(() => (exports += 1, { config: found(zone).config, unknown: found(zone).unknown })),
    configurationStamps: Effect.sync(() => new Map([...stored].map(([name, { stamp }]) => [name, String(stamp)]))),
    list: Effect.sync(() => [...stored].map(([name, { id }]) => ({ name: ZoneName.make(name), state: "running" as const, zonepath: `/zones/${name}`, brand: "lx", id }))),
    persist: (zone, config) => Effect.sync(() => (change(zone, config), true))
  }
  const change = (zone: string, config: ZoneConfig.ZoneConfig, more: { readonly id?: number; readonly unknown?: ReadonlyArray<string> } = {}) => {
    const before = found(zone)
    stored.set(zone, { config, stamp: before.stamp + 1, id: more.id ?? before.id, unknown: more.unknown ?? [] })
  }
  const directory = join(root, "records")
  return { directory, change, boot: (zone: string, id: number) => void stored.set(zone, { ...found(zone), id }), configs: () => ZoneConfigs.make({ directory, zones }), exports: () => exports, found }
})

const base = ZoneConfig.make("/zones/a", "lx")
const edited: ZoneConfig.ZoneConfig = { ...base, autoboot: true, limitpriv: "default,dtrace_user" }
const names = (count: number) => Array.from({ length: count }, (_, at) => ZoneName.make(`zone-${at}`))

describe("stored configurations of zones", () => {
  it.scopedLive("cost one listing when nothing was written, and sixteen exports at most when all were", () =>
    Effect.gen(function*() {
      const sim = yield* host
      const all = names(200)
      const ours: ReadonlySet<string> = new Set(all)
      const configs = sim.configs()
      for (const zone of all) {
        sim.change(zone, base, { id: 1 })
        yield* configs.remember(zone, base)
      }
      assert.isUndefined(yield* configs.faults(all[0] ?? ZoneName.make("none")))
      for (let look = 1; look <= 13; look++) {
        const before = sim.exports()
        assert.strictEqual((yield* configs.look(ours)).size, 0)
        assert.isAtMost(sim.exports() - before, 16)
      }
      assert.strictEqual(sim.exports(), 200)
      yield* configs.look(ours)
      assert.strictEqual(sim.exports(), 200)
      sim.change("zone-7", edited)
      assert.deepStrictEqual([...(yield* configs.look(ours))], ["zone-7"])
      assert.strictEqual(sim.exports(), 201)
      assert.deepStrictEqual((yield* configs.faults(ZoneName.make("zone-7")))?.differences, ["autoboot", "limitpriv"])
    }))

  it.scopedLive("are told apart by whether the zone was booted with them", () =>
    Effect.gen(function*() {
      const sim = yield* host
      const zone = ZoneName.make("zone-0")
      const look = (configs: ZoneConfigs.ZoneConfigs) => Effect.zipRight(configs.look(new Set([zone])), configs.faults(zone))
      const configs = sim.configs()
      sim.change(zone, base, { id: 1 })
      yield* configs.remember(zone, base)
      assert.deepStrictEqual(yield* look(configs), { differences: [], booted: false })
      sim.change(zone, edited)
      assert.deepStrictEqual(yield* look(configs), { differences: ["autoboot", "limitpriv"], booted: false })
      sim.boot(zone, 2)
      assert.strictEqual((yield* look(configs))?.booted, true)
      // Nobody goes by these two.
      sim.change(zone, { ...base, autoboot: true, attr: [{ name: "reddwarf-uid", type: "string", value: "x" }] })
      assert.deepStrictEqual(yield* look(configs), { differences: ["autoboot", "attr reddwarf-uid"], booted: false })
      yield* configs.restore(zone)
      assert.deepStrictEqual([sim.found(zone).config.autoboot, yield* look(configs)], [false, { differences: [], booted: false }])
      sim.change(zone, base, { unknown: ["power-supply"] })
      assert.deepStrictEqual((yield* look(configs))?.differences, ["power-supply"])
    }))

  it.scopedLive("are known to the next agent; what an earlier one left without a record stays as it is", () =>
    Effect.gen(function*() {
      const sim = yield* host
      const [known, unknown] = [ZoneName.make("known"), ZoneName.make("unknown")]
      const ours: ReadonlySet<string> = new Set([known, unknown])
      sim.change(known, base)
      sim.change(unknown, edited)
      yield* sim.configs().remember(known, base)
      sim.change(known, edited)
      const next = sim.configs()
      assert.deepStrictEqual([...(yield* next.look(ours))], ["known"])
      sim.change(unknown, base)
      assert.deepStrictEqual([...(yield* next.look(ours))], ["known", "unknown"])
      // Cut off by a loss of power: as if there were none.
      const record = join(sim.directory, "known.zonecfg")
      writeFileSync(record, "create -b\nset zonepath=/zo")
      assert.deepStrictEqual([...(yield* sim.configs().look(ours))], ["unknown"])
      yield* next.forget(known)
      assert.isFalse(existsSync(record))
    }))
})

describe("what an environment is taken from", () => {
  const pod = (container: Partial<CoreV1.Container>): CoreV1.Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "default" },
    spec: { initContainers: [{ name: "i", image: "i", envFrom: [{ configMapRef: { name: "init" } }] }], containers: [{ name: "c", image: "i", ...container }] }
  })
  const sources = (data: Readonly<Record<string, string>>, secret: Readonly<Record<string, string>> = {}) => ({
    configMaps: new Map([["m", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "m" }, data } satisfies CoreV1.ConfigMap]]),
    secrets: new Map([["s", { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, data: secret } satisfies CoreV1.Secret]])
  })

  it("is what the variables refer to, and nothing else", () => {
    const one = pod({ env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "m", key: "a" } } }, { name: "B", value: "b" }] })
    assert.strictEqual(EnvironmentSources.hashOf(one, sources({ a: "1", b: "1" })), EnvironmentSources.hashOf(one, sources({ b: "2", a: "1" })))
    assert.notStrictEqual(EnvironmentSources.hashOf(one, sources({ a: "1" })), EnvironmentSources.hashOf(one, sources({ a: "2" })))
    assert.notStrictEqual(EnvironmentSources.hashOf(one, sources({ a: "1" })), EnvironmentSources.hashOf(one, sources({})))
    const all = pod({ envFrom: [{ secretRef: { name: "s" } }] })
    assert.notStrictEqual(EnvironmentSources.hashOf(all, sources({}, { a: "MQ==" })), EnvironmentSources.hashOf(all, sources({}, { a: "MQ==", b: "" })))
    assert.strictEqual(EnvironmentSources.hashOf(all, sources({}, { a: "1", b: "2" })), EnvironmentSources.hashOf(all, sources({ x: "y" }, { b: "2", a: "1" })))
    assert.deepStrictEqual([one, all, pod({}), pod({ env: [{ name: "N", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] })].map(EnvironmentSources.concerns), [true, true, false, false])
  })
})
