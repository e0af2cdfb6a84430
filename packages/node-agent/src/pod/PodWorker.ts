/**
 * Moves the pods of this node towards what the API says, one pass for one pod at a time.
 *
 * A pass gets only a uid. It reads the pod, the host and the supervisor's records, does what is missing, and shows what it saw. So it does
 * not matter which event asked for it, whether one was missed, or at which step a previous agent was killed.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Kinds, PodPhase, Timestamp } from "@reddwarf/api-types"
import { ApiClient, ClientError, EventRecorder, type Informer } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { sharedDirectory } from "../internal/sharedDirectory.js"
import * as ContainerEnvironment from "../container/ContainerEnvironment.js"
import * as ContainerImages from "../container/ContainerImages.js"
import type * as ContainerStatus from "./ContainerStatus.js"
import * as EphemeralContainers from "../container/EphemeralContainers.js"
import type * as FieldValues from "../container/FieldValues.js"
import type * as NodeAgentOptions from "../NodeAgentOptions.js"
import type { ContainerConfigError, ImageUnavailable, VolumeSetupError } from "./PodError.js"
import * as PodAdmission from "./PodAdmission.js"
import * as PodBrand from "./PodBrand.js"
import * as PodEvents from "./PodEvents.js"
import * as PodRemoval from "./PodRemoval.js"
import * as PodResizer from "./PodResizer.js"
import * as PodSandbox from "./PodSandbox.js"
import * as PodSources from "../volume/PodSources.js"
import * as PodStatus from "./PodStatus.js"
import * as PodTokens from "../volume/PodTokens.js"
import * as PodVolumes from "../volume/PodVolumes.js"
import * as StatusManager from "./StatusManager.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as Paths from "../supervisor/SupervisorPaths.js"

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
  | ContainerConfigError
  | ImageUnavailable
  | VolumeSetupError
  | SupervisorFileFailed

/** @category models */
export interface Options extends NodeAgentOptions.Resolved {
  /** Pods of this node, by uid. */
  readonly informer: Informer.Informer<CoreV1.Pod>
  /** What the node can give; for containers that ask for their limits and have none. */
  readonly allocatable: FieldValues.PodFacts["allocatable"]
}

/** Index of the informer under which pods are found by uid. @category models */
export const uidIndex = "uid"

type Environment =
  | ApiClient.ApiClient
  | EventRecorder.EventRecorder
  | FileSystem.FileSystem
  | PodSandbox.PodSandbox
  | StatusManager.StatusManager
  | SupervisorClient.SupervisorClient

/** @category models */
export interface PodWorker {
  /** One pass for one pod. */
  readonly pass: (uid: string) => Effect.Effect<Outcome, PassError>
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
export const make = (options: Options): Effect.Effect<PodWorker, never, Environment> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const fs = yield* FileSystem.FileSystem
    const recorder = yield* EventRecorder.EventRecorder
    const sandbox = yield* PodSandbox.PodSandbox
    const statuses = yield* StatusManager.StatusManager
    const supervisor = yield* SupervisorClient.SupervisorClient
    const tokens = PodTokens.make(client)
    const identities = new Map<string, Files.PodIdentity>()
    /** When a pod was first found to be missing in the API. */
    const missingSince = new Map<string, number>()
    /** Grace in seconds of pods whose deletion the API reported while something of them was here. */
    const reportedDeleted = new Map<string, number>()
    /** Why the last pass could not bring a pod up. Shown until the next one gets further: a reason that comes and goes helps nobody. */
    const lastFailure = new Map<string, readonly [ContainerStatus.WaitingReason, ContainerStatus.WaitingReason | undefined]>()
    /** Pods of which everything was removed here, until the API's word of their end comes back. */
    const removed = new Set<string>()

    const emit = (pod: CoreV1.Pod, events: ReadonlyArray<PodEvents.PodEvent>) =>
      Effect.forEach(events, ({ container, message, reason, type }) =>
        recorder.event(PodEvents.reference(pod, container), type, reason, message), { discard: true })

    const images = yield* ContainerImages.resolver(client, emit)

    const observe = (
      pod: CoreV1.Pod,
      supervised: Option.Option<SupervisorClient.SupervisedPod>,
      sandboxReady: boolean,
      waiting?: ContainerStatus.WaitingReason,
      sandboxProblem?: ContainerStatus.WaitingReason
    ) =>
      Effect.map(sandbox.findAddress(pod.metadata.uid ?? ""), (lease): PodStatus.Observation => ({
        zone: PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone,
        sandboxReady,
        hostIP: options.nodeAddress,
        podIPs: Option.getOrUndefined(Option.map(lease, PodSandbox.addressesOf)),
        state: Option.getOrUndefined(Option.flatMap(supervised, ({ state }) => state)),
        waiting,
        imageIDs: Option.getOrUndefined(Option.map(supervised, ({ spec }) => new Map(spec.containers.map(({ imageID = "", name }) => [name, imageID])))),
        sandboxProblem,
        rejected: PodAdmission.rejection(pod)
      }))

    const isRunning = (pod: CoreV1.Pod) =>
      Effect.map(sandbox.zoneStates, (states) => states.get(PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone) === "running")

    /** Shows why nothing runs yet, then fails the pass so that it is tried again with back-off. */
    const failed = (
      pod: CoreV1.Pod,
      event: PodEvents.PodEvent | undefined,
      waiting: ContainerStatus.WaitingReason,
      sandboxProblem?: ContainerStatus.WaitingReason
    ) =>
    <E extends PassError>(error: E) =>
      Effect.gen(function*() {
        yield* emit(pod, event === undefined ? [] : [event])
        lastFailure.set(pod.metadata.uid ?? "", [waiting, sandboxProblem])
        const supervised = yield* Effect.orElseSucceed(supervisor.read(pod.metadata.uid ?? ""), () => Option.none())
        const observation = yield* observe(pod, supervised, false, waiting, sandboxProblem)
        // A status that cannot be written now is written by the pass that follows anyway.
        yield* Effect.ignore(statuses.show(pod, observation))
        return yield* Effect.fail(error)
      })

    const creating = { reason: "ContainerCreating" }

    const configFailed = (pod: CoreV1.Pod) => (error: ContainerConfigError) =>
      failed(
        pod,
        { type: "Warning", reason: "Failed", message: `Error: ${error.message}`, container: error.container },
        { reason: error.reason, message: error.message }
      )(error)

    /** What went wrong was told already, by who pulls. */
    const imageFailed = (pod: CoreV1.Pod) => (error: ImageUnavailable) => failed(pod, undefined, { reason: error.reason, message: error.message })(error)

    const sandboxFailed = (pod: CoreV1.Pod) => (error: PodSandbox.SandboxError | SupervisorFileFailed) =>
      failed(
        pod,
        { type: "Warning", reason: "FailedCreatePodSandBox", message: `Failed to create pod sandbox: ${error.message}` },
        // No retry brings a brand that the host does not have: users must see at the container why it waits.
        PodSandbox.isRefused(error) ? { reason: error._tag, message: error.message } : creating,
        { reason: PodSandbox.isRefused(error) ? error._tag : "FailedCreatePodSandBox", message: error.message }
      )(error)

    const mountFailed = (pod: CoreV1.Pod) => (error: VolumeSetupError) =>
      failed(pod, { type: "Warning", reason: "FailedMount", message: error.message }, creating)(error)

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
        desired: { state: "run" }
      }
    }

    const factsOf = ([podIP = "", ...others]: ReadonlyArray<string>): FieldValues.PodFacts => ({
      podIP,
      podIPs: [podIP, ...others],
      hostIP: options.nodeAddress,
      allocatable: options.allocatable
    })

    /** Writes the volumes of a running pod again when one of its tokens is to be renewed. Its old token is good for a while yet. */
    const renewTokens = (pod: CoreV1.Pod) =>
      Effect.gen(function*() {
        if (!(yield* tokens.isDue(pod))) return
        const lease = yield* sandbox.findAddress(pod.metadata.uid ?? "")
        if (Option.isNone(lease)) return
        const sources = yield* PodSources.read(client, tokens, pod)
        yield* PodVolumes.prepare(options.dataDir, { pod, facts: factsOf(PodSandbox.addressesOf(lease.value)), sources })
      }).pipe(
        Effect.catchAll((error) => Effect.logWarning("the tokens of a pod were not renewed; this is tried again", error)),
        Effect.provideService(FileSystem.FileSystem, fs)
      )

    /** From nothing, or from whatever is there, to a running zone with its containers handed over. */
    const bringUp = (pod: CoreV1.Pod, known: Option.Option<SupervisorClient.SupervisedPod>) =>
      Effect.gen(function*() {
        const { uid } = PodSandbox.identityOf(pod)
        const lease = yield* Effect.catchAll(sandbox.address(pod), sandboxFailed(pod))
        const sources = yield* PodSources.read(client, tokens, pod)
        const facts = factsOf(PodSandbox.addressesOf(lease))
        const handler = yield* PodBrand.handlerOf(client, pod)
        const asked = pod.metadata.annotations?.[PodBrand.annotation] ?? handler
        const pulled = yield* Effect.catchTag(images.resolve(pod, asked, Option.isNone(known)), "ImageUnavailable", imageFailed(pod))
        const inputs = { pod, facts, sources, images: pulled?.containers }
        const volumes = yield* Effect.catchAll(PodVolumes.prepare(options.dataDir, inputs), mountFailed(pod))
        const shared = yield* Effect.catchAll(supervisor.prepare(uid), sandboxFailed(pod))
        const notices = yield* Effect.catchAll(
          sandbox.ensure(pod, lease, [sharedDirectory(shared), ...volumes], { handler, ...pulled?.facts }),
          sandboxFailed(pod)
        )
        yield* emit(pod, notices)
        // What was handed over stays as it is: a container is restarted with the environment it was started with.
        if (Option.isSome(known)) return
        const containers = yield* Effect.catchAll(ContainerEnvironment.processes(inputs), configFailed(pod))
        yield* emit(pod, PodAdmission.ignored(pod))
        yield* supervisor.submit(supervisorSpec(pod, containers))
      }).pipe(Effect.provideService(FileSystem.FileSystem, fs))

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
        const made = added.map((container) => EphemeralContainers.process({ pod, facts, sources }, container))
        const containers = made.filter(Either.isRight).map(({ right }) => right)
        if (containers.length > 0) {
          yield* supervisor.submit({ ...spec, ephemeralContainers: [...spec.ephemeralContainers ?? [], ...containers] })
        }
        const problems = made.filter(Either.isLeft).map(({ left }) => left)
        yield* emit(pod, problems.map(({ container, message }) => ({ type: "Warning", reason: "Failed", message: `Error: ${message}`, container })))
        return problems
      })

    const resize = PodResizer.make({ allocatable: options.allocatable, pods: options.informer.list, sandbox, emit })

    const keepRunning = (pod: CoreV1.Pod): Effect.Effect<Outcome, PassError> =>
      Effect.gen(function*() {
        const { uid } = PodSandbox.identityOf(pod)
        const known = yield* supervisor.read(uid)
        const rejected = PodAdmission.rejection(pod)
        if (rejected !== undefined) {
          yield* Effect.flatMap(observe(pod, known, false), (observation) => statuses.show(pod, observation))
          yield* emit(pod, [{ type: "Warning", ...rejected }])
          return Outcome.Settled()
        }
        const state = Option.getOrUndefined(Option.flatMap(known, (pod) => pod.state))
        const isMissing = !PodStatus.isOver(state) && (Option.isNone(known) || !(yield* isRunning(pod)))
        if (isMissing) {
          const stored = yield* Effect.flatMap(observe(pod, known, false, ...lastFailure.get(uid) ?? []), (observation) => statuses.show(pod, observation))
          yield* bringUp(stored, known)
          lastFailure.delete(uid)
        }
        // Read again only after something was handed over; what the supervisor writes meanwhile asks for a pass of its own.
        const handedOver = isMissing ? yield* supervisor.read(uid) : known
        const problems = yield* addEphemeral(pod, handedOver)
        const supervised = pod.spec?.ephemeralContainers === undefined ? handedOver : yield* supervisor.read(uid)
        const running = yield* isRunning(pod)
        const resized = running ? yield* resize(statuses.latest(pod)) : undefined
        const observation: PodStatus.Observation = {
          ...(yield* observe(pod, supervised, running)),
          resize: resized,
          problems: new Map(problems.map(({ container, message, reason }) => [container, { reason, message }]))
        }
        const shown = yield* statuses.show(pod, observation)
        if (observation.sandboxReady && !PodPhase.isTerminal(shown)) yield* renewTokens(pod)
        if (PodPhase.isTerminal(shown)) return yield* release(shown)
        if (resized?.failure !== undefined) return yield* resized.failure
        // What they lack may come: tried again with back-off.
        return problems[0] === undefined ? Outcome.Settled() : yield* Effect.fail(problems[0])
      })

    /** Gives back what a pod that is over holds on the host. Its records and logs stay until it is deleted. */
    const release = (pod: CoreV1.Pod): Effect.Effect<Outcome, PassError> =>
      Effect.gen(function*() {
        const identity = PodSandbox.identityOf(pod)
        const { zone } = PodSandbox.namesOf(identity)
        const holdsZone = (yield* sandbox.zoneStates).has(zone)
        const holdsAddress = Option.isSome(yield* sandbox.findAddress(identity.uid))
        if (holdsZone || holdsAddress) {
          yield* sandbox.remove(identity)
          yield* PodVolumes.remove(options.dataDir, identity.uid).pipe(Effect.provideService(FileSystem.FileSystem, fs))
        }
        const supervised = yield* supervisor.read(identity.uid)
        yield* Effect.flatMap(observe(pod, supervised, false), (observation) => statuses.show(pod, observation))
        return Outcome.Settled()
      })

    const removeAll = (identity: Files.PodIdentity, pod?: CoreV1.Pod) =>
      Effect.gen(function*() {
        yield* sandbox.remove(identity).pipe(
          Effect.tapError((error) => pod === undefined ? Effect.void : emit(pod, [PodEvents.notRemoved(error.message)]))
        )
        yield* PodVolumes.remove(options.dataDir, identity.uid).pipe(Effect.provideService(FileSystem.FileSystem, fs))
        yield* supervisor.remove(identity.uid)
        yield* images.release(identity.uid)
        identities.delete(identity.uid)
        lastFailure.delete(identity.uid)
        tokens.forget(identity.uid)
        missingSince.delete(identity.uid)
        reportedDeleted.delete(identity.uid)
        yield* statuses.forget(identity.uid)
      })

    /** Whether the containers have ended, asking for it if need be. Past the deadline the zone is halted whatever they say. */
    const stopped = (uid: string, request: SupervisorClient.StopRequest, onFirst: Effect.Effect<void>) =>
      Effect.gen(function*() {
        const before = yield* supervisor.stop(uid, request)
        if (Option.isNone(before)) return true
        if (before.value.spec.desired.state === "run") yield* onFirst
        if (Option.isSome(before.value.state) && PodStatus.isOver(before.value.state.value)) return true
        const now = yield* Clock.currentTimeMillis
        return now > request.requestedAt + request.graceSeconds * 1000 + supervisorSlackMillis
      })

    const terminate = (pod: CoreV1.Pod): Effect.Effect<Outcome, PassError> =>
      Effect.gen(function*() {
        const identity = PodSandbox.identityOf(pod)
        const { uid } = identity
        const graceSeconds = graceOf(pod)
        const now = yield* Clock.currentTimeMillis
        const deadline = Timestamp.toMillis(pod.metadata.deletionTimestamp) ?? now
        const request = {
          requestId: `${uid}/${pod.metadata.deletionTimestamp ?? ""}`,
          requestedAt: deadline - graceSeconds * 1000,
          graceSeconds
        }
        const done = yield* stopped(uid, request, Effect.suspend(() => emit(pod, PodEvents.killing(pod))))
        const supervised = yield* supervisor.read(uid)
        const shown = yield* statuses.show(pod, yield* observe(pod, supervised, !done && (yield* isRunning(pod))))
        if (!done) return Outcome.RequeueAfter({ delay: "1 second" })
        yield* removeAll(identity, pod)
        removed.add(uid)
        yield* PodRemoval.finish(client, shown)
        return Outcome.Settled()
      })

    /** Whether the API, asked directly, does not have this pod on this node any more. */
    const isAbsent = (identity: Files.PodIdentity) =>
      client.get(Kinds.pod, { namespace: identity.namespace, name: identity.name }).pipe(
        Effect.map((pod) => pod.metadata.uid !== identity.uid || pod.spec?.nodeName !== options.nodeName),
        Effect.catchIf(ClientError.isNotFound, () => Effect.succeed(true))
      )

    /**
     * Something of a pod is here, and the informer does not have it. It goes only when the API says twice that the pod is gone: by
     * reporting the deletion and when asked, or when asked twice, some time apart. Silence of the API, or a list that came up short,
     * removes nothing.
     */
    const removeMissing = (uid: string): Effect.Effect<Outcome, PassError> =>
      Effect.gen(function*() {
        const supervised = yield* supervisor.read(uid)
        const identity = Option.match(supervised, { onNone: () => identities.get(uid), onSome: ({ spec }) => spec.pod })
        if (identity === undefined) {
          return Outcome.Settled()
        }
        if (!(yield* isAbsent(identity))) {
          missingSince.delete(uid)
          reportedDeleted.delete(uid)
          return Outcome.RequeueAfter({ delay: options.orphanConfirmation })
        }
        const now = yield* Clock.currentTimeMillis
        const reported = reportedDeleted.get(uid)
        const since = missingSince.get(uid) ?? now
        missingSince.set(uid, since)
        const confirmation = Duration.toMillis(options.orphanConfirmation)
        if (reported === undefined && now - since < confirmation) return Outcome.RequeueAfter({ delay: since + confirmation - now })
        const requestId = `${uid}/${reported === undefined ? "missing" : "deleted"}`
        const request = { requestId, requestedAt: now, graceSeconds: reported ?? orphanGraceSeconds }
        // One that was asked for before goes on, unless the deletion left less time.
        const asked = Option.match(supervised, {
          onNone: () => request,
          onSome: ({ spec: { desired } }) =>
            desired.state === "stop" && (reported === undefined || desired.requestId === requestId) ? desired : request
        })
        if (!(yield* stopped(uid, asked, Effect.logInfo("stopping a pod that is not in the API any more")))) {
          return Outcome.RequeueAfter({ delay: "1 second" })
        }
        yield* removeAll(identity)
        removed.delete(uid)
        return Outcome.Settled()
      })

    return {
      noteIdentity: (identity) => void identities.set(identity.uid, identity),
      noteDeleted: (pod, told) => {
        const { uid } = PodSandbox.identityOf(pod)
        if (removed.delete(uid)) return false
        if (told) reportedDeleted.set(uid, Math.max(1, graceOf(pod)))
        return true
      },
      pass: (uid) =>
        Effect.suspend(() => {
          const [found] = options.informer.byIndex(uidIndex, uid)
          if (found === undefined) return removeMissing(uid)
          missingSince.delete(uid)
          const pod = statuses.latest(found)
          if (PodPhase.isTerminating(pod)) return terminate(pod)
          return PodPhase.isTerminal(pod) ? release(pod) : keepRunning(pod)
        }).pipe(Effect.annotateLogs({ uid }))
    }
  })

/** Seconds between the request to end and the end by force. */
const graceOf = (pod: CoreV1.Pod): number => pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30

/** Time beyond its deadline that a supervisor gets to report the end of a pod, before its zone is halted anyway. */
const supervisorSlackMillis = 5_000

/** Grace of a pod that vanished from the API without having been asked to stop. */
const orphanGraceSeconds = 30
