/** One attempt to place a pod: decide against a snapshot and send it on its way, or say why not. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as CycleState from "../CycleState.js"
import * as Diagnosis from "../Diagnosis.js"
import type { PodInfo } from "../PodInfo.js"
import type { Profile } from "../Profile.js"
import type { SchedulerHandle } from "../SchedulerHandle.js"
import * as SchedulerMetrics from "../SchedulerMetrics.js"
import type { PostFilterContext, PostFilterResult, QueuedPod } from "../SchedulerPlugin.js"
import * as SchedulingCycle from "../SchedulingCycle.js"
import * as BindingCycle from "./bindingCycle.js"
import * as PluginSteps from "./pluginSteps.js"

export interface Parts extends BindingCycle.Parts {
  readonly profileOf: (pod: CoreV1.Pod) => Profile | undefined
  readonly handleOf: (profile: Profile) => SchedulerHandle
  readonly random: () => number
}

interface Outcome {
  readonly message: string
  readonly nominatedNode: string | undefined
}

const runPostFilters = Effect.fnUntraced(function*(profile: Profile, context: PostFilterContext) {
  const messages: Array<string> = []
  let last: PostFilterResult = {}
  for (const plugin of PluginSteps.of(profile).postFilter) {
    const result = yield* plugin.postFilter(context)
    if (result.message !== undefined && result.message !== "") messages.push(result.message)
    if (result.nominatedNode !== undefined) last = result
    if (result.nominatedNode !== undefined && result.nominatedNode !== "") break
  }
  const outcome: Outcome = { message: messages.join(", "), nominatedNode: last.nominatedNode }
  return outcome
})

const warnExpired = (pods: ReadonlyArray<PodInfo>): Effect.Effect<void> =>
  Effect.logWarning("bound pods were never seen on their nodes; their room is given back").pipe(
    Effect.annotateLogs("pods", pods.map((pod) => pod.key).join(" "))
  )

/** Gives the attempt as a function of the pod. It does not fail: whatever happens, the pod is answered for in the queue. */
export const make = (parts: Parts): (queued: QueuedPod) => Effect.Effect<void> => {
  const { cache, clock, queue, reporter } = parts
  const binding = BindingCycle.make(parts)
  const memory = SchedulingCycle.memory()
  const counters = new Map<string, ReturnType<typeof SchedulerMetrics.attemptsOf>>()
  let start = 0

  const countersOf = ({ schedulerName }: Profile) => {
    const known = counters.get(schedulerName)
    if (known !== undefined) return known
    const made = SchedulerMetrics.attemptsOf(schedulerName)
    counters.set(schedulerName, made)
    return made
  }

  const nominate = (pod: PodInfo, node: string | undefined): void => {
    if (node === "") cache.clearNomination(pod.id)
    else if (node !== undefined) cache.nominate(pod, node)
  }

  const giveUp = Effect.fnUntraced(function*(profile: Profile, context: PostFilterContext) {
    const { diagnosis, pod } = context
    countersOf(profile).count("unschedulable")
    const startedAt = clock.unsafeCurrentTimeNanos()
    const { message, nominatedNode } = yield* runPostFilters(profile, context)
    SchedulerMetrics.extensionPointSeconds(profile.schedulerName, "PostFilter", Number(clock.unsafeCurrentTimeNanos() - startedAt) / 1e9)
    nominate(pod, nominatedNode)
    // The pod stays in flight until its condition is written, so that two attempts never write out of order.
    yield* parts.fork(Effect.ensuring(
      reporter.notScheduled(profile, pod, "Unschedulable", Diagnosis.message(diagnosis, message), nominatedNode),
      Effect.sync(() => queue.reject(pod.id, diagnosis.rejectedBy))
    ))
  })

  const decide = (profile: Profile, queued: QueuedPod): Effect.Effect<void> =>
    Effect.suspend(() => {
      const pod = queued.info
      const state = CycleState.make()
      const startedAt = clock.unsafeCurrentTimeNanos()
      const nominatedNode = cache.nominatedNode(pod.id)
      const decision = SchedulingCycle.schedule(profile, pod, cache.current(), {
        start,
        random: parts.random,
        state,
        memory,
        ...(nominatedNode === undefined ? {} : { nominatedNode })
      })
      start = decision.nextStart
      const seconds = Number(clock.unsafeCurrentTimeNanos() - startedAt) / 1e9
      SchedulerMetrics.algorithmSeconds.unsafeUpdate(seconds, [])
      const handle = parts.handleOf(profile)
      if (decision._tag === "Placed") {
        return binding.begin({ profile, queued, pod, node: decision.node, attempt: { state, handle }, startedAt })
      }
      countersOf(profile).seconds("unschedulable", seconds)
      // Post filters may wait for something, and the cluster goes on meanwhile: they look at a copy.
      const snapshot = cache.snapshot()
      const { diagnosis, test, trial } = decision
      const offset = Math.floor(parts.random() * snapshot.nodes.length)
      return giveUp(profile, { pod, snapshot, diagnosis, test, trial, offset, state, handle })
    })

  return (queued) =>
    Effect.suspend(() => {
      const { info } = queued
      const profile = parts.profileOf(info.pod)
      if (profile === undefined) return Effect.sync(() => queue.remove(info.id))
      const expired = cache.dropExpired(clock.unsafeCurrentTimeMillis())
      // A plugin that throws must not end the scheduler: its pod waits, the others go on.
      const attempt = Effect.catchAllDefect(decide(profile, queued), (defect) => {
        binding.unplace(info)
        return Effect.zipRight(
          Effect.logError("scheduling attempt died", defect).pipe(Effect.annotateLogs("pod", info.key)),
          parts.fork(binding.errored(profile, info, `running plugins of profile ${profile.schedulerName}: ${String(defect)}`))
        )
      })
      return expired.length === 0 ? attempt : Effect.zipRight(warnExpired(expired), attempt)
    })
}
