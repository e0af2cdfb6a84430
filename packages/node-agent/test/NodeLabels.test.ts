import { assert, describe, it } from "@effect/vitest"
import type { HostCapabilities } from "@reddwarf/runtime-illumos"
import { FastCheck as fc } from "effect"
import * as NodeLabels from "../src/node/NodeLabels.js"

const capabilities = (changed: Partial<HostCapabilities.HostCapabilities> = {}): HostCapabilities.HostCapabilities => ({
  distribution: "OmniOS",
  kernelVersion: "omnios-r151054-7a3b1c2d",
  osRelease: "5.11",
  brands: [{ name: "bhyve", unusable: "no hardware" }, { name: "lx" }, { name: "sparse" }],
  virtualization: "none",
  zonecfgDialect: "omnios",
  zoneListFields: 8,
  physicalMemoryCap: "kernel",
  smfZoneOption: true,
  zoneLogs: true,
  ...changed
})

const names = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,20}[a-z0-9]$/)

describe("labels of a node", () => {
  it("tell what it can do", () => {
    const host = capabilities()
    assert.deepStrictEqual(NodeLabels.of(host, NodeLabels.brandsOf(host, { defaultBrand: "sparse" })), {
      "reddwarf.io/zone-brands": "lx.sparse",
      "node.reddwarf.io/brand.lx": "true",
      "node.reddwarf.io/brand.sparse": "true",
      "node.reddwarf.io/distribution": "omnios",
      "node.reddwarf.io/kernel-version": "omnios-r151054-7a3b1c2d",
      "node.reddwarf.io/zonecfg-dialect": "omnios",
      "node.reddwarf.io/physical-memory-cap": "kernel"
    })
  })

  it("follow the settings, then the host, then the default", () => {
    const host = capabilities()
    assert.deepStrictEqual(NodeLabels.brandsOf(host, { brands: ["bhyve"], defaultBrand: "lx" }), ["bhyve"])
    const { brands: _brands, ...unlisted } = host
    assert.deepStrictEqual(NodeLabels.brandsOf(unlisted, { defaultBrand: "lx" }), ["lx"])
  })

  it("go with the capability, and leave those of others alone", () => {
    const present = { "node.reddwarf.io/brand.lx": "true", "node.reddwarf.io/brand.sparse": "true", "example.org/rack": "7", "kubernetes.io/os": "illumos" }
    const wanted = { "node.reddwarf.io/brand.sparse": "true", "node.reddwarf.io/distribution": "omnios", "kubernetes.io/os": "illumos" }
    assert.deepStrictEqual(NodeLabels.changes(present, wanted), { "node.reddwarf.io/brand.lx": null, "node.reddwarf.io/distribution": "omnios" })
    assert.deepStrictEqual(NodeLabels.changes({ ...wanted, "example.org/rack": "7" }, wanted), {})
  })

  it.prop("are always keys and values that the API takes", {
    kernelVersion: fc.string({ maxLength: 100 }),
    brands: fc.uniqueArray(names, { maxLength: 12 }),
    virtualization: fc.constantFrom<HostCapabilities.Virtualization>("vmx", "amd_svm", "none", "unknown")
  }, ({ brands, kernelVersion, virtualization }) => {
    const labels = NodeLabels.of(capabilities({ kernelVersion, virtualization }), brands)
    for (const [key, value] of Object.entries(labels)) {
      assert.match(key, /^[a-z0-9.]+\/[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/)
      assert.match(value, /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/)
    }
    // Never half of a name: the scheduler compares whole ones.
    for (const name of (labels["reddwarf.io/zone-brands"] ?? "").split(".").filter((name) => name !== "")) assert.include(brands, name)
  })
})
