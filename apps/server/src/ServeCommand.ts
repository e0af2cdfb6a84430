/** `reddwarf-server serve`: the whole control plane in one process. */
import { Command } from "@effect/cli"
import { Certificates, HttpsEdge, Kubeconfig } from "@reddwarf/apiserver"
import { OpenTelemetry, ProcessMetrics } from "@reddwarf/telemetry"
import { Effect, Layer, Option } from "effect"
import { hostname } from "node:os"
import * as ControlPlane from "./ControlPlane.js"
import * as HeapLimits from "./HeapLimits.js"
import { pkiDirectory } from "./KubeconfigCommand.js"
import * as SchedulerFile from "./SchedulerFile.js"
import * as SchedulerPlugins from "./SchedulerPlugins.js"
import { options } from "./ServeSettings.js"
import { externalCertificates } from "./tls.js"
import { version } from "./version.js"

export const serve = Command.make("serve", options, (settings) =>
  Effect.gen(function*() {
    const external = yield* externalCertificates(settings)
    const certificates = Certificates.layer({ directory: pkiDirectory(settings.dataDir), names: settings.names })
    const writeKubeconfig = Layer.effectDiscard(Effect.gen(function*() {
      const { url } = yield* HttpsEdge.HttpsEdge
      const issuer = yield* Certificates.Certificates
      yield* Effect.logInfo("serving").pipe(Effect.annotateLogs({ url }))
      if (Option.isNone(settings.kubeconfigOut)) return
      const authority = Option.isSome(external) ? (yield* Certificates.fromFiles(external.value)).authority : issuer.authority
      yield* Kubeconfig.write(settings.kubeconfigOut.value, {
        server: Option.match(settings.advertise, { onNone: () => url, onSome: (address) => `https://${address}` }),
        authority,
        user: "kubernetes-admin",
        credentials: yield* issuer.client("admin", "kubernetes-admin", ["system:masters"])
      })
    }))
    const controlPlane = ControlPlane.layer({
      dataDir: settings.dataDir,
      bind: settings.bind,
      advertise: Option.getOrElse(settings.advertise, () => `${settings.bind.host}:${String(settings.bind.port)}`),
      external,
      tokenFile: settings.tokenFile,
      serviceNetwork: settings.serviceNetwork,
      issuer: settings.issuer,
      scheduler: yield* SchedulerFile.load(settings.schedulerFile),
      schedulerPlugins: yield* SchedulerPlugins.load(settings.schedulerPlugins),
      traced: Option.isSome(settings.otlpEndpoint)
    })
    const telemetry = Option.match(settings.otlpEndpoint, {
      onNone: () => Layer.empty,
      onSome: (endpoint) =>
        OpenTelemetry.layer({
          endpoint,
          headers: settings.otlpHeaders,
          service: "reddwarf-server",
          version,
          attributes: { "host.name": hostname() }
        })
    })
    yield* ProcessMetrics.identify("server", version)
    const started = Layer.merge(writeKubeconfig, HeapLimits.collectAfterStart)
    return yield* Layer.launch(started.pipe(Layer.provideMerge(controlPlane), Layer.provide(certificates), Layer.provide(HeapLimits.layer), Layer.provide(telemetry)))
  })).pipe(Command.withDescription("Run the API server, the scheduler and the controllers"))
