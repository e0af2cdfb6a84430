/** `reddwarf-agent stop-zones`: takes the host out of service after its agent has stopped. */
import { Command } from "@effect/cli"
import { Settings } from "@reddwarf/cli"
import { HostMaintenance } from "@reddwarf/node-agent"
import { ZoneRuntime } from "@reddwarf/runtime-illumos"
import { Effect, Layer } from "effect"
import * as Host from "./Host.js"
import { dataDir } from "./RunSettings.js"

export const stopZones = Command.make("stop-zones", {
  dataDir,
  graceSeconds: Settings.orElse(Settings.integer("grace-seconds", 0, 3600), 30, "seconds a zone may take to shut down before it is halted")
}, ({ dataDir, graceSeconds }) =>
  HostMaintenance.stopZones({ dataDir, grace: `${graceSeconds} seconds` }).pipe(
    Effect.provide(ZoneRuntime.layer.pipe(Layer.provide(Host.rememberedRunner(dataDir)))),
    // Whatever came of the zones: nothing is to be left of a machine that was simulated.
    Effect.onError(() => Effect.ignore(Host.powerOff(dataDir))),
    Effect.zipLeft(Host.powerOff(dataDir))
  )).pipe(Command.withDescription("Shut down all pod zones of this host and end the supervisor; the next agent starts them again"))
