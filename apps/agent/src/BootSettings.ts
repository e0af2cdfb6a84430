/** The settings of `reddwarf-agent run` that concern its start and its end. */
import { Options } from "@effect/cli"
import { Settings } from "@reddwarf/cli"
import * as AbsolutePath from "./AbsolutePath.js"

export const options = {
  manifestDir: Settings.text("manifest-dir").pipe(
    Options.filterMap(AbsolutePath.parse, "manifest-dir must be an absolute path of letters, digits, '.', '_', '-'"),
    Options.optional,
    Options.withDescription("directory of pod manifests that run without the API server; default none")
  ),
  bootParallelism: Settings.orElse(Settings.integer("boot-parallelism", 1, 64), 4, "zones that are installed and booted at the same time"),
  recoveryCap: Settings.orElse(
    Settings.integer("recovery-cap-seconds", 1, 86_400),
    1800,
    "longest wait for the host to recover after a crash, before pods are worked on anyway"
  ),
  shutdownGrace: Settings.orElse(
    Settings.integer("shutdown-grace-seconds", 0, 3600),
    60,
    "seconds for steps in progress when the agent is asked to end; a second signal ends the wait"
  ),
  stopZonesOnExit: Settings.orElse(
    Settings.choice("stop-zones-on-exit", ["no", "yes"]),
    "no",
    "yes ends the pods by priority with the agent, for maintenance of the host; they begin again with the next agent"
  ),
  nodeShutdownGrace: Settings.orElse(
    Settings.integer("node-shutdown-grace-seconds", 0, 86_400),
    120,
    "seconds for all pods to end then, and when the host goes down"
  ),
  nodeShutdownGraceCritical: Settings.orElse(Settings.integer("node-shutdown-critical-seconds", 0, 86_400), 30, "the last part of them, for critical pods")
}
