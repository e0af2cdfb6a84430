import { CommandRunner, Fmri, Prctl, Smf, SmfManifest, ZoneName } from "@reddwarf/runtime-illumos"
import { Console, Effect } from "effect"

const service = Fmri.ServiceName.make("application/example/server")

const manifest: SmfManifest.Manifest = {
  service,
  enabled: false,
  duration: "child",
  dependencies: [{ name: "network", grouping: "require_all", restartOn: "error", on: ["svc:/milestone/network:default"] }],
  methods: [
    { name: "start", exec: "/usr/lib/example/server --config %{config/file}", timeoutSeconds: 60 },
    { name: "stop", exec: ":kill", timeoutSeconds: 60 }
  ],
  propertyGroups: [{ name: "config", type: "application", properties: [{ name: "file", type: "astring", value: "/etc/example.json" }] }],
  commonName: "Example server"
}

// A host on which this very manifest was imported before, and a zone that may use one and a half CPUs.
const host = CommandRunner.layerTest((line) =>
  Effect.map(Effect.orDie(SmfManifest.render(manifest)), ({ digest, fmri }) =>
    CommandRunner.result({
      stdout: line.program.endsWith("prctl")
        ? "zone: 3: web\nzone.cpu-cap privileged 150 - deny -\nzone.cpu-cap system 4294967295 inf deny -\n"
        : line.program.endsWith("svcprop")
        ? `manifest/digest astring ${digest}\n`
        : `online - 71 ${fmri}\n`
    })))

const program = Effect.gen(function*() {
  const runner = yield* CommandRunner.CommandRunner
  const smf = Smf.make(runner)
  yield* Console.log(`the manifest is ${yield* smf.ensureImported(manifest)}`)
  yield* smf.enable(Fmri.of(service), { timeout: "2 minutes" })
  yield* Console.log(`the service is ${(yield* smf.find(Fmri.of(service)))?.state}`)
  // Live limits of a zone are 64 bits wide, so they are bigint.
  yield* Console.log(`the zone may use ${yield* Prctl.make(runner).limit(ZoneName.make("web"), "zone.cpu-cap")} % of a CPU`)
})

await Effect.runPromise(Effect.provide(program, host))
