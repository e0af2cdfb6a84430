/**
 * The end of pods: those that the API wants gone, those whose containers ended for good, and those of which only something on this host is
 * left. What is done to the zone is a plan; here is what comes before it and after it.
 */
import { type CoreV1, Timestamp } from "@reddwarf/api-types"
import type { ApiClient, ClientError } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as PodSource from "../adoption/PodSource.js"
import type * as ZonePlans from "../plan/ZonePlans.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import { PodNotRemoved } from "./PodError.js"
import * as PodEvents from "./PodEvents.js"
import type * as PodLife from "./PodLife.js"
import * as PodRemoval from "./PodRemoval.js"
import * as PodSandbox from "./PodSandbox.js"
import * as PodStatus from "./PodStatus.js"
import type * as PodStop from "./PodStop.js"
import type { StatusManager } from "./StatusManager.js"

/** What a pass over a pod that ends can fail with; all of it is tried again. @category errors */
export type TerminationError =
  | ClientError.ClientError
  | PodNotRemoved
  | PodSandbox.SandboxError
  | SupervisorFileFailed
  | ZonePlans.ZonePlansError

/** @category models */
export interface Services {
  readonly client: ApiClient.Service
  readonly life: PodLife.PodLife
  readonly plans: ZonePlans.ZonePlans
  readonly sandbox: PodSandbox.PodSandbox["Type"]
  readonly source: Pick<PodSource.PodSource, "isAbsent">
  readonly statuses: StatusManager["Type"]
  readonly stop: PodStop.PodStop
  readonly supervisor: SupervisorClient.SupervisorClient["Type"]
  readonly emit: (pod: CoreV1.Pod, events: ReadonlyArray<PodEvents.PodEvent>) => Effect.Effect<void>
  readonly observe: (
    pod: CoreV1.Pod,
    supervised: Option.Option<SupervisorClient.SupervisedPod>,
    sandboxReady: boolean
  ) => Effect.Effect<PodStatus.Observation>
  /** Drops what is known and kept of a pod of which nothing is on the host. */
  readonly forget: (identity: Files.PodIdentity) => Effect.Effect<void, SupervisorFileFailed>
  /** How long a pod must be missing in the API until that is believed, where nobody reported its deletion. */
  readonly orphanConfirmation: Duration.DurationInput
}

/** @category models */
export interface PodTermination {
  /** One pass over a pod that the API wants gone. Gives when to look again; undefined when it has ended. */
  readonly terminate: (pod: CoreV1.Pod) => Effect.Effect<Duration.DurationInput | undefined, TerminationError>
  /** One pass over a pod that is over: gives back what it holds on the host. Its records and logs stay until it is deleted. */
  readonly release: (pod: CoreV1.Pod) => Effect.Effect<Duration.DurationInput | undefined, TerminationError>
  /**
   * One pass over something that is here of a pod which the informer does not have. It goes only when the API says twice that the pod is
   * gone: by reporting the deletion and when asked, or when asked twice, some time apart. Silence of the API, or a list that came up short,
   * removes nothing.
   */
  readonly removeMissing: (uid: string) => Effect.Effect<Duration.DurationInput | undefined, TerminationError>
  /** Remembers who a uid was, for when only its leftovers are there. */
  readonly noteIdentity: (identity: Files.PodIdentity) => void
  /** Hears that a pod is there. */
  readonly notePresent: (uid: string) => void
  /**
   * Hears that a pod is not in the API any more; `told` when the API reported the deletion itself. Gives false when nothing of the pod can
   * be left here, because its removal was the last thing this agent did for it.
   */
  readonly noteDeleted: (pod: CoreV1.Pod, told: boolean) => boolean
}

/** Seconds between the request to end and the end by force. */
const graceOf = (pod: CoreV1.Pod): number => pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30

/** Grace of a pod that vanished from the API without having been asked to stop. */
const orphanGraceSeconds = 30

/** @category constructors */
export const make = (services: Services): PodTermination => {
  const { client, emit, life, observe, plans, sandbox, source, statuses, stop, supervisor } = services
  const identities = new Map<string, Files.PodIdentity>()
  /** When a pod was first found to be missing in the API. */
  const missingSince = new Map<string, number>()
  /** Grace in seconds of pods whose deletion the API reported while something of them was here. */
  const reportedDeleted = new Map<string, number>()
  /** Pods of which everything was removed here, until the API's word of their end comes back. */
  const removed = new Set<string>()

  const show = (pod: CoreV1.Pod, supervised: Option.Option<SupervisorClient.SupervisedPod>) =>
    Effect.gen(function*() {
      const isOver = Option.exists(supervised, ({ state }) => PodStatus.isOver(Option.getOrUndefined(state)))
      const zone = PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone
      const ready = !isOver && (yield* sandbox.zoneStates).get(zone) === "running"
      return yield* statuses.show(pod, yield* observe(pod, supervised, ready))
    })

  /** Moves the end of the zone on. Gives undefined when nothing of it is left. */
  const teardown = (identity: Files.PodIdentity, pod: CoreV1.Pod | undefined) =>
    Effect.gen(function*() {
      const { delay, isGone, problem } = yield* plans.teardown(identity)
      if (isGone) return undefined
      if (problem === undefined) return delay ?? "1 second"
      if (pod !== undefined) yield* emit(pod, [PodEvents.notRemoved(problem)])
      return yield* new PodNotRemoved({ namespace: identity.namespace, name: identity.name, detail: problem })
    })

  /** Whether anything of the pod may be on the host, or is known to have been begun with. */
  const holdsAnything = (identity: Files.PodIdentity) =>
    Effect.gen(function*() {
      if ((yield* sandbox.zoneStates).has(PodSandbox.namesOf(identity).zone)) return true
      return Option.isSome(yield* sandbox.findAddress(identity.uid)) || (yield* plans.isKnown(identity.uid))
    })

  const forget = (identity: Files.PodIdentity) =>
    Effect.zipRight(
      services.forget(identity),
      Effect.sync(() => {
        stop.forget(identity.uid)
        for (const known of [identities, missingSince, reportedDeleted]) known.delete(identity.uid)
      })
    )

  const terminate = (pod: CoreV1.Pod) =>
    Effect.gen(function*() {
      const identity = PodSandbox.identityOf(pod)
      const { uid } = identity
      const graceSeconds = graceOf(pod)
      const deadline = Timestamp.toMillis(pod.metadata.deletionTimestamp) ?? (yield* Clock.currentTimeMillis)
      const request = {
        requestId: `${uid}/${pod.metadata.deletionTimestamp ?? ""}`,
        requestedAt: deadline - graceSeconds * 1000,
        graceSeconds
      }
      stop.ask(uid, request, Effect.suspend(() => emit(pod, PodEvents.killing(pod))))
      if (!removed.has(uid) && (yield* holdsAnything(identity))) {
        const before = yield* supervisor.read(uid)
        yield* life.look(pod, before)
        // An API that does not answer holds nothing up: what became of the containers is shown when it does.
        yield* Effect.catchAll(show(pod, before), (error) => Effect.logDebug("the status of a pod that ends was not shown", error))
        const delay = yield* teardown(identity, pod)
        const after = yield* supervisor.read(uid)
        yield* life.look(pod, after)
        if (delay !== undefined) {
          yield* Effect.catchAll(show(pod, after), (error) => Effect.logDebug("the status of a pod that ends was not shown", error))
          return delay
        }
      } else if (!(yield* stop.stopped(uid))) return "1 second"
      const shown = yield* show(pod, yield* supervisor.read(uid))
      // Files on a disk that takes no changes are removed by a later look, as those of a pod that is gone.
      const isForgotten = yield* Effect.catchAll(Effect.as(forget(identity), true), (error) =>
        Effect.as(Effect.logWarning("files of a pod that has ended are left; they are removed when they can be", error), false))
      if (isForgotten) removed.add(uid)
      yield* PodRemoval.finish(client, shown)
      return undefined
    })

  const release = (pod: CoreV1.Pod) =>
    Effect.gen(function*() {
      const identity = PodSandbox.identityOf(pod)
      const { uid } = identity
      if (yield* holdsAnything(identity)) {
        const supervised = yield* supervisor.read(uid)
        const before = Option.getOrUndefined(supervised)?.spec.desired
        const requestedAt = yield* Clock.currentTimeMillis
        const request = before?.state === "stop" ? before : { requestId: `${uid}/over`, requestedAt, graceSeconds: graceOf(pod) }
        stop.ask(uid, request, Effect.suspend(() => emit(pod, PodEvents.killing(pod))))
        const delay = yield* teardown(identity, pod)
        if (delay !== undefined) return delay
      }
      yield* show(pod, yield* supervisor.read(uid))
      return undefined
    })

  const removeMissing = (uid: string) =>
    Effect.gen(function*() {
      const supervised = yield* supervisor.read(uid)
      const identity = Option.match(supervised, { onNone: () => identities.get(uid), onSome: ({ spec }) => spec.pod }) ?? (yield* plans.identityOf(uid))
      if (identity === undefined) return undefined
      if (!(yield* source.isAbsent(identity))) {
        missingSince.delete(uid)
        reportedDeleted.delete(uid)
        return services.orphanConfirmation
      }
      const now = yield* Clock.currentTimeMillis
      const reported = reportedDeleted.get(uid)
      const since = missingSince.get(uid) ?? now
      missingSince.set(uid, since)
      const confirmation = Duration.toMillis(services.orphanConfirmation)
      if (reported === undefined && now - since < confirmation) return since + confirmation - now
      const requestId = `${uid}/${reported === undefined ? "missing" : "deleted"}`
      const request = { requestId, requestedAt: now, graceSeconds: reported ?? orphanGraceSeconds }
      // One that was asked for before goes on, unless the deletion left less time.
      const asked = Option.match(supervised, {
        onNone: () => request,
        onSome: ({ spec: { desired } }) =>
          desired.state === "stop" && (reported === undefined || desired.requestId === requestId) ? desired : request
      })
      stop.ask(uid, asked, Effect.logInfo("stopping a pod that is not in the API any more"))
      const delay = yield* teardown(identity, undefined)
      if (delay !== undefined) return delay
      yield* forget(identity)
      removed.delete(uid)
      return undefined
    })

  return {
    terminate,
    release,
    removeMissing,
    noteIdentity: (identity) => void identities.set(identity.uid, identity),
    notePresent: (uid) => void missingSince.delete(uid),
    noteDeleted: (pod, told) => {
      const { uid } = PodSandbox.identityOf(pod)
      if (removed.delete(uid)) return false
      if (told) reportedDeleted.set(uid, Math.max(1, graceOf(pod)))
      return true
    }
  }
}
