/** The start of an agent, put together: what is wanted, what is there, what is done about it, and in which order. */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Kinds } from "@reddwarf/api-types"
import { ApiClient, EventRecorder, Informer } from "@reddwarf/client"
import { type CommandRunner, type NetworkRuntime, ZoneRuntime } from "@reddwarf/runtime-illumos"
import type { StorageEngine } from "@reddwarf/storage-zfs"
import { type PlanError, PlanLedger } from "@reddwarf/plans"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"
import * as boundedWait from "../internal/boundedWait.js"
import type * as NodeAgentOptions from "../NodeAgentOptions.js"
import * as PodController from "../pod/PodController.js"
import type * as PodProbes from "../pod/PodProbes.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import type * as PodWorker from "../pod/PodWorker.js"
import { StatusManager } from "../pod/StatusManager.js"
import * as ManifestDirectory from "../static/ManifestDirectory.js"
import * as MirrorPods from "../static/MirrorPods.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import * as AdoptionMetrics from "./AdoptionMetrics.js"
import * as BootReconciler from "./BootReconciler.js"
import * as HostSnapshot from "./HostSnapshot.js"
import * as NodeShutdown from "./NodeShutdown.js"
import * as PodSource from "./PodSource.js"
import * as PodStatuses from "./PodStatuses.js"
import type * as ReconcileReport from "./ReconcileReport.js"
import * as RecoveryGate from "./RecoveryGate.js"
import * as RecoverySteps from "./RecoverySteps.js"
import * as StateConfirmation from "./StateConfirmation.js"
import * as ZoneStage from "./ZoneStage.js"

/** @category models */
export interface Options extends NodeAgentOptions.Resolved, Omit<PodWorker.Options, keyof NodeAgentOptions.Resolved | "source" | "wake"> {
  /** Which boot of the host this is. */
  readonly bootId: string
  /** Resolves when the host is prepared: before that no pod is touched. */
  readonly hostReady: Effect.Effect<void>
  /** Repairs the services of the host and of the pods that are installed on it. */
  readonly companions?: BootReconciler.Options<never>["companions"]
  /** Whether somebody asked for the zone of a pod to be stopped and kept. Default: nobody does. */
  readonly isStopped?: (pod: CoreV1.Pod) => boolean
  /** Resolves when the agent is asked not to wait for anything when it ends. */
  readonly hurry?: Effect.Effect<void>
}

/** A condition of the node. @category models */
export interface Condition {
  readonly type: string
  readonly status: "True" | "False"
  readonly reason: string
  readonly message: string
}

/** @category models */
export interface NodeAdoption {
  readonly controller: PodController.PodController
  readonly source: PodSource.PodSource
  /** Why pods are not worked on yet; undefined when they are. */
  readonly recovering: Effect.Effect<string | undefined>
  /** What operators must know about the node. */
  readonly conditions: () => ReadonlyArray<Condition>
  readonly lastReport: () => ReconcileReport.Report | undefined
  /** When the last pass over everything ended, in milliseconds since the epoch. */
  readonly lastPassEnd: () => number | undefined
  /**
   * Ends the pods by priority, because the host is taken out of service. Nothing works on a pod from then on; `tell` is run when that is so,
   * and goes on beside it.
   */
  readonly stopPods: (tell: Effect.Effect<void>) => Effect.Effect<void>
  /** Why the node takes no pods any more; undefined while it does. */
  readonly stopping: () => string | undefined
}

const condition = (type: string, isTrue: boolean, reason: string, message: string): Condition => ({
  type,
  status: isTrue ? "True" : "False",
  reason: isTrue ? reason : "Resolved",
  message: isTrue ? message : ""
})

/**
 * Begins, for as long as the scope lives.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<
  NodeAdoption,
  PlanError.LedgerFailed | SupervisorFileFailed,
  | ApiClient.ApiClient
  | CommandRunner.CommandRunner
  | EventRecorder.EventRecorder
  | FileSystem.FileSystem
  | NetworkRuntime.NetworkRuntime
  | PlanLedger.PlanLedger
  | PodProbes.PodProbes
  | PodSandbox.PodSandbox
  | Scope.Scope
  | StatusManager
  | StorageEngine.StorageEngine
  | SupervisorClient.SupervisorClient
  | ZoneRuntime.ZoneRuntime
> =>
  Effect.gen(function*() {
    const startedAt = yield* Clock.currentTimeMillis
    const ledger = yield* PlanLedger.PlanLedger
    const closing = boundedWait.shared(options.shutdownGrace, options.hurry)
    const sandbox = yield* PodSandbox.PodSandbox
    const supervisor = yield* SupervisorClient.SupervisorClient
    const recorder = yield* EventRecorder.EventRecorder
    const api = yield* StatusManager
    const client = yield* ApiClient.ApiClient
    const runtime = yield* ZoneRuntime.ZoneRuntime
    const fs = yield* FileSystem.FileSystem
    const { dataDir, nodeName } = options
    let stopping = false
    let planRecordsLost = false
    let markClean: Effect.Effect<void> = Effect.void
    // Registered first, so run last: when all that could be in progress has ended.
    yield* Effect.addFinalizer(() => markClean)

    const manifests = yield* ManifestDirectory.make({ directory: options.manifestDir, nodeName, dataDir })
    const problems: Array<ManifestDirectory.Problem> = []
    manifests.onProblem((problem) => void problems.push(problem))
    const informer = yield* Informer.make({
      kind: Kinds.pod,
      fieldSelector: `spec.nodeName=${nodeName}`,
      indexers: { [PodSource.uidIndex]: (pod: CoreV1.Pod) => pod.metadata.uid === undefined ? [] : [pod.metadata.uid] }
    })
    const source = yield* PodSource.make({ nodeName, dataDir, informer, manifests, confirmation: options.orphanConfirmation })
    const mirrors = yield* MirrorPods.make({ nodeName, manifests, source, statuses: api, recorder })
    const statuses = PodStatuses.make({ source, mirrors, api })

    let stage: ZoneStage.ZoneStage | undefined
    const controller = yield* PodController.make({
      ...options,
      closing,
      source,
      holds: (uid) => stopping ? "held" : stage?.holds(uid),
      owes: statuses.owes
    }).pipe(Effect.provideService(StatusManager, statuses.manager))

    const snapshot = yield* HostSnapshot.make(options.clusterId)
    const gate = yield* RecoveryGate.make({
      dataDir,
      bootId: options.bootId,
      prepared: options.hostReady,
      steps: yield* RecoverySteps.make({
        source,
        snapshot: snapshot.read,
        supervised: supervisor.list,
        removeLink: sandbox.removeLink,
        checkImages: controller.retainImages,
        // Each record is read: what is damaged is replaced by its previous copy.
        openLedger: Effect.flatMap(ledger.list, Effect.forEach((uid) => ledger.load(uid), { discard: true }))
      })
    })
    const zones = ZoneStage.make({
      source,
      sandbox,
      supervisor,
      recorded: Effect.orElseSucceed(ledger.list, () => []),
      snapshot: snapshot.read,
      request: controller.request,
      isSettled: controller.isPodSettled,
      noteIdentity: controller.noteIdentity,
      isStopped: options.isStopped ?? (() => false),
      rebooted: () => gate.kind !== "none",
      confirmation: options.orphanConfirmation,
      onFirstLook: controller.retainImages.pipe(
        Effect.zipRight(NodeShutdown.release(supervisor)),
        Effect.zipRight(controller.start),
        Effect.zipRight(Effect.flatMap(Clock.currentTimeMillis, (now) => Metric.set(AdoptionMetrics.adoptionDuration, (now - startedAt) / 1000)))
      )
    })
    stage = zones
    markClean = Effect.suspend(() => controller.isSettled() ? gate.markClean : Effect.void)
    const ledgerLook = Effect.map(ledger.rebuilt, (uids) => void (planRecordsLost = uids.size > 0))
    const confirmation = yield* StateConfirmation.make(dataDir, source.guard)
    const tellProblems = Effect.suspend(() =>
      Effect.forEach(problems.splice(0), ({ detail, file }) =>
        recorder.event({ kind: "Node", apiVersion: "v1", name: nodeName, uid: nodeName }, "Warning", "InvalidStaticManifest", `manifest ${file} cannot be used, what it said before stays: ${detail}`), {
        discard: true
      }))
    const reconciler = yield* BootReconciler.make({
      interval: options.resyncInterval,
      recoveryPoll: options.recoveryPoll,
      recoveryCap: options.recoveryCap,
      isRecovered: gate.isComplete,
      recovered: gate.completed,
      onRecoveryTimedOut: gate.timedOut,
      zones: confirmation.look.pipe(Effect.zipRight(tellProblems), Effect.zipRight(zones.run), Effect.tap(ledgerLook)),
      ...(options.companions === undefined ? {} : { companions: options.companions })
    })
    // Who waited for the API to be heard goes on as soon as it was.
    yield* Effect.forkScoped(source.hasSynced.pipe(
      Effect.zipRight(Effect.suspend(() => Effect.forEach(zones.waiting(), controller.enqueue, { discard: true })))
    ))
    const opened = yield* Deferred.make<void>()
    const fiber = yield* Effect.forkDaemon(Effect.zipRight(Deferred.await(opened), reconciler.run))
    // A pass is never cut off: the loop is told to end, and waited for.
    yield* Effect.addFinalizer(() =>
      Effect.zipRight(reconciler.shutdown, closing.atMost(Fiber.await(fiber))))
    yield* Deferred.succeed(opened, undefined)

    return {
      controller,
      source,
      recovering: Effect.map(gate.isComplete, (complete) =>
        complete || gate.hasTimedOut() || gate.kind === "none" ? undefined : `the host is being recovered after a boot: ${gate.unfinished().join(", ") || "preparing"}`),
      conditions: () => {
        const findings = new Map<string, string>(zones.findings().map(({ message, type }) => [type, message]))
        return [
          ...["ForeignZones", "QuarantinedZones", "ZoneStuck", "StateRewound"].map((type) => condition(type, findings.has(type), "Found", findings.get(type) ?? "")),
          condition("BootRecoveryTimedOut", gate.hasTimedOut(), "StepsUnfinished", `not done: ${gate.unfinished().join(", ")}`),
          condition("LedgerRebuilt", gate.ledgerLost || source.ledgerLost || planRecordsLost, "RecordDamaged", "a record of the agent was damaged and made anew; nothing was removed because of it")
        ]
      },
      lastReport: reconciler.lastReport,
      lastPassEnd: reconciler.lastEnd,
      stopping: () => stopping ? "the node is being shut down" : undefined,
      stopPods: (tell) => Effect.gen(function*() {
        stopping = true
        yield* Effect.fork(tell)
        yield* reconciler.shutdown
        yield* controller.settle
        yield* NodeShutdown.run({
          dataDir,
          client,
          supervisor,
          zones: runtime,
          pods: source.list(),
          grace: options.nodeShutdownGrace,
          criticalGrace: options.nodeShutdownGraceCritical
        })
      }).pipe(
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.catchAll((error) => Effect.logWarning("the pods of the node cannot be ended in order", error))
      )
    }
  })

