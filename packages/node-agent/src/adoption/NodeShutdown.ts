/** Ends the pods of a node that is taken out of service: the least important ones first, each with the time it asks for as far as there is any. */
import type * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Kinds, PodPhase, Timestamp } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import type { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorError } from "../supervisor/SupervisorError.js"
import * as HostMaintenance from "../node/HostMaintenance.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import * as PodStatus from "../pod/PodStatus.js"
import * as StaticPod from "../static/StaticPod.js"

/** Pods from this priority on are critical. @category models */
export const criticalPriority = 2_000_000_000

/** @category models */
export interface Options {
  readonly dataDir: string
  readonly pods: ReadonlyArray<CoreV1.Pod>
  readonly zones: ZoneRuntime.ZoneRuntime["Type"]
  readonly supervisor: SupervisorClient.SupervisorClient["Type"]
  readonly client: ApiClient.Service
  /** For all pods together. Default 120 seconds. */
  readonly grace?: Duration.DurationInput
  /** The last part of it, for critical pods. Default 30 seconds. */
  readonly criticalGrace?: Duration.DurationInput
}

/** Pods that end together. @category models */
export interface Group {
  readonly priority: number
  readonly critical: boolean
  readonly pods: ReadonlyArray<CoreV1.Pod>
}

/** The order in which pods end. Pure. @category constructors */
export const groups = (pods: ReadonlyArray<CoreV1.Pod>): ReadonlyArray<Group> => {
  const byPriority = new Map<number, Array<CoreV1.Pod>>()
  for (const pod of pods) {
    const given = pod.spec?.priority ?? 0
    const priority = Math.min(given, criticalPriority)
    byPriority.set(priority, [...byPriority.get(priority) ?? [], pod])
  }
  return [...byPriority].sort(([a], [b]) => a - b).map(([priority, members]) => ({ priority, critical: priority >= criticalPriority, pods: members }))
}

const graceMillis = (pod: CoreV1.Pod): number => (pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000

/** What users see of a pod whose node is taken out of service. It begins again when the node comes back. */
const conditions = (pod: CoreV1.Pod, now: number): ReadonlyArray<CoreV1.PodCondition> =>
  (pod.status?.conditions ?? []).map((condition) =>
    condition.type !== "Ready" && condition.type !== "ContainersReady" ? condition : {
      ...condition,
      status: "False",
      reason: "NodeShutdown",
      message: "the node is being shut down",
      lastTransitionTime: condition.status === "False" && condition.lastTransitionTime !== undefined ? condition.lastTransitionTime : Timestamp.secondsFromMillis(now)
    })

/** Requests that end with this were made here, whichever agent reads them. */
const requestSuffix = "/node-shutdown"

/** Time beyond its grace that a supervisor gets to report the end of a pod. */
const slackMillis = 2_000

/**
 * Lets the pods run on that an earlier agent has ended in this way: it is the next one that is to bring them up.
 *
 * @category constructors
 */
export const release = (supervisor: SupervisorClient.SupervisorClient["Type"]): Effect.Effect<void> =>
  supervisor.list.pipe(
    Effect.flatMap(Effect.forEach((uid) =>
      Effect.flatMap(supervisor.read(uid), Option.match({
        onNone: () => Effect.void,
        onSome: ({ spec }) =>
          spec.desired.state === "hold" && spec.desired.requestId.endsWith(requestSuffix)
            ? supervisor.submit({ ...spec, desired: { state: "run" } })
            : Effect.void
      })), { discard: true })),
    Effect.catchAll((error) => Effect.logWarning("pods that ended with the node are not all begun again; the next start tries it", error))
  )

/**
 * Ends one group of pods after the other: their containers as at the end of any pod, hooks and signals and all, then their zones. A pod that
 * does not end in its time is halted. What cannot be shown or stopped is logged, and the others go on. Nothing of the pods is removed. At the
 * end the supervisor goes as well.
 *
 * @category constructors
 */
export const run = (options: Options): Effect.Effect<void, SupervisorError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { client, supervisor, zones } = options
    const critical = Duration.toMillis(options.criticalGrace ?? "30 seconds")
    const ordinary = Math.max(0, Duration.toMillis(options.grace ?? "120 seconds") - critical)
    const isSupervised = yield* Effect.orElseSucceed(supervisor.isAlive, () => false)
    const startedAt = yield* Clock.currentTimeMillis
    const running = new Set(
      (yield* Effect.orElseSucceed(zones.list, (): ReadonlyArray<ZoneRuntime.ZoneSummary> => []))
        .filter(({ state }) => state === "running" || state === "ready").map(({ name }) => String(name))
    )
    const show = (pod: CoreV1.Pod) =>
      Effect.gen(function*() {
        const { name = "", namespace, uid } = pod.metadata
        if (StaticPod.isStatic(pod) || PodPhase.isTerminal(pod)) return
        const status = { conditions: conditions(pod, yield* Clock.currentTimeMillis) }
        yield* client.patch(Kinds.pod, { namespace, name }, { metadata: { uid }, status }, { type: "merge", subresource: "status" })
      }).pipe(
        Effect.timeout("5 seconds"),
        Effect.catchAll((error) =>
          error._tag !== "TimeoutException" && ClientError.isNotFound(error) ? Effect.void : Effect.logDebug("the end of a pod cannot be shown", error))
      )
    /** Ends the containers, and waits for it. */
    const endContainers = (uid: string, grace: number) =>
      Effect.gen(function*() {
        const requestId = `${uid}/${startedAt}${requestSuffix}`
        yield* supervisor.hold(uid, { requestId, requestedAt: yield* Clock.currentTimeMillis, graceSeconds: Math.ceil(grace / 1000) })
        yield* supervisor.read(uid).pipe(
          Effect.map(Option.match({
            onNone: () => true,
            onSome: ({ state }) => Option.exists(state, (state) => state.held === requestId || PodStatus.isOver(state))
          })),
          Effect.repeat({ until: (ended) => ended, schedule: Schedule.spaced("50 millis") }),
          Effect.timeoutOption(grace + slackMillis)
        )
      }).pipe(Effect.catchAll((error) => Effect.logWarning("the containers of a pod do not end in order", error)))
    const stop = (pod: CoreV1.Pod, until: number) =>
      Effect.gen(function*() {
        const { uid, zone } = { uid: pod.metadata.uid ?? "", zone: PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone }
        yield* show(pod)
        if (!running.has(zone)) return
        const left = Effect.map(Clock.currentTimeMillis, (now) => Math.min(Math.max(0, until - now), graceMillis(pod)))
        if (isSupervised) yield* endContainers(uid, yield* left)
        yield* zones.shutdown(zone, { timeout: Duration.millis(yield* left) })
      }).pipe(Effect.catchAll((error) => Effect.logWarning("a pod does not end", error)))
    for (const group of groups(options.pods)) {
      const until = group.critical ? (yield* Clock.currentTimeMillis) + critical : startedAt + ordinary
      yield* Effect.forEach(group.pods, (pod) => stop(pod, until), { concurrency: "unbounded", discard: true })
    }
    yield* HostMaintenance.endSupervisor(options.dataDir)
  })
