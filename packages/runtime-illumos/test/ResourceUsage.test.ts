import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as ResourceUsage from "../src/ResourceUsage.js"

const counters = [
  "cpu:0:sys:cpu_nsec_kernel\t1000",
  "cpu:0:sys:cpu_nsec_user\t2000",
  "cpu:1:sys:cpu_nsec_kernel\t30",
  "cpu:1:sys:cpu_nsec_user\t4",
  "memory_cap:0:global:rss\t900",
  "memory_cap:3:web-1:rss\t104857600",
  "memory_cap:3:web-1:swap\t209715200",
  "unix:0:system_misc:boot_time\t1795000000",
  "unix:0:system_pages:freemem\t100",
  "unix:0:system_pages:physmem\t1000",
  "zfs:0:arcstats:size\t4096",
  "zones:0:global:boot_time\t1795000000",
  "zones:0:global:nsec_sys\t5",
  "zones:0:global:nsec_user\t6",
  "zones:0:global:zonename\tglobal",
  "zones:3:a-very-long-name-that-is-cut-of:boot_time\t1795000100",
  "zones:3:a-very-long-name-that-is-cut-of:nsec_sys\t1812345678901",
  "zones:3:a-very-long-name-that-is-cut-of:nsec_user\t812345678901",
  "zones:3:a-very-long-name-that-is-cut-of:zonename\ta-very-long-name-that-is-cut-off-by-kstat"
].join("\n")

describe("kstat", () => {
  it("tells what zones and host have used", () => {
    assert.deepStrictEqual(ResourceUsage.parseCounters(`${counters}\n`), {
      host: { cpuNanos: 3034, memoryTotal: 4096_000, memoryAvailable: 100 * 4096 + 4096, bootTime: 1_795_000_000 },
      zones: [
        { zone: "global", zoneId: 0, bootTime: 1_795_000_000, cpuNanos: 11, rss: 900 },
        {
          zone: "a-very-long-name-that-is-cut-off-by-kstat",
          zoneId: 3,
          bootTime: 1_795_000_100,
          cpuNanos: 2_624_691_357_802,
          rss: 104_857_600,
          swap: 209_715_200
        }
      ]
    })
  })

  it("is read where the kernel does not count the memory of zones", () => {
    const gate = counters.split("\n").filter((line) => !line.startsWith("memory_cap")).join("\n")
    assert.isTrue(ResourceUsage.parseCounters(gate).zones.every((zone) => !("rss" in zone)))
  })

  it("leaves out a zone that goes while it is read", () => {
    assert.deepStrictEqual(ResourceUsage.parseCounters("zones:4:gone:nsec_user\t5\n"), { host: {}, zones: [] })
  })
})

describe("ps", () => {
  it("tells the processes of all zones, with times of any length", () => {
    const text = [
      "   PID   PPID   PGID    SID ZONEID   RSS   VSZ        TIME",
      "     0      0      0      0      0     0     0       00:01",
      "  4711      1   4711   4711      3  2048 10240       12:34",
      "  4712   4711   4711   4711      3   512  1024    01:00:05",
      "  4713   4711   4711   4711      3   512  1024 2-03:00:00",
      "  4714      -   4711   4711      3   512  1024       00:00"
    ].join("\n")
    const found = ResourceUsage.parseProcesses(text)
    assert.deepStrictEqual(found[1], { pid: 4711, parent: 1, group: 4711, session: 4711, zoneId: 3, rss: 2048 * 1024, size: 10240 * 1024, cpuSeconds: 754 })
    assert.deepStrictEqual(found.map(({ cpuSeconds }) => cpuSeconds), [1, 754, 3605, 2 * 86_400 + 3 * 3600])
  })

  it("never fails on any output", () => {
    fc.assert(fc.property(fc.string(), (text) => {
      ResourceUsage.parseProcesses(text)
      ResourceUsage.parseCounters(text)
    }))
  })
})
