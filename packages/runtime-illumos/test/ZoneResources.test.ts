import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import { toConfig } from "../src/internal/zoneSpecConfig.js"
import * as ZoneBrands from "../src/ZoneBrands.js"
import * as ZoneConfig from "../src/ZoneConfig.js"
import * as ZoneName from "../src/ZoneName.js"
import * as ZoneResources from "../src/ZoneResources.js"

const optional = <A>(arbitrary: fc.Arbitrary<A>) => fc.option(arbitrary, { nil: undefined })

const demands: fc.Arbitrary<ZoneResources.Demand> = fc.record({
  serviceClass: fc.constantFrom("Guaranteed", "Burstable", "BestEffort"),
  cpuRequestMillis: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 10_000_000 })),
  cpuLimitMillis: optional(fc.integer({ min: 1, max: 10_000_000 })),
  memoryLimitBytes: optional(fc.integer({ min: 0, max: 2 ** 50 })),
  pidsLimit: optional(fc.integer({ min: 0, max: 2 ** 40 }))
})

const resourcesOf = fc.tuple(demands, fc.boolean()).map(([demand, zfsIoPriority]) => ({
  demand,
  resources: ZoneResources.fromDemand(demand, { zfsIoPriority })
}))

describe("ZoneResources.fromDemand", () => {
  it("gives a zone what its containers may use, as zonecfg can store it", () => {
    const resources = ZoneResources.fromDemand(
      { serviceClass: "Guaranteed", cpuRequestMillis: 500, cpuLimitMillis: 500, memoryLimitBytes: 128 * 1024 ** 2, pidsLimit: 1000 },
      { zfsIoPriority: true }
    )
    assert.deepStrictEqual(resources, {
      cpuPercent: 50,
      cpuShares: 512,
      physicalMemory: 128n * 1024n ** 2n,
      swap: 128n * 1024n ** 2n,
      lockedMemory: 128n * 1024n ** 2n,
      maxLwps: 1000,
      maxProcesses: 1000,
      zfsIoPriority: 200
    })
  })

  it("bounds nothing that is not bounded, and still lets the workload run when CPUs are short", () => {
    assert.deepStrictEqual(ZoneResources.fromDemand({ serviceClass: "BestEffort", cpuRequestMillis: 0 }), { cpuShares: 2 })
  })

  it.prop("never gives less than is asked for, and sets the memory caps together", [resourcesOf], ([{ demand, resources }]) => {
    if (demand.cpuLimitMillis !== undefined) assert.isAtLeast((resources.cpuPercent ?? 0) * 10, demand.cpuLimitMillis)
    const { lockedMemory, physicalMemory, swap } = resources
    assert.strictEqual(physicalMemory === undefined, swap === undefined)
    assert.strictEqual(physicalMemory === undefined, lockedMemory === undefined)
    if (physicalMemory !== undefined && swap !== undefined && lockedMemory !== undefined && demand.memoryLimitBytes !== undefined) {
      assert.isTrue(physicalMemory >= BigInt(demand.memoryLimitBytes) && swap >= physicalMemory && lockedMemory <= physicalMemory)
    }
    for (const tasks of [resources.maxLwps, resources.maxProcesses]) if (tasks !== undefined) assert.isAtLeast(tasks, 100)
  })

  it.prop("more asked for never means less given", [demands, fc.integer({ min: 0, max: 1_000_000 })], ([demand, more]) => {
    const richer = {
      ...demand,
      cpuRequestMillis: demand.cpuRequestMillis + more,
      ...(demand.cpuLimitMillis === undefined ? {} : { cpuLimitMillis: demand.cpuLimitMillis + more }),
      ...(demand.memoryLimitBytes === undefined ? {} : { memoryLimitBytes: demand.memoryLimitBytes + more })
    }
    const [before, after] = [ZoneResources.fromDemand(demand), ZoneResources.fromDemand(richer)]
    assert.isAtLeast(after.cpuShares ?? 0, before.cpuShares ?? 0)
    assert.isAtLeast(after.cpuPercent ?? 0, before.cpuPercent ?? 0)
    assert.isTrue((after.physicalMemory ?? 0n) >= (before.physicalMemory ?? 0n))
  })

  it.prop("always makes a configuration that can be written", [resourcesOf], ([{ resources }]) => {
    const zoneName = ZoneName.make("web-1")
    const spec = { zoneName, zonepath: "/zones/web-1", brand: "sparse", attributes: [], network: [], fileSystems: [], resources }
    const script = Either.flatMap(toConfig(ZoneBrands.sparse, spec), (config) => ZoneConfig.render(zoneName, config))
    assert.isTrue(Either.isRight(script))
  })
})

describe("ZoneResources.changes", () => {
  it.prop("names exactly what differs", [resourcesOf, resourcesOf], ([{ resources: from }, { resources: to }]) => {
    const { removed, set } = ZoneResources.changes(from, to)
    const controls = new Map(ZoneResources.controls(from).map((control) => [control.name, control]))
    for (const name of removed) assert.isTrue(controls.delete(name))
    for (const control of set) {
      assert.notDeepEqual(controls.get(control.name), control)
      controls.set(control.name, control)
    }
    assert.deepStrictEqual([...controls.values()].map(({ name }) => name).sort(), ZoneResources.controls(to).map(({ name }) => name).sort())
    for (const control of ZoneResources.controls(to)) assert.deepStrictEqual(controls.get(control.name), control)
  })
})

describe("ZoneResources.linkBandwidth", () => {
  it("takes the smaller direction, since a link has one limit for both", () => {
    assert.strictEqual(ZoneResources.linkBandwidth({ ingress: 10_000_000, egress: 5_000_000 }), 5_000_000)
    assert.strictEqual(ZoneResources.linkBandwidth({ ingress: 10_000_000 }), 10_000_000)
    assert.strictEqual(ZoneResources.linkBandwidth({ egress: 1_000 }), 1_200_000)
    assert.isUndefined(ZoneResources.linkBandwidth({}))
  })
})
