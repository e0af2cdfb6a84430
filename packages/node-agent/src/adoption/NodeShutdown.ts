/** Ends the pods of a node that is taken out of service: the least important ones first, each with the time it asks for as far as there is any. */
import type * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, Kinds, PodPhase, Timestamp } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import type { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { SupervisorError } from "../supervisor/SupervisorError.js"
import * as HostMaintenance from "../node/HostMaintenance.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import * as StaticPod from "../static/StaticPod.js"

/** Pods from this priority on are critical. @category models */
export const criticalPriority = 2_000_000_000

/** @category models */
export interface Options {
  readonly dataDir: string
  readonly pods: ReadonlyArray<CoreV1.Pod>
  readonly zones: ZoneRuntime.ZoneRuntime["Type"]
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

/**
 * Ends the supervisor, so that nothing begins again, then one group of pods after the other. A pod that does not end in its time is halted.
 * What cannot be shown or stopped is logged, and the others go on. Nothing of the pods is removed.
 *
 * @category constructors
 */
export const run = (options: Options): Effect.Effect<void, SupervisorError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { client, zones } = options
    const critical = Duration.toMillis(options.criticalGrace ?? "30 seconds")
    const ordinary = Math.max(0, Duration.toMillis(options.grace ?? "120 seconds") - critical)
    yield* HostMaintenance.endSupervisor(options.dataDir)
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
    const stop = (pod: CoreV1.Pod, until: number) =>
      Effect.gen(function*() {
        const { zone } = PodSandbox.namesOf(PodSandbox.identityOf(pod))
        yield* show(pod)
        if (!running.has(zone)) return
        const left = Math.max(0, until - (yield* Clock.currentTimeMillis))
        yield* zones.shutdown(zone, { timeout: Duration.millis(Math.min(left, graceMillis(pod))) })
      }).pipe(Effect.catchAll((error) => Effect.logWarning("a pod does not end", error)))
    for (const group of groups(options.pods)) {
      const until = group.critical ? (yield* Clock.currentTimeMillis) + critical : startedAt + ordinary
      yield* Effect.forEach(group.pods, (pod) => stop(pod, until), { concurrency: 16, discard: true })
    }
  })
