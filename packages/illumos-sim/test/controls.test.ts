import { assert, describe, it } from "@effect/vitest"
import { CommandLine, HostCapabilities, Kstat, Pkg, Prctl, Prstat, Rctladm, Swap, ZoneName, Zonestat } from "@reddwarf/runtime-illumos"
import { Effect } from "effect"
import { host } from "./support.js"

const web = ZoneName.make("web")
const capped = ["add capped-cpu", "set ncpus=1.5", "end", "add capped-memory", "set physical=512M", "set swap=512M", "end", "set max-processes=200"]

describe("resource controls of simulated zones", () => {
  it.live("are those of the configuration, change while the zone runs, and come back at the next boot", () =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host()
      yield* on.running("web", ...capped)
      const prctl = Prctl.make(on)
      assert.strictEqual(yield* prctl.limit(web, "zone.cpu-cap"), 150n)
      assert.strictEqual(yield* prctl.limit(web, "zone.max-swap"), 512n * 1024n * 1024n)
      assert.strictEqual(yield* prctl.limit(web, "zone.max-physical-memory"), 512n * 1024n * 1024n)
      assert.strictEqual(yield* prctl.limit(web, "zone.cpu-shares"), 1n)
      assert.isUndefined(yield* prctl.limit(web, "zone.max-lwps"))
      yield* prctl.ensure(web, "zone.cpu-cap", 250n)
      yield* prctl.ensure(web, "zone.max-lwps", 1000n)
      yield* prctl.ensure(web, "zone.cpu-shares", 20n)
      yield* prctl.ensure(web, "zone.max-swap", undefined)
      yield* prctl.ensure(web, "zone.max-swap", undefined)
      assert.strictEqual(yield* prctl.limit(web, "zone.cpu-cap"), 250n)
      assert.strictEqual(yield* prctl.limit(web, "zone.max-lwps"), 1000n)
      assert.isUndefined(yield* prctl.limit(web, "zone.max-swap"))
      const [caps] = Kstat.parseZoneCaps((yield* on.run(Kstat.zoneCaps)).stdout)
      assert.strictEqual(caps?.cpu?.cap, 250n)
      assert.isUndefined(caps?.swap?.limit)
      assert.strictEqual(caps?.processes?.limit, 200n)
      yield* on.expectOk("zoneadm -z web reboot")
      assert.strictEqual(yield* prctl.limit(web, "zone.cpu-cap"), 150n)
      yield* on.expectOk("zoneadm -z web halt")
      assert.strictEqual((yield* Effect.flip(prctl.limit(web, "zone.cpu-cap")))._tag, "WrongZoneState")
    })))

  it.live("refuse what prctl refuses, and stay as they are", () =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host()
      yield* on.running("web", ...capped)
      const before = (yield* on.run(Prctl.list(web))).stdout
      const rows: ReadonlyArray<readonly [string, number, string]> = [
        ["-n zone.cpu-cap -s -t privileged -v 150 -i zone web", 1, "resource control already exists"],
        ["-n zone.max-lwps -r -t privileged -v 150 -i zone web", 1, "no matching resource control to replace"],
        ["-n zone.max-lwps -x -t privileged -i zone web", 1, "no matching resource control found for deletion"],
        ["-n zone.cpu-shares -s -t privileged -v 65536 -i zone web", 2, "exceeds system limit for resource control: zone.cpu-shares"],
        ["-n zone.cpu-shares -s -t privileged -v 5 -e deny -i zone web", 2, "global flag 'no-deny'"],
        ["-n zone.cpu-cap -s -v 5 -i zone web", 2, "-p pid required"],
        ["-n zone.cpu-cap -s -t basic -v 5 -i zone web", 2, "basic values not allowed on rctl zone.cpu-cap"],
        ["-n zone.cpu-cap -s -t privileged -v 5B -i zone web", 2, "invalid -v value 5B"],
        ["-n zone.cpu-cap -r -i zone web", 2, "option -r requires use of option -v"],
        ["-r -v 5 -i zone web", 2, "-n is required"],
        ["-n zone.bogus -r -v 5 -i zone web", 2, "failed to get resource control for zone.bogus: Invalid argument"],
        ["-P -n zone.bogus -i zone web", 1, "failed to get resource control"],
        ["-P -i zone nope", 1, "prctl: zone: nope: No controllable process found in task, project, or zone."],
        ["-P -i planet web", 2, "unknown idtype planet"],
        ["-P -i zone", 2, "no arguments specified"]
      ]
      for (const [text, exitCode, message] of rows) {
        const result = yield* on.run({ program: "/usr/bin/prctl", args: text.split(" ") })
        assert.strictEqual(result.exitCode, exitCode, text)
        assert.include(result.stderr, message)
      }
      assert.strictEqual((yield* on.run(Prctl.list(web))).stdout, before)
      const human = yield* on.run({ program: "/usr/bin/prctl", args: ["-n", "zone.max-swap", "-i", "zone", "web"] })
      assert.match(human.stdout, /^zone: \d+: web\nNAME {4}PRIVILEGE {7}VALUE {4}FLAG {3}ACTION/)
      assert.match(human.stdout, /privileged {6,}512MB/)
    })))

  it.live("are logged where rctladm says so", () =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host({ dialect: "gate" })
      const read = Effect.map(on.run(Rctladm.list()), ({ stdout }) => Rctladm.parse(stdout))
      assert.isFalse((yield* read).some(({ name }) => name === "zone.max-physical-memory"))
      assert.strictEqual((yield* on.run(Rctladm.enableSyslog("zone.max-swap", "warning"))).exitCode, 0)
      assert.strictEqual((yield* read).find(({ name }) => name === "zone.max-swap")?.syslog, "warning")
      yield* on.run(Rctladm.disableSyslog("zone.max-swap"))
      assert.strictEqual((yield* read).find(({ name }) => name === "zone.max-swap")?.syslog, "off")
      assert.include((yield* on.run(Rctladm.enableSyslog("zone.cpu-cap"))).stderr, "action not valid for zone.cpu-cap")
      assert.include((yield* on.run(Rctladm.list("zone.nope"))).stderr, "unknown resource control: zone.nope")
    })))
})

describe("accounting of a simulated host", () => {
  it.live("is told alike by all tools", () =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host()
      yield* on.running("web", ...capped)
      const summary = Swap.parseSummary((yield* on.run(Swap.summary)).stdout)
      assert.isAbove(summary?.available ?? 0, 0)
      assert.strictEqual(Swap.parseDevices((yield* on.run(Swap.devices)).stdout)[0]?.path, "/dev/zvol/dsk/rpool/swap")
      assert.deepStrictEqual(Prstat.parseZones((yield* on.run(Prstat.zones)).stdout).map(({ zone }) => zone), ["global", "web"])
      const report = Zonestat.parse((yield* on.run(Zonestat.measure(1))).stdout)
      assert.strictEqual(report.resources?.cpus, 4)
      assert.deepStrictEqual(report.usage.map(({ zone }) => zone), ["[total]", "[system]", "global", "web"])
      yield* on.expectOk("svcadm disable -s zones-monitoring")
      assert.strictEqual((yield* on.run(Zonestat.measure(1))).exitCode, 1)
      const times = yield* Kstat.run(on, Kstat.read({ module: "zones", statistic: "/^(crtime|snaptime)$/" }))
      assert.isTrue(times.length === 2 && times.every(({ value }) => (Kstat.secondsOf(value) ?? -1) >= 0))
      assert.deepStrictEqual(yield* Kstat.run(on, Kstat.read({ module: "nothing" })), [])
      assert.strictEqual((yield* on.run({ program: "/usr/sbin/swap", args: [] })).exitCode, 1)
    })))

  it.live("says what the host can do", () =>
    Effect.scoped(Effect.gen(function*() {
      const capable = yield* host({ brands: ["lx", "bhyve", "sparse"] })
      const read = (on: typeof capable) => Effect.provide(HostCapabilities.read, on.layer)
      const capabilities = yield* read(capable)
      assert.deepStrictEqual(HostCapabilities.usableBrands(capabilities), ["bhyve", "lx", "sparse"])
      assert.strictEqual(capabilities.zonecfgDialect, "omnios")
      assert.strictEqual(capabilities.zoneListFields, 8)
      assert.isTrue(capabilities.smfZoneOption)
      const poor = yield* host({ brands: ["lx", "bhyve"], virtualization: "none", dialect: "gate" })
      const less = yield* read(poor)
      assert.deepStrictEqual(HostCapabilities.usableBrands(less), ["lx"])
      assert.strictEqual(less.physicalMemoryCap, "rcapd")
      assert.deepStrictEqual((yield* Pkg.installed(poor, "system/zones/brand/*"))?.map(({ name }) => name), ["system/zones/brand/bhyve", "system/zones/brand/lx"])
      assert.deepStrictEqual(yield* Pkg.installed(poor, "nothing"), [])
      assert.strictEqual((yield* poor.run(CommandLine.make("/usr/sbin/dispadmin", "-d", "TS"))).exitCode, 0)
      assert.strictEqual((yield* poor.run(CommandLine.make("/usr/sbin/dispadmin", "-d"))).stdout, "TS\t(Time Sharing)\n")
    })))
})
