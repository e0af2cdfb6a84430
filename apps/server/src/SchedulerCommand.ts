/** `reddwarf-server scheduler`: the scheduler alone, as a process beside any Kubernetes API server. */
import { Command } from "@effect/cli"
import { TelemetrySettings } from "@reddwarf/cli"
import { ApiClient, HttpTransport, KubeConfig } from "@reddwarf/client"
import { ConfiguredScheduler } from "@reddwarf/scheduler"
import { OpenTelemetry, ProcessMetrics } from "@reddwarf/telemetry"
import { Effect, Layer, Option } from "effect"
import { hostname } from "node:os"
import * as KubeconfigOption from "./KubeconfigOption.js"
import * as SchedulerFile from "./SchedulerFile.js"
import * as SchedulerPlugins from "./SchedulerPlugins.js"
import { version } from "./version.js"

export const scheduler = Command.make("scheduler", {
  kubeconfig: KubeconfigOption.option,
  file: SchedulerFile.option,
  plugins: SchedulerPlugins.option,
  ...TelemetrySettings.options
}, ({ file, kubeconfig, otlpEndpoint, otlpHeaders, plugins }) =>
  Effect.gen(function*() {
    const configuration = yield* SchedulerFile.load(file)
    const named = configuration.clientConnection.kubeconfig
    const config = Option.isNone(kubeconfig) && named !== "" ? yield* KubeConfig.load(named) : yield* KubeconfigOption.load(kubeconfig)
    const client = ApiClient.layer.pipe(Layer.provide(HttpTransport.layer(config)))
    const telemetry = Option.match(otlpEndpoint, {
      onNone: () => Layer.empty,
      onSome: (endpoint) =>
        OpenTelemetry.layer({ endpoint, headers: otlpHeaders, service: "reddwarf-scheduler", version, attributes: { "host.name": hostname() } })
    })
    yield* ProcessMetrics.identify("scheduler", version)
    const running = ConfiguredScheduler.layer(configuration, {
      registry: yield* SchedulerPlugins.load(plugins),
      identity: `${hostname()}_${String(process.pid)}`,
      // Beside another one of the same name this one waits: started twice by mistake, they must not both place pods.
      leaderElect: true
    })
    yield* Effect.logInfo("scheduling").pipe(
      Effect.annotateLogs({ server: config.server, profiles: configuration.profiles.map(({ schedulerName }) => schedulerName).join(" ") })
    )
    return yield* Layer.launch(running.pipe(Layer.provide(client), Layer.provide(telemetry)))
  })).pipe(Command.withDescription("Run the scheduler alone, against the API server of a kubeconfig"))
