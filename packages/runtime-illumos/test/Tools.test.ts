import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck as fc } from "effect"
import type * as CommandLine from "../src/CommandLine.js"
import * as CommandRunner from "../src/CommandRunner.js"
import * as Dladm from "../src/Dladm.js"
import * as HostInfo from "../src/HostInfo.js"
import * as Ipadm from "../src/Ipadm.js"
import * as LinkName from "../src/LinkName.js"
import * as ZoneAdm from "../src/ZoneAdm.js"
import * as ZoneCfg from "../src/ZoneCfg.js"
import * as ZoneConfig from "../src/ZoneConfig.js"
import * as ZoneName from "../src/ZoneName.js"
import { splitEscaped } from "../src/internal/parsable.js"

const zone = ZoneName.make("web-1")
const failure = (stderr: string, exitCode = 1) => CommandRunner.result({ exitCode, stderr })

describe("zoneadm", () => {
  it("reads lists with seven and eight fields", () => {
    assert.deepStrictEqual(
      ZoneAdm.parseEntry("3:web-1:running:/zones/a\\:b\\c:0f4ac1d2-1f2c-4e0a-9d0e-0b5f3f7b0a11:lipkg:excl"),
      {
        name: "web-1",
        state: "running",
        zonepath: "/zones/a:b\\c",
        uuid: "0f4ac1d2-1f2c-4e0a-9d0e-0b5f3f7b0a11",
        brand: "lipkg",
        ipType: "excl",
        id: 3,
        fields: 7
      }
    )
    assert.deepStrictEqual(ZoneAdm.parseEntry("-:new-1:configured:/zones/new-1::lx:excl:17"), {
      name: "new-1",
      state: "configured",
      zonepath: "/zones/new-1",
      brand: "lx",
      ipType: "excl",
      fields: 8
    })
  })

  it("takes an unknown state for a passing one and refuses short lines", () => {
    assert.strictEqual(ZoneAdm.parseEntry("-:a:unmounting:/z/a::lx:excl")?.state, "transient")
    assert.isUndefined(ZoneAdm.parseEntry("-:a:running:/z/a"))
  })

  it.each([
    ["zoneadm: web-1: No such zone configured", "ZoneNotFound"],
    ["zoneadm: zone 'web-1': another zoneadm may have an operation in progress.", "ZoneLocked"],
    ["zoneadm: zone 'web-1': only a privileged user may install a zone.", "HostPermissionDenied"],
    ["zoneadm: zone 'web-1': must be in the global zone to boot a zone.", "HostPermissionDenied"],
    ["zoneadm: zone 'web-1': is already installed.", "WrongZoneState"],
    ["zoneadm: zone 'web-1': zone is incomplete; uninstall required.", "ZoneIncomplete"],
    ["zoneadm: zone 'web-1': uninstall operation is invalid for shutting_down zones.", "WrongZoneState"],
    ["zoneadm: zone 'web-1': must be installed before boot.", "WrongZoneState"],
    ["zoneadm: zone 'web-1': is already in state 'configured'.", "WrongZoneState"],
    ["zoneadm: zone 'web-1': not running", "WrongZoneState"],
    ["zone 'web-1': halt operation is invalid for zones in state 'incomplete'", "ZoneIncomplete"],
    ["zone 'web-1': cannot manage a zone which is in state 'configured'\nzone 'web-1': could not start zoneadmd", "WrongZoneState"],
    ["zone 'web-1': shutdown already in progress", "WrongZoneState"],
    ["zoneadm: zone web-0 is running; installed is required.", "WrongZoneState"],
    ["zoneadm: zone 'web-1': missing or invalid brand", "BrandMissing"],
    ["could not verify fs /a: could not access /b: No such file or directory\nzoneadm: zone web-1 failed to verify", "ZoneResourceMissing"],
    ["zone 'web-1': failed to add network device: Invalid argument\nzoneadm: zone 'web-1': call to zoneadmd failed", "ZoneBootFailed"]
  ])("understands %s", (stderr, tag) => {
    const error = ZoneAdm.classify("boot zone", zone, failure(stderr))
    assert.strictEqual(error._tag, tag)
    assert.match(error.message, /^boot zone web-1: .+; .+/)
  })

  it.effect("does not pass installer arguments on that a shell would interpret", () =>
    Effect.gen(function*() {
      const runner = yield* CommandRunner.CommandRunner
      const error = yield* Effect.flip(ZoneAdm.make(runner).install(zone, ["-s", "/a b; reboot"]))
      assert.include(error.message, "shell would interpret")
    }).pipe(Effect.provide(CommandRunner.layerTest(() => CommandRunner.result()))))
})

describe("zonecfg", () => {
  const config = ZoneConfig.make("/zones/web-1", "lx")

  it.effect("applies a script from a file that is gone afterwards", () => {
    const journal: Array<CommandLine.CommandLine> = []
    const scripts: Array<string | undefined> = []
    return Effect.gen(function*() {
      yield* ZoneCfg.make(yield* CommandRunner.CommandRunner).create(zone, config)
      assert.deepStrictEqual(journal.map((line) => line.args.slice(0, 3)), [["-z", "web-1", "-f"]])
      assert.include(scripts[0], "verify\ncommit\n")
    }).pipe(Effect.provide(CommandRunner.layerTest((line, files) => {
      scripts.push(files.get(line.args[3] ?? ""))
      return CommandRunner.result()
    }, journal)))
  })

  it.effect("takes text on standard error for a failure although the exit code is 0, and leaves nothing behind", () => {
    const journal: Array<CommandLine.CommandLine> = []
    return Effect.gen(function*() {
      const zonecfg = ZoneCfg.make(yield* CommandRunner.CommandRunner)
      const error = yield* Effect.flip(zonecfg.create(zone, config))
      assert.strictEqual(error._tag, "ZoneConfigRejected")
      assert.deepStrictEqual(journal.at(-1)?.args, ["-z", "web-1", "delete", "-F"])
    }).pipe(Effect.provide(CommandRunner.layerTest((line) =>
      line.args.includes("-f")
        ? CommandRunner.result({ stderr: "On line 9 of /tmp/x:\n'zone.foo' is not a valid zone rctl name.\n" })
        : CommandRunner.result(), journal)))
  })

  it.effect("does not delete a zone that was there before", () => {
    const journal: Array<CommandLine.CommandLine> = []
    return Effect.gen(function*() {
      const zonecfg = ZoneCfg.make(yield* CommandRunner.CommandRunner)
      const error = yield* Effect.flip(zonecfg.create(zone, config))
      assert.strictEqual(error._tag, "ZoneAlreadyExists")
      assert.strictEqual(journal.length, 1)
    }).pipe(Effect.provide(CommandRunner.layerTest(
      () => CommandRunner.result({ stderr: "Zone web-1 already installed; create not allowed.\n" }),
      journal
    )))
  })
})

describe("dladm and ipadm", () => {
  it.prop("undoes the escaping of parsable output", [fc.array(fc.string(), { minLength: 1, maxLength: 5 })], ([fields]) => {
    const line = fields.map((field) => field.replaceAll("\\", "\\\\").replaceAll(":", "\\:")).join(":")
    assert.deepStrictEqual(splitEscaped(line), fields)
  })

  it("reads VNICs, links and addresses", () => {
    assert.deepStrictEqual(Dladm.parseVnic("k8sgw0:k8sstub0:2\\:8\\:20\\:5f\\:1c\\:9:0"), {
      link: "k8sgw0",
      over: "k8sstub0",
      mac: "02:08:20:5f:1c:09",
      vid: 0
    })
    assert.deepStrictEqual(Dladm.parseLink("net0:phys:1500:up:"), {
      link: "net0",
      linkClass: "phys",
      mtu: 1500,
      state: "up",
      over: ""
    })
    assert.deepStrictEqual(Ipadm.parseAddress("lo0/v6:static:ok:\\:\\:1/128"), {
      object: "lo0/v6",
      type: "static",
      state: "ok",
      address: "::1/128"
    })
  })

  it.each([
    ["dladm: vnic creation over net0 failed: object already exists", "LinkExists"],
    ["dladm: vnic creation over net0 failed: MAC address is already in use", "AddressInUse"],
    ["dladm: vnic deletion failed: link busy", "LinkBusy"],
    ["dladm: invalid link name 'net9'", "LinkNotFound"],
    ["dladm: invalid vnic name 'a0': object not found", "LinkNotFound"],
    ["dladm: vnic deletion failed: permission denied", "HostPermissionDenied"],
    ["dladm: 'a0' is not a vnic", "LinkMismatch"]
  ])("understands %s", (stderr, tag) => {
    assert.strictEqual(Dladm.classify("delete VNIC", "a0", failure(stderr))._tag, tag)
  })

  it.each([
    ["ipadm: Could not create address: Address object already exists", "AddressExists"],
    ["ipadm: Could not create address: Address already in use", "AddressInUse"],
    ["ipadm: Could not create a0 : Interface already exists", "LinkExists"],
    ["ipadm: Could not create a0 : Datalink does not exist", "LinkNotFound"],
    ["ipadm: Could not delete a0: Interface does not exist", "LinkNotFound"],
    ["ipadm: could not delete address: Object not found", "AddressNotFound"],
    ["ipadm: Could not create address: Permission denied", "HostPermissionDenied"]
  ])("understands %s", (stderr, tag) => {
    assert.strictEqual(Ipadm.classify("create address", "a0/v4", failure(stderr))._tag, tag)
  })

  it("puts options before operands, and properties in a stable order", () => {
    assert.deepStrictEqual(
      Dladm.createVnic({
        name: LinkName.make("a0"),
        over: LinkName.make("stub0"),
        mac: "02:08:20:00:00:01",
        properties: { mtu: "1500", maxbw: "10" }
      }).args,
      ["create-vnic", "-t", "-l", "stub0", "-m", "02:08:20:00:00:01", "-p", "maxbw=10,mtu=1500", "a0"]
    )
    assert.isTrue(Either.isRight(Either.try(() => Ipadm.addressObject(LinkName.make("a0"), "v4"))))
  })
})

describe("HostInfo", () => {
  const answers = (overrides: Readonly<Record<string, CommandRunner.CommandResult>>) =>
    CommandRunner.layerTest((line) => {
      const key = [line.program.slice(line.program.lastIndexOf("/") + 1), ...line.args].join(" ")
      const texts: Record<string, string> = {
        "psrinfo": "0\ton-line   since 11/20/2026 10:00:00\n1\ton-line   since 11/20/2026 10:00:00\n2\toff-line  since 11/20/2026 10:00:00\n",
        "prtconf -m": "16384\n",
        "uname -r": "5.11\n",
        "uname -v": "omnios-r151054-b3f1c2d\n",
        "uname -m": "i86pc\n",
        "ls -1 /usr/lib/brand": "bhyve\njcommon\nlipkg\nlx\nshared\n",
        "zonecfg help": "usage...\n\tnet\tset global-nic=<link>\n",
        "zoneadm list -cp": "0:global:running:/::ipkg:shared:0\n"
      }
      return overrides[key] ?? CommandRunner.result({ stdout: texts[key] ?? "", exitCode: key in texts ? 0 : 1 })
    })

  it.effect("reads capacity, release, brands and dialect", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* HostInfo.read, {
        cpus: 2,
        memoryBytes: 16 * 1024 ** 3,
        osRelease: "5.11",
        kernelVersion: "omnios-r151054-b3f1c2d",
        machine: "i86pc",
        distribution: "OmniOS",
        brands: ["bhyve", "lipkg", "lx"],
        netExtras: true,
        zoneListFields: 8
      })
    }).pipe(Effect.provide(answers({}))))

  it.effect("refuses a number it cannot read", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(HostInfo.read)
      assert.strictEqual(error._tag, "UnreadableOutput")
      assert.include(error.message, "prtconf -m")
    }).pipe(Effect.provide(answers({ "prtconf -m": CommandRunner.result({ stdout: "Memory size: unknown" }) }))))
})
