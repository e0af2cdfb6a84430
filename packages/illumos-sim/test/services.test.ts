import { assert, describe, it } from "@effect/vitest"
import { Fmri, HostError, Smf, SmfManifest, Svcs, ZoneName } from "@reddwarf/runtime-illumos"
import { Effect, Either } from "effect"
import { Faults } from "../src/index.js"
import { type Host, host } from "./support.js"

const service = Fmri.ServiceName.make("application/example/server")
const fmri = Fmri.of(service)

const manifest: SmfManifest.Manifest = {
  service,
  enabled: false,
  duration: "child",
  ignoreError: ["core", "signal"],
  dependencies: [{ name: "network", grouping: "require_all", restartOn: "error", on: ["svc:/milestone/network:default"] }],
  context: { workingDirectory: "/var/lib/example", credential: { user: "example", privileges: "basic,net_privaddr" }, environment: { GREETING: "a \"b\" & <c>" } },
  methods: [
    { name: "start", exec: "/usr/lib/example/bin/server --config %{config/file}", timeoutSeconds: 60 },
    { name: "stop", exec: ":kill", timeoutSeconds: 60 }
  ],
  propertyGroups: [{
    name: "config",
    type: "application",
    properties: [
      { name: "file", type: "astring", value: "/etc/example/server json" },
      { name: "peers", type: "astring", value: ["one; two", "", "it's \\ \"three\"\nlines"] },
      { name: "limit", type: "count", value: "18446744073709551615" }
    ]
  }],
  commonName: "Example server"
}

const smfOf = (on: Host, zone?: string) => Smf.make(on, zone === undefined ? Smf.global : Smf.inZone(ZoneName.make(zone)))

describe("services of a simulated host", () => {
  it.live("imports a manifest once, and again when it says something else", () =>
    Effect.scoped(Effect.gen(function*() {
      const smf = smfOf(yield* host())
      assert.isUndefined(yield* smf.find(fmri))
      assert.strictEqual(yield* smf.ensureImported(manifest), "imported")
      assert.strictEqual(yield* smf.ensureImported(manifest), "unchanged")
      assert.deepStrictEqual(yield* smf.find(fmri), { fmri, state: "disabled" })
      assert.deepStrictEqual(yield* smf.property(fmri, "config", "peers"), ["one; two", "", "it's \\ \"three\"\nlines"])
      assert.deepStrictEqual(yield* smf.property(fmri, "config", "limit"), ["18446744073709551615"])
      assert.isUndefined(yield* smf.property(fmri, "config", "absent"))
      assert.isUndefined(yield* smf.property(fmri, "absent", "absent"))
      assert.strictEqual(yield* smf.ensureImported({ ...manifest, commonName: "Another" }), "imported")
    })))

  it.live("keeps what an administrator changed when a newer manifest comes", () =>
    Effect.scoped(Effect.gen(function*() {
      const smf = smfOf(yield* host())
      yield* smf.ensureImported(manifest)
      yield* smf.setProperty(fmri, "config/file", "astring", "/mine \"here\"")
      yield* smf.enable(fmri)
      const newer: SmfManifest.Manifest = {
        ...manifest,
        propertyGroups: [{ name: "config", type: "application", properties: [{ name: "file", type: "astring", value: "/theirs" }, { name: "limit", type: "count", value: "7" }] }]
      }
      yield* smf.ensureImported(newer)
      assert.deepStrictEqual(yield* smf.property(fmri, "config", "file"), ["/mine \"here\""])
      assert.deepStrictEqual(yield* smf.property(fmri, "config", "limit"), ["7"])
      assert.isUndefined(yield* smf.property(fmri, "config", "peers"))
      assert.strictEqual((yield* smf.find(fmri))?.state, "online")
    })))

  it.live("switches, restarts, marks, clears and removes", () =>
    Effect.scoped(Effect.gen(function*() {
      const smf = smfOf(yield* host())
      yield* smf.ensureImported(manifest)
      yield* smf.enable(fmri)
      const online = yield* smf.find(fmri)
      assert.strictEqual(online?.state, "online")
      assert.isNumber(online?.contract)
      yield* smf.restart(fmri)
      assert.notStrictEqual((yield* smf.find(fmri))?.contract, online?.contract)
      yield* smf.mark(fmri, "degraded")
      assert.strictEqual((yield* smf.find(fmri))?.state, "degraded")
      yield* smf.clear(fmri)
      yield* smf.mark(fmri, "maintenance")
      assert.strictEqual((yield* Effect.flip(smf.enable(fmri)))._tag, "ServiceInMaintenance")
      yield* smf.clear(fmri)
      assert.strictEqual(yield* smf.waitFor(fmri, ["online"]), "online")
      assert.strictEqual((yield* Effect.flip(smf.clear(fmri)))._tag, "WrongServiceState")
      yield* smf.ensureRemoved(fmri)
      yield* smf.ensureRemoved(fmri)
      assert.isUndefined(yield* smf.find(fmri))
      assert.strictEqual((yield* Effect.flip(smf.enable(fmri)))._tag, "ServiceNotFound")
    })))

  it.live("goes into maintenance when the start method says so, or fails three times", () =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host()
      const smf = smfOf(on)
      yield* smf.ensureImported(manifest)
      yield* on.inject(Faults.serviceFails({ service: fmri, exitCode: 1, times: 2 }))
      yield* smf.enable(fmri)
      yield* smf.disable(fmri)
      yield* on.inject(Faults.serviceFails({ service: fmri, exitCode: 96 }))
      assert.strictEqual((yield* Effect.flip(smf.enable(fmri)))._tag, "ServiceInMaintenance")
      const [why] = Svcs.parseExplanations((yield* on.run(Svcs.explain(fmri))).stdout)
      assert.include(why?.reason ?? "", "$SMF_EXIT_ERR_CONFIG")
      assert.strictEqual(why?.log, Fmri.logPath(fmri))
      yield* on.inject(Faults.serviceFails({ service: fmri, exitCode: 1, times: 3 }))
      yield* smf.clear(fmri)
      assert.strictEqual(yield* smf.waitFor(fmri, ["maintenance"]), "maintenance")
    })))

  it.live("says what is missing, and stops what needs it", () =>
    Effect.scoped(Effect.gen(function*() {
      const smf = smfOf(yield* host())
      const needy: SmfManifest.Manifest = {
        ...manifest,
        dependencies: [
          { name: "filter", grouping: "require_all", restartOn: "restart", on: ["svc:/network/ipfilter:default"] },
          { name: "extra", grouping: "optional_all", restartOn: "none", on: ["svc:/application/absent", "svc:/system/rcap"] },
          { name: "not-this", grouping: "exclude_all", restartOn: "none", on: ["svc:/system/scheduler"] }
        ]
      }
      const filter = Fmri.make("svc:/network/ipfilter:default")
      yield* smf.ensureImported(needy)
      assert.strictEqual((yield* Effect.flip(smf.enable(fmri)))._tag, "ServiceDependencyUnmet")
      yield* smf.enable(filter)
      assert.strictEqual(yield* smf.waitFor(fmri, ["online"]), "online")
      yield* smf.disable(filter)
      assert.strictEqual(yield* smf.waitFor(fmri, ["offline"]), "offline")
    })))

  it.live("takes its time, and waiting for it ends", () =>
    Effect.scoped(Effect.gen(function*() {
      const slow = smfOf(yield* host({ serviceDelay: "1 hour" }))
      yield* slow.ensureImported(manifest)
      const stuck = yield* Effect.flip(slow.enable(fmri, { timeout: "50 millis" }))
      assert.strictEqual(stuck._tag, "ServiceStuck")
      assert.include(stuck.message, "offline to online")
      const brisk = smfOf(yield* host({ serviceDelay: "30 millis" }))
      yield* brisk.ensureImported(manifest)
      yield* brisk.enable(fmri)
      assert.strictEqual((yield* brisk.find(fmri))?.state, "online")
    })))

  it.live("has a repository in each native zone, and none elsewhere", () =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host()
      yield* on.running("web")
      const [inside, outside] = [smfOf(on, "web"), smfOf(on)]
      yield* inside.ensureImported(manifest)
      yield* inside.enable(fmri)
      assert.isUndefined(yield* outside.find(fmri))
      const ready = yield* inside.find(Fmri.make("svc:/milestone/single-user:default"))
      assert.strictEqual(ready?.state, "online")
      yield* on.expectOk("zoneadm -z web reboot")
      assert.strictEqual((yield* inside.find(fmri))?.state, "online")
      yield* on.expectOk("zoneadm -z web halt")
      const refused = yield* Effect.flip(inside.find(fmri))
      assert.instanceOf(refused, HostError.HostCommandFailed)
      assert.include(refused.message, "repository server unavailable")
      assert.include((yield* Effect.flip(smfOf(on, "nope").list)).message, "invalid zone 'nope'")
      assert.isTrue(yield* Smf.probeZoneOption(on))
    })))

  it.live("forgets temporary choices and keeps the others over a boot of the host", () =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host()
      const smf = smfOf(on)
      const [ntp, cron] = [Fmri.make("svc:/network/ntp:default"), Fmri.make("svc:/system/cron:default")]
      yield* smf.disable(ntp, { temporary: true })
      yield* smf.disable(cron)
      assert.strictEqual((yield* smf.find(ntp))?.state, "disabled")
      yield* on.rebootHost
      assert.strictEqual((yield* smf.find(ntp))?.state, "online")
      assert.strictEqual((yield* smf.find(cron))?.state, "disabled")
      yield* smf.enable(cron)
    })))

  it.live("keeps nothing in the state file for services as they were delivered", () =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host()
      yield* on.run(Svcs.list)
      assert.isUndefined((yield* on.state).services)
    })))

  const xml = Either.getOrThrow(SmfManifest.render(manifest)).xml
  it.live.each([
    ["a file that is not there", undefined, "failed to load external entity"],
    ["no XML", "services", "couldn't parse document"],
    ["an element that is not closed", xml.replace("</service_bundle>", ""), "couldn't parse document"],
    ["no document type", xml.replace(/<!DOCTYPE[^>]*>\n/, ""), "no DTD found"],
    ["a wrong order", xml.replace(/ {4}<stability[^>]*>\n/, "").replace("<single_instance/>", "<single_instance/><stability value=\"Unstable\"/>"), "does not follow the DTD"],
    ["an unknown attribute", xml.replace("type=\"service\" version", "kind=\"service\" version"), "No declaration for attribute kind"],
    ["a missing attribute", xml.replace(" timeout_seconds=\"60\"", ""), "does not carry attribute timeout_seconds"],
    ["an unknown grouping", xml.replace("require_all", "require_most"), "not among the enumerated set"],
    ["a value of another type", xml.replace("18446744073709551615", "many"), "Illegal value \"many\" for type count"]
  ] as const)("refuses %s", ([, text, message]) =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host()
      const path = text === undefined ? "/none.xml" : yield* on.tempFile("m.xml", text)
      for (const command of ["validate", "import"]) {
        const result = yield* on.command("svccfg", command, path)
        assert.strictEqual(result.exitCode, 1, command)
        assert.include(result.stderr, message)
        assert.strictEqual(result.stdout, "")
      }
      assert.strictEqual((yield* on.run(Svcs.status(fmri))).exitCode, 1)
    })))

  it.live("answers abbreviations, patterns, columns and wrong uses as the tools do", () =>
    Effect.scoped(Effect.gen(function*() {
      const on = yield* host()
      const svcs = (text: string) => on.run({ program: "/usr/bin/svcs", args: text.split(" ").filter((word) => word !== "") })
      assert.strictEqual((yield* svcs("-H -o state,nstate,fmri milestone/multi-user-server")).stdout, "online         -              svc:/milestone/multi-user-server:default\n")
      assert.strictEqual((yield* svcs("-H -o fmri ntp:default")).stdout, "svc:/network/ntp:default\n")
      assert.deepStrictEqual((yield* svcs("-H -o svc milestone/*user")).stdout.trim().split(/\s+/), ["milestone/multi-user", "milestone/single-user"])
      assert.strictEqual((yield* svcs("nope")).stderr, "svcs: Pattern 'nope' doesn't match any instances\n")
      assert.strictEqual((yield* svcs("-o bogus")).exitCode, 2)
      assert.strictEqual((yield* svcs("-L cron")).stdout, "/var/svc/log/system-cron:default.log\n")
      assert.match((yield* svcs("-d multi-user-server")).stdout, /svc:\/milestone\/multi-user:default/)
      assert.match((yield* svcs("-D milestone/multi-user")).stdout, /svc:\/milestone\/multi-user-server:default/)
      assert.notMatch((yield* svcs("")).stdout, /network\/ipfilter/)
      assert.match((yield* svcs("-a")).stdout, /disabled +\S+ +svc:\/network\/ipfilter:default/)
      assert.strictEqual((yield* on.sh("svcadm enable default")).exitCode, 1)
      assert.strictEqual((yield* on.sh("svcadm bogus x")).exitCode, 2)
      assert.strictEqual((yield* on.sh("svcadm mark bogus ntp")).exitCode, 2)
      assert.strictEqual((yield* on.sh("svcadm clear ntp")).stderr, "svcadm: Instance \"svc:/network/ntp:default\" is not in a maintenance or degraded state.\n")
      assert.strictEqual((yield* on.sh("svccfg delete nope")).stderr, "svccfg: Pattern 'nope' doesn't match any instances or services\n")
      const svcprop = yield* on.run({ program: "/usr/bin/svcprop", args: ["-p", "restarter/state", "ntp"] })
      assert.strictEqual(svcprop.stdout, "online\n")
    })))
})
