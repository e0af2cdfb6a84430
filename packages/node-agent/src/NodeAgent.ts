/** The agent of one node: everything in this package, put together. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import { type ApiClient, EventRecorder } from "@reddwarf/client"
import { type PlanError, PlanLedger } from "@reddwarf/plans"
import { Ipam } from "@reddwarf/ipam"
import { type CommandRunner, HostCapabilities, HostInfo, type NetworkRuntime, type ZoneRuntime } from "@reddwarf/runtime-illumos"
import { StorageEngine } from "@reddwarf/storage-zfs"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as HostMeasurements from "./node/HostMeasurements.js"
import * as HostShutdown from "./node/HostShutdown.js"
import type * as Eviction from "./eviction/Eviction.js"
import * as CompanionRepair from "./companion/CompanionRepair.js"
import type { Companion } from "./companion/Companion.js"
import * as SmfCompanions from "./companion/SmfCompanions.js"
import * as boundedWait from "./internal/boundedWait.js"
import * as HealthApi from "./kubelet/HealthApi.js"
import * as KubeletApi from "./kubelet/KubeletApi.js"
import * as NetworkKeeper from "./network/NetworkKeeper.js"
import * as NodeAgentOptions from "./NodeAgentOptions.js"
import * as MetricsApi from "./kubelet/MetricsApi.js"
import * as KubeletConfiguration from "./node/KubeletConfiguration.js"
import * as NodeEviction from "./node/NodeEviction.js"
import * as NodeLabels from "./node/NodeLabels.js"
import * as NodeRegistration from "./node/NodeRegistration.js"
import * as NodeStatus from "./node/NodeStatus.js"
import * as NodeAdoption from "./adoption/NodeAdoption.js"
import * as PodProbes from "./pod/PodProbes.js"
import * as PodSandbox from "./pod/PodSandbox.js"
import type * as SessionHosts from "./session/SessionHosts.js"
import * as StatsApi from "./kubelet/StatsApi.js"
import * as StreamingApi from "./kubelet/StreamingApi.js"
import * as StatusManager from "./pod/StatusManager.js"
import * as SupervisorClient from "./supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "./supervisor/SupervisorError.js"
import * as UsageMeter from "./node/UsageMeter.js"
import * as VolumeReclaim from "./volume/VolumeReclaim.js"

/** @category models */
export interface Options extends NodeAgentOptions.NodeAgentOptions {
  /** Certificate, key and CA of the kubelet API, as PEM texts; without them it is not served. */
  readonly tls?: KubeletApi.Options["tls"]
  /**
   * Sees to it that a supervisor is alive, each time it is run: `SupervisorProcess.ensure` for a program that starts itself as one. Absent
   * when somebody else does, such as the service manager of the host.
   */
  readonly ensureSupervisor?: Effect.Effect<void, SupervisorFileFailed, FileSystem.FileSystem>
  /**
   * The program that serves sessions (exec, attach, port-forward) outside the agent, so that they outlive it. Absent: the agent serves them, and
   * they end with it.
   */
  readonly sessionHost?: SessionHosts.Program
  /** Services of the host that this node needs beside the agent; they are kept running. Default none. */
  readonly nodeCompanions?: ReadonlyArray<Companion>
  /** Services of the host for one pod, by its uid; plans of its zone mend them. Default: no pod has any. */
  readonly podCompanions?: (uid: string) => ReadonlyArray<Companion>
  /** Port of `http://127.0.0.1/healthz`; 0 takes a free one. Default: not served. */
  readonly healthzPort?: number
  /** Whether the host is going down, asked when the agent ends: its pods end first then. Default: the run level of illumos says so. */
  readonly hostGoesDown?: Effect.Effect<boolean, never, CommandRunner.CommandRunner>
  /** Resolves when the agent is asked for the second time to end: from then on it waits for nothing. */
  readonly hurry?: Effect.Effect<void>
}

/**
 * A running node agent.
 *
 * @category services
 */
export class NodeAgent extends Context.Tag("@reddwarf/node-agent/NodeAgent")<NodeAgent, {
  /** The port of the kubelet API; none when it is not served. */
  readonly kubeletPort: number | undefined
  /** The pods of this node as last heard of. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  /** Resolves when the host is prepared and pods are worked on. */
  readonly hostReady: Effect.Effect<void>
}>() {}

type HostServices =
  | ApiClient.ApiClient
  | CommandRunner.CommandRunner
  | FileSystem.FileSystem
  | Ipam.Ipam
  | NetworkRuntime.NetworkRuntime
  | StorageEngine.StorageEngine
  | ZoneRuntime.ZoneRuntime

const backOff = Schedule.exponential("500 millis").pipe(Schedule.either(Schedule.spaced("15 seconds")), Schedule.jittered)

/** Tries for ever: a host that is not usable now may become so. */
const insist = <A, E extends { readonly message: string }, R>(what: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, never, R> =>
  effect.pipe(
    Effect.tapError((error) => Effect.logWarning(`${what} failed; trying again`, error)),
    Effect.retry(backOff),
    // The schedule never ends, so nothing is left to fail with.
    Effect.orDie
  )

const readFacts = Effect.gen(function*() {
  const storage = yield* StorageEngine.StorageEngine
  const host = yield* HostInfo.read
  const capabilities = yield* HostCapabilities.readWith(host)
  const pool = yield* storage.poolUsage
  const measured = yield* HostMeasurements.read
  return { host, capabilities, poolSize: pool.size, bootId: String(measured.bootTime ?? 0) } satisfies NodeStatus.HostFacts
})

const make = (
  options: NodeAgentOptions.Resolved & Options
): Effect.Effect<
  Context.Tag.Service<NodeAgent>,
  KubeletApi.ListenFailed | PlanError.LedgerFailed | PlanError.LedgerSchemaNewer | SupervisorFileFailed,
  | CommandRunner.CommandRunner
  | ApiClient.ApiClient
  | EventRecorder.EventRecorder
  | FileSystem.FileSystem
  | Ipam.Ipam
  | NetworkRuntime.NetworkRuntime
  | PlanLedger.PlanLedger
  | PodProbes.PodProbes
  | PodSandbox.PodSandbox
  | Scope.Scope
  | StatusManager.StatusManager
  | StorageEngine.StorageEngine
  | SupervisorClient.SupervisorClient
  | ZoneRuntime.ZoneRuntime
> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<CommandRunner.CommandRunner | FileSystem.FileSystem | StorageEngine.StorageEngine>()
    const sandbox = yield* PodSandbox.PodSandbox
    const supervisor = yield* SupervisorClient.SupervisorClient
    // Kubernetes knows one range of each family.
    const { pools } = yield* Ipam.Ipam
    const podCidrs = pools.filter(({ family }, at) => pools.findIndex((other) => other.family === family) === at).map(({ cidr }) => cidr)
    const hostReady = yield* Deferred.make<void>()
    const notReady = yield* Ref.make<string | undefined>("the host is being prepared")
    // It looks at pods, and pods are begun with only when it agrees.
    let eviction: Eviction.Eviction | undefined

    let adoption: NodeAdoption.NodeAdoption | undefined

    if (options.ensureSupervisor !== undefined) {
      yield* Effect.forkScoped(
        Effect.unless(options.ensureSupervisor, () => adoption?.stopping() !== undefined).pipe(
          Effect.catchAll((error) => Effect.logWarning("the supervisor cannot be started", error)),
          Effect.repeat(Schedule.spaced("5 seconds"))
        )
      )
    }

    const facts = yield* insist("reading the host", readFacts)
    // Eviction measures in its own time: the status shows what it has seen, without asking the host again.
    const measurements = HostMeasurements.shared(Duration.times(options.evictionInterval, 1.5))
    const measure = Effect.gen(function*() {
      const measured = yield* measurements.recent
      const stopping = adoption?.stopping()
      const recovering = stopping ?? (yield* adoption?.recovering ?? Effect.succeed(undefined))
      const preparing = recovering ?? (yield* Ref.get(notReady))
      const alive = yield* Effect.orElseSucceed(supervisor.isAlive, () => false)
      return { ...measured, pressures: eviction?.pressures(), further: [...adoption?.conditions() ?? [], ...companions?.conditions() ?? []], notReadyReason: stopping === undefined ? recovering === undefined ? undefined : "BootRecovery" : "NodeShutdown", notReady: preparing ?? (alive ? undefined : "no supervisor is running; containers cannot be started") }
    }).pipe(Effect.provide(context))

    const companions = options.nodeCompanions === undefined && options.podCompanions === undefined ? undefined : CompanionRepair.make({
      services: yield* SmfCompanions.make({ owner: { clusterId: options.clusterId }, folder: `${options.dataDir}/companions` }),
      node: options.nodeCompanions ?? [],
      ...(options.podCompanions === undefined ? {} : { ofPod: options.podCompanions })
    })
    adoption = yield* NodeAdoption.make({
      ...options,
      ...(companions === undefined ? {} : { companions: companions.repair, companionPlans: companions }),
      bootId: facts.bootId,
      allocatable: NodeStatus.allocatable(options, facts),
      pressed: (pod) => eviction?.rejection(pod),
      hostReady: Deferred.await(hostReady)
    })
    const { controller, source } = adoption
    const meter = yield* UsageMeter.make({ pods: controller.pods })
    const streaming = yield* StreamingApi.make({
      dataDir: options.dataDir,
      pods: controller.pods,
      maxSessions: options.maxSessions,
      hosts: options.tls === undefined || options.sessionHost === undefined
        ? undefined
        : { ...options.sessionHost, nodeAddress: options.nodeAddress, tls: options.tls }
    })
    // The port is known only when it is open: 0 asks for any free one.
    const api = options.tls === undefined ? undefined : yield* KubeletApi.make({
      host: options.nodeAddress,
      port: options.kubeletPort,
      tls: options.tls,
      pods: controller.pods,
      stats: StatsApi.make(options.nodeName, meter),
      probes: (yield* PodProbes.PodProbes).metrics,
      metrics: MetricsApi.make({ nodeName: options.nodeName, pods: controller.pods, supervisor, sandbox, series: controller.series }),
      configuration: KubeletConfiguration.of(options),
      reconcile: adoption.lastReport,
      streaming
    })
    const inventory = sandbox.zoneStates.pipe(
      Effect.map((states) => [...states.values()].reduce((counts, state) => counts.set(state, (counts.get(state) ?? 0) + 1), new Map<string, number>())),
      Effect.orElseSucceed(() => undefined)
    )
    yield* HealthApi.make({
      port: options.healthzPort,
      dataDir: options.dataDir,
      zoneStates: sandbox.zoneStates,
      lastPassEnd: adoption.lastPassEnd,
      pods: controller.pods,
      zoneOf: (pod) => PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone,
      maxPods: options.maxPods,
      brands: NodeLabels.brandsOf(facts.capabilities, options)
    })
    const registration = yield* NodeRegistration.make({ ...options, kubeletPort: api?.port ?? options.kubeletPort, facts, measure, podCidrs, zones: inventory })

    eviction = yield* NodeEviction.make({
      thresholds: options.evictionHard,
      interval: options.evictionInterval,
      transitionPeriod: options.evictionTransitionPeriod,
      pods: controller.pods,
      meter,
      measure: measurements.now,
      onChange: registration.refresh
    }).pipe(Effect.provide(context))
    yield* Effect.forkScoped(Effect.zipRight(Deferred.await(hostReady), eviction.run))

    // The node is ready as soon as containers can be started, not at the next look.
    yield* Effect.forkScoped(
      supervisor.isAlive.pipe(
        Effect.orElseSucceed(() => false),
        Effect.repeat({ until: (alive) => alive, schedule: Schedule.spaced("200 millis") }),
        Effect.zipRight(registration.refresh)
      )
    )
    yield* Effect.forkScoped(
      sandbox.prepareHost.pipe(
        Effect.tapError((error) => Effect.zipRight(Ref.set(notReady, `the host cannot be prepared: ${error.message}`), registration.refresh)),
        (prepare) => insist("preparing the host", prepare),
        Effect.zipRight(Ref.set(notReady, undefined)),
        Effect.zipRight(Deferred.succeed(hostReady, undefined)),
        Effect.zipRight(registration.refresh),
        // Somebody may change the network of the host at any time.
        Effect.zipRight(NetworkKeeper.run({ settings: options, pods: { isSynced: source.isApiSynced, list: source.list, onChange: source.onChange }, repair: sandbox.repairNetwork, wake: controller.enqueue }))
      )
    )
    yield* Effect.forkScoped(Effect.zipRight(Deferred.await(hostReady), VolumeReclaim.run({ interval: options.resyncInterval })))
    const { stopPods } = adoption
    const hostGoesDown = Effect.provide(options.hostGoesDown ?? HostShutdown.illumos, context)
    // Registered last, so run first: the API hears of it before anything else ends.
    yield* Effect.addFinalizer(() =>
      boundedWait.apart(Effect.asVoid(Effect.whenEffect(
        Effect.zipRight(stopPods(registration.refresh), streaming.endSessions),
        options.stopZonesOnExit ? Effect.succeed(true) : hostGoesDown
      ))))
    return { kubeletPort: api?.port, pods: controller.pods, hostReady: Deferred.await(hostReady) }
  })

/**
 * The agent as a service that runs as long as the layer lives. When the layer goes, steps in progress end first; zones, containers and
 * the supervisor stay.
 *
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<NodeAgent, KubeletApi.ListenFailed | PlanError.LedgerFailed | PlanError.LedgerSchemaNewer | SupervisorFileFailed, HostServices> => {
  const resolved = { ...options, ...NodeAgentOptions.resolve(options) }
  return Layer.scoped(NodeAgent, make(resolved)).pipe(
    Layer.provide(Layer.mergeAll(StatusManager.layer, PodProbes.layer({ dataDir: options.dataDir }))),
    Layer.provide(Layer.mergeAll(
      EventRecorder.layer({ component: "kubelet", host: options.nodeName }),
      PlanLedger.layer({ folder: `${options.dataDir}/ledger/pods` }),
      SupervisorClient.layer({ dataDir: options.dataDir }),
      PodSandbox.layer(resolved)
    ))
  )
}

/**
 * Runs the agent until interrupted.
 *
 * @category constructors
 */
export const run = (
  options: Options
): Effect.Effect<never, KubeletApi.ListenFailed | PlanError.LedgerFailed | PlanError.LedgerSchemaNewer | SupervisorFileFailed, HostServices> => Layer.launch(layer(options))
