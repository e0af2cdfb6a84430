import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck as fc } from "effect"
import * as CommandLine from "../src/CommandLine.js"
import * as CommandRunner from "../src/CommandRunner.js"
import * as Fmri from "../src/Fmri.js"
import * as Smf from "../src/Smf.js"
import * as SmfManifest from "../src/SmfManifest.js"
import * as Svcadm from "../src/Svcadm.js"
import * as Svccfg from "../src/Svccfg.js"
import * as Svcprop from "../src/Svcprop.js"
import * as Svcs from "../src/Svcs.js"
import * as ZoneName from "../src/ZoneName.js"

const service = Fmri.ServiceName.make("application/example/server")
const fmri = Fmri.of(service)
const failure = (stderr: string, exitCode = 1) => CommandRunner.result({ exitCode, stderr })

const manifest: SmfManifest.Manifest = {
  service,
  name: "example-controlplane",
  enabled: false,
  duration: "child",
  ignoreError: ["core", "signal"],
  dependencies: [
    { name: "network", grouping: "require_all", restartOn: "error", on: ["svc:/milestone/network:default"] },
    { name: "settings", grouping: "require_all", restartOn: "none", type: "path", on: ["file://localhost/etc/example.json"] }
  ],
  dependents: [{ name: "example", grouping: "optional_all", restartOn: "none", fmri: "svc:/milestone/multi-user-server" }],
  context: {
    workingDirectory: "/var/lib/example",
    credential: { user: "example", group: "example", privileges: "basic,net_privaddr" },
    environment: { PATH: "/usr/lib/example/bin:/usr/bin:/usr/sbin", GREETING: "\"hello\" & <good\nbye>\t" }
  },
  methods: [
    { name: "start", exec: "/usr/lib/example/bin/server --config %{config/file} --share 50%%", timeoutSeconds: 60 },
    { name: "stop", exec: ":kill -TERM", timeoutSeconds: 60 },
    { name: "refresh", exec: ":kill -HUP", timeoutSeconds: 30, context: { environment: { QUIET: "1" } } }
  ],
  propertyGroups: [{
    name: "config",
    type: "application",
    properties: [
      { name: "file", type: "astring", value: "/etc/example/server.json" },
      { name: "ports", type: "count", value: ["80", "443"] },
      { name: "none", type: "astring", value: [] }
    ]
  }],
  commonName: "Example control plane <server>",
  description: "Answers."
}

describe("SmfManifest", () => {
  it("writes elements in the order of the DTD, with values escaped and its own digest", async ({ expect }) => {
    const { digest, fmri: instance, xml } = Either.getOrThrow(SmfManifest.render(manifest))
    assert.match(digest, /^[0-9a-f]{64}$/)
    assert.strictEqual(instance, "svc:/application/example/server:default")
    await expect(xml).toMatchFileSnapshot("./manifests/example.xml")
  })

  it("has the same digest for the same manifest, and another for every change", () => {
    const digestOf = (changed: Partial<SmfManifest.Manifest>) => Either.getOrThrow(SmfManifest.render({ ...manifest, ...changed })).digest
    assert.strictEqual(digestOf({}), digestOf({}))
    const others = [{ enabled: true }, { duration: "contract" as const }, { commonName: "x" }, { methods: manifest.methods.slice(0, 2) }, { version: 2 }].map(digestOf)
    assert.strictEqual(new Set([digestOf({}), ...others]).size, 6)
  })

  it.each([
    ["a control character", { commonName: "a\u0001" }, "XML cannot hold"],
    ["half a surrogate pair", { description: "\ud800" }, "XML cannot hold"],
    ["no stop method", { methods: manifest.methods.slice(0, 1) }, "method stop is missing"],
    ["an unknown special method", { methods: [{ name: "start", exec: ":run", timeoutSeconds: 1 }, ...manifest.methods.slice(1)] }, "neither :true nor :kill"],
    ["a lone percent sign", { methods: [{ name: "start", exec: "/a 50%", timeoutSeconds: 1 }, ...manifest.methods.slice(1)] }, "must be written %%"],
    ["a negative limit", { methods: [{ name: "start", exec: "/a", timeoutSeconds: -1 }, ...manifest.methods.slice(1)] }, "not a number of seconds"],
    ["a name used twice", { dependencies: [...(manifest.dependencies ?? []), { name: "config", grouping: "require_all", restartOn: "none", on: ["svc:/a:b"] }] }, "config is there twice"],
    ["a dependency on nothing", { dependencies: [{ name: "x", grouping: "require_all", restartOn: "none", on: [] }] }, "names nothing"],
    ["a dependency on no FMRI", { dependencies: [{ name: "x", grouping: "require_all", restartOn: "none", on: ["network"] }] }, "no service FMRI"],
    ["a relative working directory", { context: { workingDirectory: "var" } }, "not absolute"],
    ["a bad variable", { context: { environment: { "A-B": "" } } }, "not the name of a variable"],
    ["a bad value", { propertyGroups: [{ name: "config", type: "application", properties: [{ name: "n", type: "count", value: "-1" }] }] }, "no value of type count"],
    ["a group of the restarter", { propertyGroups: [{ name: "startd", type: "framework", properties: [] }] }, "written from duration"],
    ["a group of the digest", { propertyGroups: [{ name: "manifest", type: "application", properties: [] }] }, "belongs to the digest"]
  ] as ReadonlyArray<readonly [string, Partial<SmfManifest.Manifest>, string]>)("refuses %s", (_what, changed, message) => {
    const refused = Either.flip(SmfManifest.render({ ...manifest, ...changed })).pipe(Either.getOrThrow)
    assert.strictEqual(refused._tag, "ManifestRejected")
    assert.include(refused.message, message)
  })
})

describe("builders", () => {
  const words = (line: CommandLine.CommandLine) => CommandLine.format(line)
  it("put options before operands, and quote values for the lexer of svccfg", () => {
    assert.strictEqual(words(Svcadm.enable(fmri, { recursive: true, synchronous: true, temporary: true })), `/usr/sbin/svcadm enable -r -s -t ${fmri}`)
    assert.strictEqual(words(Svcadm.disable(fmri, { comment: "out of service" })), `/usr/sbin/svcadm disable -c 'out of service' ${fmri}`)
    assert.strictEqual(words(Svcadm.mark(fmri, "maintenance", { immediate: true, temporary: true })), `/usr/sbin/svcadm mark -I -t maintenance ${fmri}`)
    assert.strictEqual(words(Svcs.inZone("web", Svcs.list)), "/usr/bin/svcs -z web -aH -o state,nstate,ctid,fmri")
    assert.deepStrictEqual(Svccfg.setProperty(fmri, "config/file", "astring", "a \"b\" \\").args, ["-s", fmri, "setprop", "config/file", "=", "astring:", "\"a \\\"b\\\" \\\\\""])
    assert.deepStrictEqual(Svccfg.setProperty(fmri, "config/ports", "count", ["1", "2"]).args.slice(-1), ["(\"1\" \"2\")"])
    assert.strictEqual(words(Svccfg.remove(fmri, true)), `/usr/sbin/svccfg delete -f ${fmri}`)
    assert.strictEqual(words(Svcprop.read(fmri, "a/b", "c")), `/usr/bin/svcprop -t -p a/b -p c ${fmri}`)
  })

  it("know the parts of a name", () => {
    assert.strictEqual(Fmri.serviceOf(fmri), service)
    assert.strictEqual(Fmri.instanceOf(fmri), "default")
    assert.strictEqual(Fmri.logPath(fmri), "/var/svc/log/application-example-server:default.log")
    for (const bad of ["svc:/a", "a:b", "svc:/:default", "svc:/a b:c", "svc:/-a:b", "svc:/a/../b:c d"]) assert.isFalse(Fmri.is(bad), bad)
  })
})

describe("parsers", () => {
  it("read the columns of svcs", () => {
    const text = `online         -                   71 svc:/network/ssh:default\noffline*       online              - ${fmri}\nlegacy_run     -                    - lrc:/etc/rc2_d/S20x\nbogus          - - svc:/a:b\n`
    assert.deepStrictEqual(Svcs.parse(text), [
      { fmri: "svc:/network/ssh:default", state: "online", contract: 71 },
      { fmri, state: "offline", next: "online" },
      { fmri: "lrc:/etc/rc2_d/S20x", state: "legacy_run" }
    ])
  })

  it("read what svcs -x says", () => {
    const text = `${fmri} (Example server)\n State: maintenance since Fri Nov 20 10:00:00 2026\nReason: Restarting too quickly.\n   See: http://illumos.org/msg/SMF-8000-L5\n   See: /var/svc/log/application-example-server:default.log\nImpact: This service is not running.\n`
    assert.deepStrictEqual(Svcs.parseExplanations(text), [{
      fmri,
      name: "Example server",
      state: "maintenance since Fri Nov 20 10:00:00 2026",
      reason: "Restarting too quickly.",
      log: "/var/svc/log/application-example-server:default.log",
      impact: "This service is not running."
    }])
  })

  it.prop("read back every value that svcprop quotes for a shell", { values: fc.array(fc.string()) }, ({ values }) => {
    // What a shell would read differently has a backslash before it.
    const quote = (value: string) => value === "" ? "\"\"" : value.replaceAll(/[;&()|^<>\n \t\\"'`]/g, "\\$&")
    const text = `config/list astring ${values.map(quote).join(" ")}\nrestarter/state astring online\n`
    assert.deepStrictEqual(Svcprop.parse(text), [
      { group: "config", name: "list", type: "astring", values },
      { group: "restarter", name: "state", type: "astring", values: ["online"] }
    ])
  })

  it("read properties of several services", () => {
    assert.deepStrictEqual(Svcprop.parse("svc:/a:b/:properties/config/file astring /x\n"), [{ group: "config", name: "file", type: "astring", values: ["/x"] }])
  })
})

describe("refusals", () => {
  it.each([
    [Svcadm.classify, "svcadm: Pattern 'x' doesn't match any instances", 1, "ServiceNotFound"],
    [Svcadm.classify, "svcadm: Pattern 'x' matches multiple instances:", 1, "ServiceNotFound"],
    [Svcadm.classify, "svcadm: Instance \"f\" is not in a maintenance or degraded state.", 1, "WrongServiceState"],
    [Svcadm.classify, "svcadm: Instance \"f\" is in maintenance state.", 3, "ServiceInMaintenance"],
    [Svcadm.classify, "svcadm: Instance \"f\" has been disabled by another entity.", 3, "WrongServiceState"],
    [Svcadm.classify, "svcadm: Instance \"f\" has unsatisfied dependencies.", 4, "ServiceDependencyUnmet"],
    [Svcadm.classify, "svcadm: Instance \"f\" is not online.", 1, "WrongServiceState"],
    [Svcadm.classify, "svcadm: f: Permission denied.", 1, "HostPermissionDenied"],
    [Svcadm.classify, "", 4, "ServiceDependencyUnmet"],
    [Svcadm.classify, "", 3, "ServiceInMaintenance"],
    [Svcadm.classify, "Usage: svcadm", 2, "HostCommandFailed"],
    [Svccfg.classify, "svccfg: couldn't parse document", 1, "ManifestRejected"],
    [Svccfg.classify, "svccfg: Document is not valid.", 1, "ManifestRejected"],
    [Svccfg.classify, "svccfg: Pattern 'x' doesn't match any instances or services", 1, "ServiceNotFound"],
    [Svccfg.classify, "svccfg: Permission denied.", 1, "HostPermissionDenied"],
    [Svcs.classify, "svcs: Pattern 'x' doesn't match any instances", 1, "ServiceNotFound"],
    [Svcs.classify, "svcs: invalid zone 'x'", 1, "HostCommandFailed"],
    [Svcprop.classify, "svcprop: Couldn't find property `a/b' for instance `f'.", 1, "ServicePropertyNotFound"],
    [Svcprop.classify, "svcprop: Couldn't find property group `a' for instance `f'.", 1, "ServicePropertyNotFound"],
    [Svcprop.classify, "svcprop: Pattern 'x' doesn't match any entities", 1, "ServiceNotFound"]
  ] as const)("%o understands %s", (classify, stderr, exitCode, tag) => {
    const error = classify("enable", fmri, failure(stderr, exitCode))
    assert.strictEqual(error._tag, tag)
    assert.match(error.message, /^enable svc:\S+: .+; .+/)
  })
})

describe("Smf", () => {
  const journal: Array<CommandLine.CommandLine> = []
  const scripted = CommandRunner.layerTest((line) => {
    const marker = /@@rc-\w+=/.exec(line.args.at(-1) ?? "")?.[0] ?? ""
    return CommandRunner.result({ stdout: `online - - ${fmri}\n`, stderr: marker === "" ? "" : `${marker}0\n` })
  }, journal)

  it.effect("looks into zones by the option of the tools, or from inside where they have none", () =>
    Effect.gen(function*() {
      const runner = yield* CommandRunner.CommandRunner
      const zone = ZoneName.make("web")
      assert.strictEqual((yield* Smf.make(runner, Smf.inZone(zone)).find(fmri))?.state, "online")
      assert.deepStrictEqual(journal.at(-1)?.args.slice(0, 2), ["-z", "web"])
      assert.strictEqual((yield* Smf.make(runner, Smf.inZone(zone, false)).find(fmri))?.state, "online")
      assert.strictEqual(journal.at(-1)?.program, "/usr/sbin/zlogin")
      assert.include(journal.at(-1)?.args.at(-1) ?? "", "'/usr/bin/svcs'")
    }).pipe(Effect.provide(scripted)))

  it.effect("says so when an imported manifest is not what came out", () =>
    Effect.gen(function*() {
      const runner = yield* CommandRunner.CommandRunner
      const error = yield* Effect.flip(Smf.make(runner).ensureImported(manifest))
      assert.include(error.message, "afterwards its digest is not there")
    }).pipe(Effect.provide(CommandRunner.layerTest((line) =>
      line.program.endsWith("svcprop") ? failure("svcprop: Couldn't find property group `manifest' for instance `f'.") : CommandRunner.result()))))

  it.effect.each([
    ["svcs: illegal option -- z\nUsage: svcs", 2, false],
    ["", 0, true],
    ["svcs: Pattern 'x' doesn't match any instances", 1, true]
  ] as const)("finds out whether the tools know zones: %s", ([stderr, exitCode, expected]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Smf.probeZoneOption(yield* CommandRunner.CommandRunner), expected)
    }).pipe(Effect.provide(CommandRunner.layerTest(() => CommandRunner.result({ stderr, exitCode })))))
})
