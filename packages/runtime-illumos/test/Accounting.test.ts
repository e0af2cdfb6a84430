import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck as fc } from "effect"
import * as CommandLine from "../src/CommandLine.js"
import * as CommandRunner from "../src/CommandRunner.js"
import * as HostCapabilities from "../src/HostCapabilities.js"
import * as Kstat from "../src/Kstat.js"
import * as Pkg from "../src/Pkg.js"
import * as Prctl from "../src/Prctl.js"
import * as Prstat from "../src/Prstat.js"
import * as Prtconf from "../src/Prtconf.js"
import * as Psrinfo from "../src/Psrinfo.js"
import * as Rctladm from "../src/Rctladm.js"
import * as Swap from "../src/Swap.js"
import * as ZoneName from "../src/ZoneName.js"
import * as Zonestat from "../src/Zonestat.js"

const zone = ZoneName.make("web-1")
const failure = (stderr: string, exitCode = 1) => CommandRunner.result({ exitCode, stderr })

describe("kstat", () => {
  it("reads counters of 64 bits, seconds and texts", () => {
    const statistics = Kstat.parse("zones:3:web-1:nsec_user\t18446744073709551615\nzones:3:web-1:snaptime\t12.000000345\nzones:3:web-1:zonename\tweb-1\nlink:0:a:b0:rbytes64\t1\nno statistic\n")
    assert.deepStrictEqual(statistics.map(({ name, value }) => [name, value]), [["web-1", "18446744073709551615"], ["web-1", "12.000000345"], ["web-1", "web-1"], ["a:b0", "1"]])
    assert.strictEqual(Kstat.counterOf("18446744073709551615"), Kstat.unlimited)
    assert.isUndefined(Kstat.counterOf("18446744073709551616"))
    assert.isUndefined(Kstat.counterOf("-1"))
    assert.strictEqual(Kstat.secondsOf("12.5"), 12.5)
    assert.strictEqual(Kstat.advance(5n, 7n), 2n)
    assert.isUndefined(Kstat.advance(7n, 5n))
    assert.strictEqual(Kstat.loadOf(128n), 0.5)
  })

  it.prop("keeps every counter exact", { value: fc.bigInt({ min: 0n, max: Kstat.unlimited }) }, ({ value }) => {
    assert.strictEqual(Kstat.counterOf(Kstat.parse(`a:1:b:c\t${value}`)[0]?.value ?? ""), value)
  })

  it("reads the caps of zones", () => {
    const text = "caps:3:cpucaps_zone_3:value\t150\ncaps:3:cpucaps_zone_3:usage\t12\ncaps:3:cpucaps_zone_3:zonename\tweb-1\ncaps:3:swapresv_zone_3:value\t18446744073709551615\ncaps:3:swapresv_zone_3:usage\t9\ncaps:3:swapresv_zone_3:zonename\tweb-1\ncaps:3:nprocs_zone_3:value\t200\ncaps:3:nprocs_zone_3:usage\t7\n"
    const [caps] = Kstat.parseZoneCaps(text)
    assert.strictEqual(caps?.zone, "web-1")
    assert.strictEqual(caps?.cpu?.cap, 150n)
    assert.deepStrictEqual(caps?.swap, { usage: 9n })
    assert.deepStrictEqual(caps?.processes, { usage: 7n, limit: 200n })
  })

  it("asks by patterns", () => {
    assert.strictEqual(CommandLine.format(Kstat.read({ module: "zones", instance: 3, statistic: "nsec_user" }, { module: "link" })), "/usr/bin/kstat -p zones:3::nsec_user link:::")
  })
})

const listing = `zone: 3: web-1
zone.max-swap usage 4096 - - -
zone.max-swap privileged 1073741824 - deny -
zone.max-swap system 18446744073709551615 max deny -
zone.cpu-cap usage 0 - - -
zone.cpu-cap system 4294967295 inf deny -
zone.cpu-shares privileged 1 - none -
zone.cpu-shares system 65535 max none -
`

describe("prctl", () => {
  it("reads the controls of a zone", () => {
    const parsed = Prctl.parse(listing)
    assert.strictEqual(parsed?.zoneId, 3)
    assert.strictEqual(parsed?.zone, "web-1")
    assert.deepStrictEqual(parsed?.controls[0], {
      name: "zone.max-swap",
      usage: 4096n,
      values: [
        { privilege: "privileged", value: 1073741824n, action: "deny" },
        { privilege: "system", value: 18446744073709551615n, flag: "max", action: "deny" }
      ]
    })
    assert.isDefined(parsed)
    if (parsed === undefined) return
    assert.strictEqual(Prctl.limitOf(parsed, "zone.max-swap"), 1073741824n)
    assert.isUndefined(Prctl.limitOf(parsed, "zone.cpu-cap"))
    assert.isUndefined(Prctl.parse("zone.max-swap usage"))
    assert.isUndefined(Prctl.parse("zone: 3: web-1\nzone.max-swap privileged many - deny -"))
  })

  it("sets privileged values, with the action that the control has", () => {
    const format = CommandLine.format
    assert.strictEqual(format(Prctl.list(zone)), "/usr/bin/prctl -P -i zone web-1")
    assert.strictEqual(format(Prctl.set(zone, "zone.cpu-cap", 150n)), "/usr/bin/prctl -n zone.cpu-cap -s -t privileged -v 150 -e deny -i zone web-1")
    assert.strictEqual(format(Prctl.set(zone, "zone.cpu-shares", 5n)), "/usr/bin/prctl -n zone.cpu-shares -s -t privileged -v 5 -i zone web-1")
    assert.strictEqual(format(Prctl.replace(zone, "zone.cpu-cap", 150n)), "/usr/bin/prctl -n zone.cpu-cap -r -t privileged -v 150 -i zone web-1")
    assert.strictEqual(format(Prctl.remove(zone, "zone.cpu-cap")), "/usr/bin/prctl -n zone.cpu-cap -x -t privileged -i zone web-1")
  })

  it.each([
    ["prctl: zone: web-1: No controllable process found in task, project, or zone.", "WrongZoneState"],
    ["1:\t/sbin/init\nprctl: resource control already exists", "ResourceControlRejected"],
    ["1:\t/sbin/init\nprctl: no matching resource control to replace", "ResourceControlRejected"],
    ["1:\t/sbin/init\nprctl: no matching resource control found for deletion", "ResourceControlRejected"],
    ["prctl: -v value 9 exceeds system limit for resource control: zone.cpu-shares", "ResourceControlRejected"],
    ["prctl: invalid -v value 1X", "ResourceControlRejected"],
    ["prctl: failed to get resource control for zone.x: Invalid argument", "ResourceControlRejected"],
    ["prctl: unable to enable deny on rctl with global flag 'no-deny'", "ResourceControlRejected"],
    ["prctl: cannot set process privileges for pid 7: Not owner", "HostPermissionDenied"],
    ["prctl: something else", "HostCommandFailed"]
  ])("understands %s", (stderr, tag) => {
    const error = Prctl.classify("set zone.cpu-cap of", zone, failure(stderr))
    assert.strictEqual(error._tag, tag)
    assert.match(error.message, /.+: .+; .+/)
  })

  it.effect("refuses what the kernel would, before it asks", () =>
    Effect.gen(function*() {
      const prctl = Prctl.make(yield* CommandRunner.CommandRunner)
      for (const [name, value] of [["zone.cpu-shares", 65_536n], ["zone.max-lwps", 1n << 31n], ["zone.cpu-cap", -1n]] as const) {
        assert.strictEqual((yield* Effect.flip(prctl.ensure(zone, name, value)))._tag, "ResourceControlRejected")
      }
      const unread = yield* Effect.flip(prctl.list(zone))
      assert.strictEqual(unread._tag, "UnreadableOutput")
    }).pipe(Effect.provide(CommandRunner.layerTest(() => CommandRunner.result({ stdout: "what?" })))))
})

describe("rctladm", () => {
  it("reads what the host logs", () => {
    assert.deepStrictEqual(Rctladm.parse("zone.max-swap               syslog=off     [ no-basic deny no-signal bytes ]\nzone.cpu-cap                syslog=n/a     [ no-basic deny inf count ]\nzone.max-lwps               syslog=warning \nbogus\n"), [
      { name: "zone.max-swap", syslog: "off", flags: ["no-basic", "deny", "no-signal", "bytes"] },
      { name: "zone.cpu-cap", syslog: "n/a", flags: ["no-basic", "deny", "inf", "count"] },
      { name: "zone.max-lwps", syslog: "warning", flags: [] }
    ])
    assert.strictEqual(CommandLine.format(Rctladm.enableSyslog("zone.max-swap", "err")), "/usr/sbin/rctladm -e syslog=err zone.max-swap")
  })

  it.each([
    ["rctladm: unknown resource control: zone.x", "ResourceControlRejected"],
    ["rctladm: \"syslog\" action not valid for zone.cpu-cap", "ResourceControlRejected"],
    ["rctladm: you must be root to use this option", "HostPermissionDenied"]
  ])("understands %s", (stderr, tag) => {
    assert.strictEqual(Rctladm.classify("log", "zone.x", failure(stderr))._tag, tag)
  })
})

describe("the host", () => {
  it("reads CPUs and their states", () => {
    const cpus = Psrinfo.parse("0\ton-line   since 11/20/2026 10:00:00\n1\toff-line  since 11/20/2026 10:00:01\n2\tno-intr   since 11/20/2026 10:00:02\n3\todd-line  since 11/20/2026 10:00:02\n")
    assert.deepStrictEqual(cpus.map(({ id, state }) => [id, state]), [[0, "on-line"], [1, "off-line"], [2, "no-intr"], [3, "unknown"]])
    assert.strictEqual(Psrinfo.online(cpus), 2)
  })

  it("reads memory in both forms", () => {
    assert.strictEqual(Prtconf.parseMemory("16384\n"), 16384 * 1024 * 1024)
    assert.strictEqual(Prtconf.parseMemory("System Configuration:  i86pc\nMemory size: 2048 Megabytes\n"), 2048 * 1024 * 1024)
    assert.isUndefined(Prtconf.parseMemory("prtconf: usage"))
  })

  it("reads swap", () => {
    assert.deepStrictEqual(Swap.parseSummary("total: 1234k bytes allocated + 567k reserved = 1801k used, 9999k available\n"), {
      allocated: 1234 * 1024,
      reserved: 567 * 1024,
      used: 1801 * 1024,
      available: 9999 * 1024
    })
    assert.deepStrictEqual(Swap.parseDevices("swapfile             dev    swaplo   blocks     free\n/dev/zvol/dsk/rpool/swap 90,1        8  2097144  2097136\n"), [
      { path: "/dev/zvol/dsk/rpool/swap", size: 2097144 * 512, free: 2097136 * 512 }
    ])
    assert.deepStrictEqual(Swap.parseDevices("No swap devices configured\n"), [])
  })

  it("reads the tables of prstat and zonestat", () => {
    const table = "   PID USERNAME  SIZE   RSS STATE   PRI NICE      TIME  CPU PROCESS/NLWP\n     7 root     10M    5M sleep    59    0   0:00:01 0.0% init/1\nZONEID    NPROC  SWAP   RSS MEMORY      TIME  CPU ZONE\n     3       21   45M   60M   1.5%   1:02:03 0.1%                        web-1\nTotal: 22 processes, 40 lwps, load averages: 0.10, 0.20, 0.30\n"
    assert.deepStrictEqual(Prstat.parseZones(table), [{
      zoneId: 3, zone: "web-1", processes: 21, swap: 45 * 1024 ** 2, rss: 60 * 1024 ** 2, memoryPercent: 1.5, cpuPercent: 0.1, cpuSeconds: 3723
    }])
    const report = Zonestat.parse("interval:header:since-last-interval:20261120T100000Z:1:5\ninterval:summary:[resource]:4:4:8589934592:12884901888\ninterval:summary:web-1:0.25:6.25%:50.00%:-:1048576:0.01%:-:2M:0.02%:-\ninterval:processor-set:a:b:c\n")
    assert.strictEqual(report.resources?.cpus, 4)
    assert.deepStrictEqual(report.usage, [{
      report: "interval", zone: "web-1", cpuUsed: 0.25, cpuPercent: 6.25, cpuPercentOfCap: 50, memoryUsed: 1048576, memoryPercent: 0.01, virtualUsed: 2 * 1024 ** 2, virtualPercent: 0.02
    }])
  })

  it("reads packages", () => {
    assert.deepStrictEqual(Pkg.parse("system/zones/brand/lx                             0.5.11-151054.0            i--\nfoo (extra.omnios)                                1.0-151054.0               ifo\nnonsense\n"), [
      { name: "system/zones/brand/lx", version: "0.5.11-151054.0", frozen: false, obsolete: false },
      { name: "foo", publisher: "extra.omnios", version: "1.0-151054.0", frozen: true, obsolete: true }
    ])
  })
})

describe("capabilities", () => {
  const host = {
    cpus: 4, memoryBytes: 1, osRelease: "5.11", kernelVersion: "omnios-r151054", machine: "i86pc", distribution: "OmniOS" as const, netExtras: true, zoneListFields: 8
  }
  const of = (virtualization: HostCapabilities.Virtualization, brands?: ReadonlyArray<string>) =>
    HostCapabilities.of({ host, virtualization, smfZoneOption: true, ...(brands === undefined ? {} : { brands }) })

  it("counts a brand only where its hardware is", () => {
    assert.deepStrictEqual(HostCapabilities.usableBrands(of("vmx", ["lx", "kvm", "bhyve"])), ["bhyve", "kvm", "lx"])
    assert.deepStrictEqual(HostCapabilities.usableBrands(of("amd_svm", ["lx", "kvm", "bhyve"])), ["bhyve", "lx"])
    assert.deepStrictEqual(HostCapabilities.usableBrands(of("none", ["lx", "kvm", "bhyve"])), ["lx"])
    assert.deepStrictEqual(HostCapabilities.usableBrands(of("unknown", ["bhyve"])), ["bhyve"])
    assert.isFalse(HostCapabilities.supports(of("none", ["bhyve"]), "bhyve"))
    assert.isTrue(HostCapabilities.supports(of("none"), "anything"))
  })

  it("reads brands and instruction sets", () => {
    assert.deepStrictEqual(HostCapabilities.parseBrands("/usr/lib/brand/lx/config.xml\n/usr/lib/brand/bhyve/config.xml\nother\n"), ["bhyve", "lx"])
    assert.strictEqual(HostCapabilities.parseVirtualization("amd64: vmx sse4.2\ni386: sse"), "vmx")
    assert.strictEqual(HostCapabilities.parseVirtualization("amd64: amd_svm sse4.2"), "amd_svm")
    assert.strictEqual(HostCapabilities.parseVirtualization("amd64: sse4.2"), "none")
    assert.strictEqual(HostCapabilities.parseVirtualization(""), "unknown")
  })

  it("derives how limits are kept from the dialect", () => {
    const gate = HostCapabilities.of({ host: { ...host, netExtras: false, zoneListFields: 7 }, virtualization: "none", smfZoneOption: false })
    assert.strictEqual(gate.zonecfgDialect, "gate")
    assert.strictEqual(gate.physicalMemoryCap, "rcapd")
    assert.strictEqual(of("none").physicalMemoryCap, "kernel")
  })
})
