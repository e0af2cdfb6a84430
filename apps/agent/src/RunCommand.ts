/** `reddwarf-agent run`: the agent of one node. */
import { Command } from "@effect/cli"
import { Quantity } from "@reddwarf/api-types"
import { Program } from "@reddwarf/cli"
import { ApiClient, HttpTransport, KubeConfig } from "@reddwarf/client"
import { ImageCollector, type RegistryOptions } from "@reddwarf/images"
import { Ipam } from "@reddwarf/ipam"
import { ContainerImages, NodeAgent, NodeCompanions, SessionProcess, SupervisorProcess } from "@reddwarf/node-agent"
import { NetworkRuntime, ZoneRuntime } from "@reddwarf/runtime-illumos"
import { StorageEngine } from "@reddwarf/storage-zfs"
import { OpenTelemetry, ProcessMetrics } from "@reddwarf/telemetry"
import { Effect, Either, Layer, Option, Redacted } from "effect"
import { createHash } from "node:crypto"
import { join, resolve } from "node:path"
import * as HeapLimits from "./HeapLimits.js"
import * as Host from "./Host.js"
import * as ImageHost from "./ImageHost.js"
import * as SecondSignal from "./SecondSignal.js"
import * as NetworkSettings from "./NetworkSettings.js"
import { options } from "./RunSettings.js"
import * as SessionHosting from "./SessionHosting.js"
import { version } from "./version.js"

/** A cluster is known by its certificate authority: known without asking, and the same for as long as its certificates are good. */
const clusterIdOf = (authority: string): string => createHash("sha256").update(authority).digest("hex").slice(0, 32)

/** The images of pods, pulled from registries and kept on the host until room is needed. */
const containerImages = (
  runner: ReturnType<typeof Host.commandRunner>,
  settings: ImageHost.Settings,
  registries: RegistryOptions.Options,
  brand: string | undefined
) =>
  Layer.merge(ContainerImages.layer({ defaultBrand: brand ?? "sparse" }), ImageCollector.layer()).pipe(
    Layer.provide(Layer.merge(ImageHost.layer(settings), ImageHost.registries(registries))),
    Layer.provide(runner)
  )

export const run = Command.make("run", options, (settings) =>
  Effect.gen(function*() {
    const { dataDir } = settings
    yield* Host.check(settings.host)
    const podCidrs = NetworkSettings.podCidrs(settings.host, settings)
    if (Either.isLeft(podCidrs)) {
      return yield* Program.wrongUsage(`pod-cidr ${podCidrs.left}: pods of a simulated host are processes of this machine, so it must be a loopback range such as 127.88.0.0/16`)
    }
    yield* Host.remember(dataDir, settings.host)
    const kubeconfig = yield* KubeConfig.load(settings.kubeconfig)
    const { ca, cert, key } = kubeconfig
    if (ca === undefined || cert === undefined || key === undefined) {
      return yield* new Host.HostUnusable({ message: `${settings.kubeconfig} needs a certificate authority, a client certificate and its key` })
    }
    const runner = Host.agentRunner(settings.host, dataDir)
    const hostLayer = Layer.mergeAll(ZoneRuntime.layerWith({ concurrency: settings.bootParallelism }), NetworkRuntime.layer, StorageEngine.layerZfs({
      root: settings.storagePool,
      zonesMountpoint: settings.zonepathPrefix,
      ...(Option.isSome(settings.zonesDataset) ? { zones: settings.zonesDataset.value } : {}),
      ...(Option.isSome(settings.imagesDataset) ? { images: settings.imagesDataset.value } : {}),
      ...(Option.isSome(settings.volumesDataset) ? { volumes: settings.volumesDataset.value } : {})
    })).pipe(Layer.provideMerge(runner))
    const [firstCidr, ...otherCidrs] = podCidrs.right
    const ipam = Ipam.layerFile({
      pools: [{ cidr: firstCidr }, ...otherCidrs.map((cidr) => ({ cidr }))],
      path: join(dataDir, "addresses.json")
    })
    const images: Layer.Layer<never> | ReturnType<typeof containerImages> = settings.images === "registry"
      ? containerImages(runner, settings, yield* ImageHost.readRegistries(settings.registries), Option.getOrUndefined(settings.brands)?.[0])
      : Layer.empty
    const client = ApiClient.layer.pipe(Layer.provide(HttpTransport.layer(kubeconfig)))
    const brands = Option.getOrUndefined(settings.brands)
    yield* ProcessMetrics.identify("agent", version)
    const telemetry = Option.match(settings.otlpEndpoint, {
      onNone: () => Layer.empty,
      onSome: (endpoint) =>
        OpenTelemetry.layer({
          endpoint,
          headers: settings.otlpHeaders,
          service: "reddwarf-agent",
          version,
          attributes: { "k8s.node.name": settings.nodeName }
        })
    })
    const hurry = yield* SecondSignal.make
    return yield* NodeAgent.run({
      nodeName: settings.nodeName,
      dataDir,
      clusterId: clusterIdOf(ca),
      nodeAddress: settings.kubeletBind.host,
      kubeletPort: settings.kubeletBind.port,
      stub: settings.etherstub,
      network: NetworkSettings.networkOf({ host: settings.host, dataDir, nodeAddress: settings.kubeletBind.host }, settings),
      clusterDns: { servers: Option.getOrElse(settings.clusterDns, () => []), domain: settings.clusterDomain },
      maxPods: settings.maxPods,
      manifestDir: Option.getOrUndefined(settings.manifestDir),
      recoveryCap: `${settings.recoveryCap} seconds`,
      gateProbeInterval: `${settings.gateProbeInterval} seconds`,
      shutdownGrace: `${settings.shutdownGrace} seconds`,
      stopZonesOnExit: settings.stopZonesOnExit === "yes",
      nodeShutdownGrace: `${settings.nodeShutdownGrace} seconds`,
      nodeShutdownGraceCritical: `${Math.min(settings.nodeShutdownGraceCritical, settings.nodeShutdownGrace)} seconds`,
      hostGoesDown: yield* Host.goesDown(settings.host),
      hurry,
      systemReservedCpuMillis: Quantity.toMillis(settings.reservedCpu),
      systemReservedMemory: Quantity.toNumber(settings.reservedMemory),
      ...(brands?.[0] === undefined ? {} : { defaultBrand: brands[0], brands }),
      evictionHard: settings.evictionHard,
      evictionTransitionPeriod: `${settings.evictionTransition} seconds`,
      ...(settings.healthzPort === 0 ? {} : { healthzPort: settings.healthzPort }),
      ...(settings.companions === "none" ? {} : {
        nodeCompanions: NodeCompanions.of({
          node: process.execPath,
          program: resolve(process.argv[1] ?? ""),
          nodeName: settings.nodeName,
          dataDir,
          kubeconfig: resolve(settings.kubeconfig)
        })
      }),
      tls: { cert, key: Redacted.value(key), ca },
      sessionHost: { start: SessionProcess.start({ command: SessionHosting.command(dataDir), dataDir }), identity: SessionHosting.identity(), port: settings.sessionPort },
      ...(settings.supervisor === "service" ? {} : {
        ensureSupervisor: SupervisorProcess.ensure({
          dataDir,
          command: [process.execPath, process.argv[1] ?? "", "supervise", "--data-dir", dataDir]
        })
      })
    }).pipe(Effect.provide(Layer.provideMerge(Layer.mergeAll(hostLayer, ipam, client, images, HeapLimits.agent), telemetry)))
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Run the agent of one node"))
