/**
 * Moves the pods of this node towards what the API says, one pass for one pod at a time.
 *
 * A pass gets only a uid. It reads the pod, the host and the supervisor's records, does what is missing, and shows what it saw. So it does
 * not matter which event asked for it, whether one was missed, or at which step a previous agent was killed.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, PodPhase } from "@reddwarf/api-types"
import { ApiClient, type ClientError, EventRecorder } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as ContainerImages from "../container/ContainerImages.js"
import * as ServiceWatch from "../container/ServiceWatch.js"
import type * as ContainerStatus from "./ContainerStatus.js"
import * as EphemeralContainers from "../container/EphemeralContainers.js"
import * as EphemeralStart from "./EphemeralStart.js"
import type * as FieldValues from "../container/FieldValues.js"
import type * as NodeAgentOptions from "../NodeAgentOptions.js"
import type { ContainerConfigError, ImageUnavailable, VolumeSetupError } from "./PodError.js"
import type { PlanError, PlanLedger } from "@reddwarf/plans"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import * as BringUpFailure from "../plan/BringUpFailure.js"
import type { CompanionPlans } from "../plan/CompanionPlans.js"
import type * as PodBringUp from "../plan/PodBringUp.js"
import * as PlanConditions from "../plan/PlanConditions.js"
import * as ZonePlans from "../plan/ZonePlans.js"
import * as MemoryBound from "./MemoryBound.js"
import * as PodAdmission from "./PodAdmission.js"
import * as PodBrand from "./PodBrand.js"
import * as PodDeadline from "./PodDeadline.js"
import * as PodEvents from "./PodEvents.js"
import * as PodLife from "./PodLife.js"
import * as PodObserver from "./PodObserver.js"
import * as PodProbes from "./PodProbes.js"
import * as PodResizer from "./PodResizer.js"
import * as PodSandbox from "./PodSandbox.js"
import * as PodSources from "../volume/PodSources.js"
import * as PodStatus from "./PodStatus.js"
import * as PodStop from "./PodStop.js"
import * as PodTermination from "./PodTermination.js"
import * as PodUpkeep from "./PodUpkeep.js"
import * as SettledPods from "./SettledPods.js"
import * as PodTokens from "../volume/PodTokens.js"
import * as PodVolumes from "../volume/PodVolumes.js"
import * as SourceCache from "../volume/SourceCache.js"
import * as Preemption from "../static/Preemption.js"
import * as StaticPod from "../static/StaticPod.js"
import * as StatusManager from "./StatusManager.js"
import * as StopUnheard from "./StopUnheard.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as Paths from "../supervisor/SupervisorPaths.js"
import type * as PodSource from "../adoption/PodSource.js"

/** What a pass asks for next. @category models */
export type Outcome = Data.TaggedEnum<{
  /** Nothing until something changes. */
  readonly Settled: object
  /** Another pass after a while. */
  readonly RequeueAfter: { readonly delay: Duration.DurationInput }
}>

/** @category constructors */
export const Outcome = Data.taggedEnum<Outcome>()

/** What a pass can fail with; all of it is tried again. @category errors */
export type PassError =
  | ClientError.ClientError
  | PodSandbox.SandboxError
  | PodTermination.TerminationError
  | ContainerConfigError
  | ImageUnavailable
  | VolumeSetupError
  | SupervisorFileFailed
  | ZonePlans.ZonePlansError

/** @category models */
export interface Options extends NodeAgentOptions.Resolved {
  /** What shall run on this node. */
  readonly source: Pick<PodSource.PodSource, "byUid" | "inApi" | "isAbsent" | "list">
  /** What the node can give; for containers that ask for their limits and have none. */
  readonly allocatable: FieldValues.PodFacts["allocatable"]
  /** Why the node is too short of something to begin with a pod; undefined when it is not. */
  readonly pressed: (pod: CoreV1.Pod) => PodAdmission.Rejection | undefined
  /** Services of the host that belong to pods; absent where the agent keeps none. */
  readonly companionPlans?: CompanionPlans | undefined
  /** Asks for a pass over a pod. */
  readonly wake: (uid: string) => Effect.Effect<void>
}

type Environment =
  | ApiClient.ApiClient
  | CommandRunner.CommandRunner
  | EventRecorder.EventRecorder
  | FileSystem.FileSystem
  | PlanLedger.PlanLedger
  | PodProbes.PodProbes
  | PodSandbox.PodSandbox
  | Scope.Scope
  | StatusManager.StatusManager
  | SupervisorClient.SupervisorClient

/** @category models */
export interface PodWorker {
  /** One pass for one pod. */
  readonly pass: (uid: string) => Effect.Effect<Outcome, PassError>
  /** Whether a pass over a pod whose zone runs would change nothing, as far as can be told without one. */
  readonly isSettled: (uid: string) => Effect.Effect<boolean>
  /** What is to be counted about single zones and their plans now. */
  readonly series: ZonePlans.ZonePlans["series"]
  /** The plans, for whoever ends the agent. */
  readonly plans: Pick<ZonePlans.ZonePlans, "drain" | "isBetweenSteps">
  /** Remembers who a uid was, for when only its leftovers are there. */
  readonly noteIdentity: (identity: Files.PodIdentity) => void
  /**
   * Hears that a pod is not in the API any more; `told` when the API reported the deletion itself. Gives false when nothing of the pod can
   * be left here, because its removal was the last thing this agent did for it.
   */
  readonly noteDeleted: (pod: CoreV1.Pod, told: boolean) => boolean
}

/**
 * Makes the pass.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<PodWorker, PlanError.LedgerFailed, Environment> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const fs = yield* FileSystem.FileSystem
    const probes = yield* PodProbes.PodProbes
    const recorder = yield* EventRecorder.EventRecorder
    const sandbox = yield* PodSandbox.PodSandbox
    const statuses = yield* StatusManager.StatusManager
    const supervisor = yield* SupervisorClient.SupervisorClient
    const tokens = PodTokens.make(client)
    const remembered = SourceCache.make(PodSources.direct(client), SourceCache.usualAge)
    const stop = PodStop.make(supervisor, StopUnheard.make({ dataDir: options.dataDir, runner: yield* CommandRunner.CommandRunner }))
    /** Why the last pass could not bring a pod up. Shown until the next one gets further: a reason that comes and goes helps nobody. */
    const lastFailure = new Map<string, readonly [ContainerStatus.WaitingReason, ContainerStatus.WaitingReason | undefined]>()

    const emit = (pod: CoreV1.Pod, events: ReadonlyArray<PodEvents.PodEvent>) =>
      Effect.forEach(events, ({ container, message, reason, type }) =>
        recorder.event(PodEvents.reference(pod, container), type, reason, message), { discard: true })

    const images = yield* ContainerImages.resolver(client, emit)
    const services = yield* ServiceWatch.make
    const life = yield* PodLife.make(options.dataDir, supervisor, emit)

    const observe = PodObserver.make({ nodeAddress: options.nodeAddress, probes, sandbox })

    const isRunning = (pod: CoreV1.Pod) =>
      Effect.map(sandbox.zoneStates, (states) => states.get(PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone) === "running")

    const supervisorSpec = (pod: CoreV1.Pod, containers: ReadonlyArray<Files.ContainerSpec>): Files.PodSpec => {
      const identity = PodSandbox.identityOf(pod)
      const policy = pod.spec?.restartPolicy
      return {
        schema: 1,
        pod: identity,
        zone: PodSandbox.namesOf(identity).zone,
        restartPolicy: policy === "Never" ? "Never" : policy === "OnFailure" ? "OnFailure" : "Always",
        containers,
        backOff: options.backOff,
        logs: { directory: Paths.podLogs(options.logDir, identity), maxBytes: options.logMaxBytes, maxFiles: options.logMaxFiles },
        ...PodDeadline.limits(pod),
        ...MemoryBound.of(pod),
        desired: { state: "run" }
      }
    }

    const factsOf = ([podIP = "", ...others]: ReadonlyArray<string>): FieldValues.PodFacts => ({
      podIP,
      podIPs: [podIP, ...others],
      hostIP: options.nodeAddress,
      services: services.list(),
      allocatable: options.allocatable
    })

    const upkeep = yield* PodUpkeep.make({
      client,
      tokens,
      remembered,
      dataDir: options.dataDir,
      emit,
      sandbox,
      services,
      factsOf,
      pods: options.source.list,
      allocatable: options.allocatable
    })

    /** Tells users why their pod does not go on. One that runs is shown as it is: nothing of it has ended because of that. */
    const tellFailure = (pod: CoreV1.Pod, error: PodBringUp.BringUpError): Effect.Effect<void> =>
      Effect.gen(function*() {
        if ((yield* isRunning(pod)) && error._tag !== "ContainerConfigError") {
          yield* emit(pod, BringUpFailure.whileRunning(error))
          return
        }
        const told = BringUpFailure.of(error)
        if (told === undefined) return
        const { event, sandboxProblem, waiting } = told
        yield* emit(pod, event === undefined ? [] : [event])
        lastFailure.set(pod.metadata.uid ?? "", [waiting, sandboxProblem])
        const supervised = yield* Effect.orElseSucceed(supervisor.read(pod.metadata.uid ?? ""), () => Option.none())
        yield* statuses.show(pod, yield* observe(pod, supervised, false, waiting, sandboxProblem))
        // A status that cannot be written now is written by the pass that follows anyway.
      }).pipe(Effect.ignore)

    const plans = yield* ZonePlans.make({
      nodeName: options.nodeName,
      dataDir: options.dataDir,
      allocatable: options.allocatable,
      gateProbeInterval: options.gateProbeInterval,
      client,
      sandbox,
      supervisor,
      images,
      tokens,
      remembered,
      factsOf,
      specOf: supervisorSpec,
      emit,
      tell: emit,
      pods: options.source.list,
      inApi: options.source.inApi,
      find: (uid) => {
        const found = options.source.byUid(uid)
        return found === undefined ? undefined : statuses.latest(found)
      },
      failed: tellFailure,
      removeVolumes: (uid) => PodVolumes.remove(options.dataDir, uid, options.source.byUid(uid)).pipe(Effect.provideService(FileSystem.FileSystem, fs)),
      stopped: stop.stopped,
      companionPlans: options.companionPlans,
      configInterval: options.resyncInterval,
      wake: options.wake
    })

    /**
     * Hands over the ephemeral containers that came since the last pass. Gives what is wrong with those that cannot be started: that is
     * theirs alone, the pod goes on.
     */
    const addEphemeral = (pod: CoreV1.Pod, known: Option.Option<SupervisorClient.SupervisedPod>) =>
      Effect.gen(function*() {
        if (Option.isNone(known) || known.value.spec.desired.state === "stop") return []
        const { spec, state } = known.value
        const added = EphemeralContainers.added(pod, spec)
        if (added.length === 0 || PodStatus.isOver(Option.getOrUndefined(state)) || !(yield* isRunning(pod))) return []
        const lease = yield* sandbox.findAddress(spec.pod.uid)
        // Read for these containers alone: what the pod itself was started with stays.
        const sources = yield* PodSources.read(client, tokens, { ...pod, spec: { containers: added } })
        const facts = factsOf(Option.match(lease, { onNone: () => PodSandbox.shownAddresses(pod), onSome: PodSandbox.addressesOf }))
        const brand = pod.metadata.annotations?.[PodBrand.annotation] ?? (yield* PodBrand.handlerOf(client, pod))
        const made = yield* Effect.forEach(added, (container) => EphemeralStart.prepare({ sandbox, images }, { pod, facts, sources }, brand, spec, container))
        const containers = made.filter(Either.isRight).map(({ right }) => right)
        if (containers.length > 0) {
          yield* supervisor.submit({ ...spec, ephemeralContainers: [...spec.ephemeralContainers ?? [], ...containers] })
        }
        const problems = made.filter(Either.isLeft).map(({ left }) => left)
        // Who pulls images has told already what is wrong with one.
        yield* emit(pod, problems.flatMap(({ _tag, container, message }) =>
          _tag === "ImageUnavailable" ? [] : [{ type: "Warning", reason: "Failed", message: `Error: ${message}`, container } as const]))
        return problems
      })

    const preemption = { supervisor, recorder, pods: () => options.source.list().map(statuses.latest), room: { ...options.allocatable, pods: options.maxPods } }
    const resize = PodResizer.make({ allocatable: options.allocatable, pods: options.source.list, sandbox, supervisor, emit })

    const keepRunning = (pod: CoreV1.Pod): Effect.Effect<Outcome, PassError> =>
      Effect.gen(function*() {
        const { uid } = PodSandbox.identityOf(pod)
        const known = yield* supervisor.read(uid)
        yield* life.look(pod, known)
        const tooLate = Option.isNone(known) ? PodDeadline.rejection(pod, yield* Clock.currentTimeMillis) : undefined
        const unwelcome = Option.isNone(known) ? options.pressed(pod) : undefined
        const rejected = PodAdmission.rejection(pod) ?? tooLate ?? unwelcome
        if (rejected !== undefined) {
          yield* Effect.flatMap(observe(pod, known, false), (observation) => statuses.show(pod, { ...observation, rejected }))
          yield* emit(pod, [{ type: "Warning", ...rejected }])
          return Outcome.Settled()
        }
        const full = Option.isNone(known) && StaticPod.isStatic(pod) ? yield* Preemption.admit(preemption, pod) : undefined
        if (full !== undefined) {
          yield* Effect.flatMap(observe(pod, known, false, full), (observation) => statuses.show(pod, observation))
          if (lastFailure.get(uid)?.[0].message !== full.message) yield* emit(pod, [{ type: "Warning", ...full }])
          lastFailure.set(uid, [full, undefined])
          return Outcome.RequeueAfter({ delay: full.isMakingRoom ? "1 second" : options.resyncInterval })
        }
        const state = Option.getOrUndefined(Option.flatMap(known, (pod) => pod.state))
        const isOver = PodStatus.isOver(state)
        const isMissing = !isOver && (Option.isNone(known) || !(yield* isRunning(pod)))
        // That it comes up is shown while it does.
        const [shownFirst, planned] = yield* Effect.all([
          isMissing
            ? Effect.either(Effect.flatMap(observe(pod, known, false, ...lastFailure.get(uid) ?? []), (observation) => statuses.show(pod, observation)))
            : Effect.succeed(Either.right(pod)),
          Effect.gen(function*() {
            if (isMissing) yield* services.ready(pod)
            if (!isOver) yield* upkeep.environments(pod, known, isMissing)
            return isOver ? undefined : yield* plans.pass(pod, known)
          })
        ], { concurrency: isMissing ? 2 : 1 })
        if (Either.isLeft(shownFirst)) return yield* shownFirst.left
        if (planned?.failure !== undefined && isMissing) return yield* Effect.fail(planned.failure)
        if (planned?.failure === undefined) lastFailure.delete(uid)
        // Read again only after something was done; what the supervisor writes meanwhile asks for a pass of its own.
        const handedOver = isMissing || planned?.instance?.status?.plan !== undefined ? yield* supervisor.read(uid) : known
        const problems = yield* addEphemeral(pod, handedOver)
        const supervised = pod.spec?.ephemeralContainers === undefined ? handedOver : yield* supervisor.read(uid)
        const running = yield* isRunning(pod)
        // A pause holds everything that changes a zone.
        const resized = running && planned?.instance?.spec.paused !== true
          ? yield* resize(statuses.latest(pod), Option.getOrUndefined(supervised), { instance: planned?.instance, nextBoot: planned?.nextBoot ?? [] })
          : undefined
        const observation: PodStatus.Observation = {
          ...(yield* observe(pod, supervised, running)),
          resize: resized,
          plans: PlanConditions.of(pod, planned?.instance),
          problems: new Map(problems.map(({ container, message, reason }) => [container, { reason, message }]))
        }
        yield* probes.act(pod, supervised, upkeep.environments(pod, supervised, true))
        const shown = yield* statuses.show(pod, observation)
        if (observation.sandboxReady && !PodPhase.isTerminal(shown)) yield* upkeep.volumes(pod)
        if (PodPhase.isTerminal(shown)) return outcome(yield* termination.release(shown))
        if (resized?.failure !== undefined) return yield* resized.failure
        if (planned?.failure !== undefined) return yield* Effect.fail(planned.failure)
        // What they lack may come: tried again with back-off.
        if (problems[0] !== undefined) return yield* Effect.fail(problems[0])
        // What has no reason is looked at in the reconciler's own time.
        const due = yield* upkeep.due(pod, supervised)
        const delay = due !== undefined && (planned?.delay === undefined || Duration.lessThan(due, planned.delay)) ? due : planned?.delay
        return delay === undefined || Duration.toMillis(delay) >= Duration.toMillis(options.resyncInterval)
          ? Outcome.Settled()
          : Outcome.RequeueAfter({ delay })
      })

    const settled = SettledPods.make({ client, plans, remembered, sandbox, services, supervisor, tokens, upkeep })

    const forget = (identity: Files.PodIdentity) =>
      Effect.gen(function*() {
        // What is known of it goes in any case: files that stay are found by a later look.
        const removed = yield* Effect.either(supervisor.remove(identity.uid))
        yield* images.release(identity.uid)
        yield* plans.forget(identity)
        lastFailure.delete(identity.uid)
        tokens.forget(identity.uid)
        yield* probes.forget(identity.uid)
        life.forget(identity.uid)
        upkeep.forget(identity.uid)
        settled.forget(identity.uid)
        yield* statuses.forget(identity.uid)
        yield* removed
      })

    const termination = PodTermination.make({
      client,
      emit,
      forget,
      life,
      observe,
      orphanConfirmation: options.orphanConfirmation,
      plans,
      sandbox,
      source: options.source,
      statuses,
      stop,
      supervisor
    })

    const outcome = (delay: Duration.DurationInput | undefined): Outcome =>
      delay === undefined ? Outcome.Settled() : Outcome.RequeueAfter({ delay })

    return {
      series: plans.series,
      plans,
      noteIdentity: termination.noteIdentity,
      noteDeleted: termination.noteDeleted,
      isSettled: (uid) =>
        Effect.suspend(() => {
          const found = options.source.byUid(uid)
          return found === undefined ? Effect.succeed(false) : settled.isSettled(statuses.latest(found))
        }),
      pass: (uid) =>
        Effect.suspend((): Effect.Effect<Outcome, PassError> => {
          const found = options.source.byUid(uid)
          if (found === undefined) return Effect.map(termination.removeMissing(uid), outcome)
          termination.notePresent(uid)
          const pod = statuses.latest(found)
          if (PodPhase.isTerminating(pod)) return Effect.map(termination.terminate(pod), outcome)
          return PodPhase.isTerminal(pod) ? Effect.map(termination.release(pod), outcome) : settled.passing(pod, keepRunning(pod))
        }).pipe(Effect.annotateLogs({ uid }))
    }
  })
