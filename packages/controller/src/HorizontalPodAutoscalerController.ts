/**
 * Sets the number of replicas of what an autoscaler names so that its pods use as much of cpu, memory or another measured resource as they
 * should. Every 15 seconds; fewer only when fewer were enough for five minutes, unless its behaviour says otherwise.
 */
import { type AutoscalingV2, Kinds, LabelSelector, Quantity, Timestamp } from "@reddwarf/api-types"
import { ApiClient, type ClientError, EventRecorder, Informer, ObjectRef } from "@reddwarf/client"
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { isDeepStrictEqual } from "node:util"
import * as ClusterInformers from "./ClusterInformers.js"
import * as Controller from "./Controller.js"
import * as limits from "./internal/autoscalerLimits.js"
import * as proposals from "./internal/autoscalerProposals.js"
import type { Tolerance } from "./internal/autoscalerUsage.js"
import * as conditions from "./internal/conditions.js"
import * as newest from "./internal/newest.js"
import { isRoutine } from "./internal/routine.js"
import * as scales from "./internal/scales.js"
import { Outcome } from "./Reconciler.js"

/**
 * How often autoscalers are looked at, and how exact they are.
 *
 * @category models
 */
export interface Options {
  /** Autoscalers that are looked at concurrently: 5 unless given. */
  readonly workers?: number
  /** Time between two looks at one autoscaler: 15 seconds unless given. */
  readonly interval?: Duration.DurationInput
  /** How far usage and target may lie apart, as a fraction, for autoscalers whose behaviour does not say: 0.1 unless given. */
  readonly tolerance?: number
  /** Informers that are shared with other controllers; its own unless given. */
  readonly informers?: ClusterInformers.ClusterInformers | undefined
}

type Autoscaler = AutoscalingV2.HorizontalPodAutoscaler
type Condition = AutoscalingV2.HorizontalPodAutoscalerCondition

const toleranceOf = ({ behavior }: AutoscalingV2.HorizontalPodAutoscalerSpec, fallback: number): Tolerance => {
  const of = (rules: AutoscalingV2.HPAScalingRules | undefined) =>
    rules?.tolerance === undefined ? fallback : Quantity.toMillis(Quantity.fromText(rules.tolerance)) / 1000
  return { up: of(behavior?.scaleUp), down: of(behavior?.scaleDown) }
}

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informers.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | EventRecorder.EventRecorder | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const recorder = yield* EventRecorder.EventRecorder
  const clock = yield* Effect.clock
  const interval = Duration.toMillis(options.interval ?? "15 seconds")
  const pods = options.informers?.pods ?? (yield* ClusterInformers.pods)
  const autoscalers = yield* Informer.make({ kind: Kinds.horizontalPodAutoscaler })
  const scaling = scales.make(client)
  const latest = newest.make<Autoscaler>()
  /** What each autoscaler's target selects, by namespace and key: two must not pull at the same pods. */
  const selectors = new Map<string, Map<string, LabelSelector.LabelSelector>>()
  const histories = new Map<string, { readonly uid: string; readonly history: limits.History }>()
  /** When each was last looked at: its own status is a change, and no reason to look again. */
  const looked = new Map<string, { readonly at: number; readonly generation: number | undefined; readonly uid: string | undefined }>()

  const forgetSelector = (key: string): void => {
    const { namespace = "" } = ObjectRef.fromKey(key)
    const known = selectors.get(namespace)
    known?.delete(key)
    if (known?.size === 0) selectors.delete(namespace)
  }

  /** One look at one autoscaler. What it finds out is put into the status at the end, also when it cannot go on. */
  const look = Effect.fnUntraced(function*(key: string, autoscaler: Autoscaler): Effect.fn.Return<void, ClientError.ClientError> {
    const { maxReplicas: max, metrics = [], minReplicas: min = 1, scaleTargetRef: target } = autoscaler.spec
    const namespace = autoscaler.metadata.namespace ?? ""
    const now = clock.unsafeCurrentTimeMillis()
    let shown: ReadonlyArray<Condition> = autoscaler.status?.conditions ?? []
    const set = (type: string, status: string, reason: string, message: string) => {
      shown = conditions.set(shown, { type, status, reason, message }, now)
    }
    const warn = (reason: string, message: string) => recorder.event(autoscaler, "Warning", reason, message)
    const report = (values: Partial<AutoscalingV2.HorizontalPodAutoscalerStatus>) => {
      const before = autoscaler.status ?? { desiredReplicas: 0 }
      const status = { ...before, ...values, conditions: shown }
      return isDeepStrictEqual(status, before)
        ? Effect.void
        : Effect.map(client.updateStatus(Kinds.horizontalPodAutoscaler, { ...autoscaler, status }), (stored) => latest.wrote(key, stored))
    }

    // Until it is known again: an autoscaler that cannot scale is nobody's rival.
    forgetSelector(key)
    const read = yield* Effect.either(scaling.read(namespace, target))
    if (Either.isLeft(read)) {
      const { message } = read.left
      yield* warn("FailedGetScale", message)
      set("AbleToScale", "False", "FailedGetScale", `the HPA controller was unable to get the target's current scale: ${message}`)
      return yield* report({})
    }
    set("AbleToScale", "True", "SucceededGetScale", "the HPA controller was able to get the target's current scale")
    const { scale } = read.right
    const current = scale.spec?.replicas ?? 0

    const kept = histories.get(key)
    let history = kept?.uid === autoscaler.metadata.uid ? kept?.history ?? limits.noHistory : limits.noHistory
    let desired = current
    let why = ""
    let currentMetrics: ReadonlyArray<AutoscalingV2.MetricStatus> | undefined
    if (current === 0 && min !== 0) {
      set("ScalingActive", "False", "ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
    } else if (current > max) {
      desired = max
      why = "Current number of replicas above Spec.MaxReplicas"
    } else if (current < min) {
      desired = min
      why = "Current number of replicas below Spec.MinReplicas"
    } else {
      const selector = LabelSelector.parse(scale.status?.selector ?? "")
      if (Either.isLeft(selector) || LabelSelector.isEverything(selector.right)) {
        yield* warn("SelectorRequired", "selector is required")
        set("ScalingActive", "False", "InvalidSelector", "the HPA target's scale is missing a selector")
        return yield* report({ currentReplicas: current })
      }
      const selected = pods.byIndex("namespace", namespace).filter(({ metadata }) => LabelSelector.matches(selector.right, metadata.labels))
      const known = selectors.get(namespace) ?? new Map<string, LabelSelector.LabelSelector>()
      selectors.set(namespace, known.set(key, selector.right))
      const rivals = [...known].flatMap(([other, theirs]) =>
        other !== key && selected.some(({ metadata }) => LabelSelector.matches(theirs, metadata.labels)) ? [other] : [])
      if (rivals.length > 0) {
        const problem = `pods by selector ${scale.status?.selector ?? ""} are controlled by multiple HPAs: [${[key, ...rivals].sort().join(" ")}]`
        yield* warn("AmbiguousSelector", problem)
        set("ScalingActive", "False", "AmbiguousSelector", problem)
        return yield* report({ currentReplicas: current })
      }
      const measured = yield* Effect.either(client.list(Kinds.podMetrics, { namespace, labelSelector: scale.status?.selector }))
      const world: proposals.World = {
        current,
        now,
        tolerance: toleranceOf(autoscaler.spec, options.tolerance ?? 0.1),
        pods: selected,
        metrics: Either.isRight(measured) ? measured.right.items : []
      }
      const [problems, valid] = Arr.separate(metrics.map((metric) => proposals.of(metric, world)))
      for (const { message, reason } of problems) yield* warn(reason, message)
      currentMetrics = valid.map(({ status }) => status)
      const [first, ...others] = valid
      const best = first === undefined ? undefined : others.reduce((most, one) => one.replicas > most.replicas ? one : most, first)
      const [problem] = problems
      // Fewer is not decided on a part of the metrics.
      if (problem !== undefined && (best === undefined || best.replicas < current)) {
        yield* warn("FailedComputeMetricsReplicas", `invalid metrics (${problems.length} invalid out of ${metrics.length}), first error is: ${problem.summary}`)
        set("ScalingActive", "False", problem.reason, `the HPA was unable to compute the replica count: ${problem.message}`)
        return yield* report({ currentReplicas: current, currentMetrics })
      }
      if (best !== undefined) {
        set("ScalingActive", "True", "ValidMetricFound", `the HPA was able to successfully calculate a replica count from ${best.name}`)
        why = best.replicas > current ? `${best.name} above target` : best.replicas < current ? "All metrics below target" : ""
        const verdict = limits.decide({ current, desired: best.replicas, min, max, behavior: autoscaler.spec.behavior, history, now })
        set("AbleToScale", "True", verdict.able.reason, verdict.able.message)
        set("ScalingLimited", verdict.limited.status, verdict.limited.reason, verdict.limited.message)
        desired = verdict.replicas
        history = verdict.history
      }
    }

    if (desired === current) {
      histories.set(key, { uid: autoscaler.metadata.uid ?? "", history })
      return yield* report({ currentReplicas: current, desiredReplicas: desired, ...(currentMetrics === undefined ? {} : { currentMetrics }) })
    }
    const written = yield* Effect.either(scaling.write(read.right, desired))
    if (Either.isLeft(written)) {
      const { message } = written.left
      yield* warn("FailedRescale", `New size: ${desired}; reason: ${why}; error: ${message}`)
      set("AbleToScale", "False", "FailedUpdateScale", `the HPA controller was unable to update the target scale: ${message}`)
      histories.set(key, { uid: autoscaler.metadata.uid ?? "", history })
      return yield* report({ currentReplicas: current, desiredReplicas: current, ...(currentMetrics === undefined ? {} : { currentMetrics }) })
    }
    set("AbleToScale", "True", "SucceededRescale", `the HPA controller was able to update the target scale to ${desired}`)
    yield* recorder.event(autoscaler, "Normal", "SuccessfulRescale", `New size: ${desired}; reason: ${why}`)
    histories.set(key, { uid: autoscaler.metadata.uid ?? "", history: limits.scaled(history, autoscaler.spec.behavior, current, desired, now) })
    return yield* report({
      currentReplicas: current,
      desiredReplicas: desired,
      lastScaleTime: Timestamp.secondsFromMillis(now),
      ...(currentMetrics === undefined ? {} : { currentMetrics })
    })
  })

  const reconcile = (key: string): Effect.Effect<Outcome, ClientError.ClientError> =>
    Effect.suspend((): Effect.Effect<Outcome, ClientError.ClientError> => {
      const autoscaler = latest.of(key, autoscalers.get(key))
      if (autoscaler === undefined) {
        histories.delete(key)
        looked.delete(key)
        forgetSelector(key)
        return Effect.succeed(Outcome.Settled())
      }
      const { generation, uid } = autoscaler.metadata
      const now = clock.unsafeCurrentTimeMillis()
      const last = looked.get(key)
      const early = last !== undefined && last.uid === uid && last.generation === generation ? last.at + interval - now : 0
      if (early > 0) return Effect.succeed(Outcome.RequeueAfter({ delay: early }))
      looked.set(key, { at: now, generation, uid })
      return Effect.as(look(key, autoscaler), Outcome.RequeueAfter({ delay: interval }))
    })

  yield* Controller.run({
    name: "horizontal-pod-autoscaler",
    workers: options.workers ?? 5,
    resync: "1 minute",
    isRoutine,
    sources: [Controller.source(autoscalers, (autoscaler) => [ObjectRef.keyOf(autoscaler)])],
    reconcile
  })
})
