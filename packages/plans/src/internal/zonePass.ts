/** The pass over a zone, put together. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { Timestamp } from "@reddwarf/api-types"
import { randomUUID } from "node:crypto"
import * as Conditions from "../Conditions.js"
import * as Executor from "../Executor.js"
import * as GateTasks from "../GateTasks.js"
import type { InstanceWriter, WriteError } from "../InstanceWriter.js"
import type { Plan } from "../Plan.js"
import type { LedgerFailed } from "../PlanError.js"
import type { PlanLedger } from "../PlanLedger.js"
import type { TaskType } from "../PlanTask.js"
import * as Planner from "../Planner.js"
import * as PlanOutcome from "../PlanOutcome.js"
import * as PlanState from "../PlanState.js"
import * as TaskHandler from "../TaskHandler.js"
import * as TaskRegistry from "../TaskRegistry.js"
import type { Status, ZoneInstance } from "../ZoneInstance.js"
import * as ZoneInstances from "../ZoneInstance.js"
import type { Options, Requeue } from "../ZoneReconciler.js"
import * as backgroundTasks from "./backgroundTasks.js"
import * as PlanMetrics from "../PlanMetrics.js"
import * as mergeStatus from "./mergeStatus.js"
import * as passNews from "./passNews.js"
import * as planGate from "./planGate.js"
import * as planSlots from "./planSlots.js"
import * as recorder from "./recorder.js"
import * as statusShow from "./statusShow.js"
import { after, retryDelay, type Source, type Turn } from "./statusShow.js"
import * as zoneLedger from "./zoneLedger.js"
import * as zoneLook from "./zoneLook.js"
import * as zoneMemory from "./zoneMemory.js"
import type { ZoneMemory } from "./zoneMemory.js"

export interface Environment {
  readonly options: Options
  readonly ledger: Context.Tag.Service<PlanLedger>
  readonly writer: Context.Tag.Service<InstanceWriter>
  readonly scope: Scope.Scope
}

export const defaultController = "zoneinstance"

const idleDelay = 30_000

/** The object with the mark of its end that the ledger has: it stays in all that is written there. */
const ending = (found: ZoneInstance, kept: ZoneInstance | undefined): ZoneInstance => {
  const deletionTimestamp = kept?.metadata.deletionTimestamp
  return deletionTimestamp === undefined || found.metadata.deletionTimestamp !== undefined
    ? found
    : { ...found, metadata: { ...found.metadata, deletionTimestamp } }
}

const onEvent = (reason: string): Requeue => ({ _tag: "OnEvent", reason })
const absent: Requeue = { _tag: "Gone", reason: "there is no such object" }

export interface ZonePasses {
  readonly pass: (key: string) => Effect.Effect<Requeue, LedgerFailed | WriteError>
  readonly terminate: (key: string, instance: ZoneInstance) => Effect.Effect<void, LedgerFailed>
  readonly last: (key: string) => ZoneInstance | undefined
  readonly all: () => ReadonlyArray<ZoneInstance>
  readonly drain: (grace: Duration.DurationInput) => Effect.Effect<boolean>
  readonly isBetweenSteps: () => boolean
}

export const make = ({ ledger, options, scope, writer }: Environment): ZonePasses => {
  const memories = new Map<string, ZoneMemory>()
  const wake = options.wake ?? (() => Effect.void)
  const controller = options.controller ?? defaultController
  const event = options.events ?? (() => Effect.void)
  const teller: passNews.Teller = { controller, event }
  const background = backgroundTasks.make(scope, options.inlineFor ?? 1000, wake)
  const slots = planSlots.make({ disruptive: options.maxDisruptivePlans ?? 4, repair: options.maxRepairPlans ?? 16 })
  const own = TaskRegistry.make(GateTasks.make(options.gateClient))
  const registry: TaskRegistry.TaskRegistry = { get: (type) => Either.orElse(options.tasks.get(type), () => own.get(type)) }
  const isInterruptible = (type: TaskType): boolean => Either.getOrElse(registry.get(type), () => TaskHandler.defaultRules[type]).interruptible
  const deadlineOf = options.planDeadline ?? ((type) => type === "init" ? Duration.hours(1) : Duration.minutes(30))
  const look = zoneLook.make(options, teller)
  const ledgers = zoneLedger.make(ledger, teller)
  const shown = statusShow.make({ ledgerOf: ledgers.of, options, scope, wake, writer })

  const release = (key: string) => {
    const next = slots.release(key)
    return next === undefined ? Effect.void : wake(next)
  }

  const forget = (key: string) => Effect.suspend(() => {
    memories.delete(key)
    return release(key)
  })

  const memoryOf = Effect.fnUntraced(function*(key: string, uid: string, from = ledger) {
    const known = memories.get(key)
    if (known?.uid === uid) return known
    // Another pod of the same name: nothing of the former one counts.
    if (known !== undefined) yield* forget(key)
    const memory = zoneMemory.make(key, uid)
    yield* recorder.load(from, memory)
    memories.set(key, memory)
    return memory
  })

  /** The object from the API, else from the ledger; a Requeue when there is none. */
  const find = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Source | Requeue, LedgerFailed | WriteError> {
    const read = yield* Effect.either(writer.read(key))
    const found = Either.isRight(read) ? Option.getOrUndefined(read.right) : undefined
    const uid = found?.spec.podUID ?? memories.get(key)?.uid ?? options.uidOf?.(key)
    if (uid === undefined) return Either.isLeft(read) ? after(retryDelay, "the API does not answer") : absent
    const memory = yield* memoryOf(key, uid)
    if (found === undefined) {
      const last = memory.entry?.instance
      const isEnding = last?.metadata.deletionTimestamp !== undefined
      yield* recorder.refresh(last === undefined ? ledger : ledgers.of({ memory, instance: last, deleting: isEnding }), memory)
    }
    const kept = memory.entry?.instance
    const terminated = kept?.metadata.deletionTimestamp !== undefined
    if (found === undefined) {
      // An object that has no uid was never in the API: it is there before it can be uploaded.
      const isLocal = terminated || kept?.metadata.uid === undefined || options.isStatic?.(kept) === true
      if (kept === undefined || (Either.isRight(read) && !isLocal)) {
        yield* forget(key)
        return Either.isLeft(read) ? after(retryDelay, "the API does not answer") : absent
      }
      return { memory, instance: kept, api: undefined, deleting: terminated }
    }
    const deleting = terminated || found.metadata.deletionTimestamp !== undefined
    if (deleting || found.metadata.finalizers?.includes(ZoneInstances.finalizer) === true) {
      return { memory, instance: ending(found, kept), api: found, deleting }
    }
    const held = yield* Effect.either(writer.ensureFinalizer(found))
    if (Either.isRight(held)) return { memory, instance: held.right, api: held.right, deleting }
    return held.left._tag === "InstanceUnreachable"
      ? { memory, instance: found, api: undefined, deleting }
      : after(1, "the object changed while it was read")
  })

  /** A plan that only the API had: the ledger has it before anything is done for it. */
  const adopt = (source: Source, status: Status) =>
    Effect.zipRight(recorder.intent(ledgers.of(source), source.memory, source.instance, status), recorder.accepted(ledgers.of(source), source.memory))

  const finish = Effect.fnUntraced(function*(source: Source, status: Status, ended: Plan) {
    zoneMemory.tell(source.memory, ...passNews.ended(teller, source.instance, ended))
    source.memory.gateDue.clear()
    yield* recorder.ended(ledgers.of(source), source.memory, source.instance, status)
    yield* release(source.memory.key)
  })

  const executorInput = (source: Source, status: Status): Executor.Input => ({
    instance: { ...source.instance, status },
    status,
    registry,
    background: background.of(source.memory.key),
    record: recorder.tasks(ledgers.of(source), source.memory),
    ...(options.strictInit === undefined ? {} : { strictInit: options.strictInit })
  })

  const blocked = (source: Source, status: Status, reason: planGate.Reason, now: number): Status =>
    Conditions.set(status, planGate.condition(reason), source.instance.metadata.generation, now)

  const execute = Effect.fnUntraced(function*(
    source: Source,
    resolution: Planner.Resolution,
    decision: Extract<Planner.Decision, { readonly _tag: "Execute" }>,
    jitter: number
  ): Effect.fn.Return<Turn, LedgerFailed> {
    const { instance, memory } = source
    const { plan } = decision
    const now = yield* Clock.currentTimeMillis
    const { status } = resolution
    if (planGate.needsApi(plan, options.isStatic?.(instance) === true) && memory.entry?.accepted !== true) {
      return source.api === undefined
        ? { status: blocked(source, status, "APIUnavailable", now), requeue: after(retryDelay, "the API does not answer") }
        : { status: planGate.free(status, instance, now), requeue: after(1, "the API gets the plan first") }
    }
    if (!slots.acquire(memory.key, plan, options.priority?.(instance) ?? 0)) {
      return { status: blocked(source, status, "Concurrency", now), requeue: after(idleDelay, "other plans go first") }
    }
    const started = planGate.soaking(planGate.free(status, instance, now))
    const [executed, written] = yield* Executor.execute({ ...executorInput(source, started), stopAfter: decision.stopAfter }).pipe(
      Effect.catchTag("NoPlan", (error) => Effect.die(error)),
      Effect.either,
      shown.meanwhile(source, started)
    )
    const more = written === undefined ? {} : { api: written }
    if (Either.isLeft(executed)) return { status: started, requeue: after(retryDelay, "the ledger cannot be written"), error: executed.left, ...more }
    const result = executed.right
    const ended = result.status.plan
    if (ended === undefined || ended.phase === "Active") {
      if (ended !== undefined) recorder.progress(memory, ended)
      return { status: result.status, requeue: after(result.delay ?? 1, result.reason), ...more }
    }
    const end = yield* Clock.currentTimeMillis
    const finished = PlanOutcome.finish({ instance, status: result.status, now: end, jitter })
    yield* finish(source, finished, ended)
    return { status: finished, requeue: after(1, result.reason), ...more }
  })

  const create = Effect.fnUntraced(function*(
    source: Source,
    before: Status,
    resolution: Planner.Resolution,
    { consumed, plan }: Extract<Planner.Decision, { readonly _tag: "Created" }>
  ): Effect.fn.Return<Turn, LedgerFailed> {
    let { api, instance } = source
    if (consumed.length > 0 && api !== undefined) {
      // Used up before it is acted on: what a crash leaves is a gate that stays closed.
      const removed = yield* Effect.either(writer.removeAnnotations(api, [ZoneInstances.annotations.approveGate]))
      if (Either.isLeft(removed)) return { status: before, requeue: after(1, "the object changed while it was read") }
      api = removed.right
      instance = removed.right
    }
    const stored = yield* Effect.either(recorder.intent(ledgers.of(source), source.memory, instance, resolution.status))
    if (Either.isLeft(stored)) {
      yield* ledgers.failed(source, stored.left)
      const waiting = blocked(source, before, "LedgerUnavailable", yield* Clock.currentTimeMillis)
      return { status: waiting, requeue: after(retryDelay, "the ledger cannot be written"), error: stored.left }
    }
    if (!source.deleting) source.memory.ledgerFails = false
    zoneMemory.tell(source.memory, ...passNews.created(teller, instance, plan))
    return { status: resolution.status, requeue: after(1, "a plan was made"), ...(api === undefined ? {} : { api }) }
  })

  const waitOf = (decision: Planner.Decision, now: number): Requeue => {
    if (decision._tag !== "Waiting") return after(idleDelay, "nothing is to be done")
    if (decision.reason === "Failed") return onEvent("the zone is given up until its spec changes")
    return decision.until === undefined
      ? after(idleDelay, `plans wait: ${decision.reason}`)
      : after(Math.max(1, Math.min(decision.until - now, idleDelay)), "plans wait after a failure")
  }

  const act = Effect.fnUntraced(function*(source: Source, status: Status, seen: zoneLook.Seen): Effect.fn.Return<Turn, LedgerFailed> {
    const { deleting, instance, memory } = source
    const jitter = yield* Random.next
    const resolution = Planner.resolve({
      instance,
      status,
      observation: seen.observation,
      now: seen.now,
      transientSince: memory.transient?.since,
      newId: randomUUID,
      jitter,
      rulesOf: (type) => Either.getOrElse(registry.get(type), () => TaskHandler.defaultRules[type]),
      graceSeconds: options.graceSeconds?.(instance) ?? 30,
      deadlineOf,
      deleting
    })
    yield* look.count(memory, resolution.drifts)
    const { decision } = resolution
    if (decision._tag === "Created") return yield* create(source, status, resolution, decision)
    if (decision._tag === "Execute") return yield* execute(source, resolution, decision, jitter)
    if (decision._tag !== "Ended") return { status: resolution.status, requeue: waitOf(decision, seen.now) }
    if (decision.abandon) yield* Executor.abandon(executorInput(source, { ...status, plan: decision.ended }), decision.ended)
    yield* finish(source, resolution.status, decision.ended)
    return { status: resolution.status, requeue: after(1, "a plan ended") }
  })

  /** The zone of a pod that ended is gone: so is all that is known of it. */
  const gone = Effect.fnUntraced(function*(source: Source) {
    const { api, memory } = source
    if (api !== undefined) yield* writer.removeFinalizer(api)
    yield* Effect.all(memory.pending, { discard: true })
    yield* ledgers.of(source).remove(memory.uid)
    yield* forget(memory.key)
    return { _tag: "Gone", reason: "the zone is gone" } as const
  })

  const conflicting = (source: Source, before: Status, now: number): Turn => {
    const { generation } = source.instance.metadata
    const status = Conditions.set(before, planGate.writerConflict, generation, now)
    if (!Conditions.isTrue(before, "WriterConflict")) {
      PlanMetrics.writerConflicts.unsafeUpdate(1, [])
      zoneMemory.tell(source.memory, event(source.instance, planGate.writerConflictEvent))
    }
    return { status, requeue: after(idleDelay, "somebody else writes plans for this zone") }
  }

  /** What counts: decided here and not written yet, else what API and ledger say. */
  const statusOf = ({ api, memory }: Source): mergeStatus.Merged =>
    memory.unsaved === undefined
      ? mergeStatus.merge(api === undefined ? undefined : api.status ?? {}, memory.entry)
      : { status: mergeStatus.withForeign(memory.unsaved, api?.status), conflict: false, unknownToLedger: false }

  const run = Effect.fnUntraced(function*(key: string): Effect.fn.Return<Requeue, LedgerFailed | WriteError> {
    // What is read now has what was written last.
    yield* shown.settled(key)
    const source = yield* find(key)
    if ("_tag" in source) return source
    const { deleting, instance, memory } = source
    const merged = statusOf(source)
    const start = yield* Clock.currentTimeMillis
    let { status } = merged
    if (merged.conflict) {
      if (!deleting && !planGate.isRetried(instance, status)) return yield* shown.show(source, conflicting(source, status, start))
      // The operator decided, or the pod ends: neither plan counts, what there is to do is found by looking.
      status = planGate.withoutPlan(status, instance, start)
      yield* recorder.ended(ledgers.of(source), memory, instance, status)
    } else if (merged.unknownToLedger) yield* adopt(source, status)
    status = Conditions.clear(status, planGate.noConflict, instance.metadata.generation, start)
    if (deleting) {
      if (status.lastPlan?.type === "teardown" && status.lastPlan.outcome === "Complete" && status.plan === undefined) {
        return yield* gone(source)
      }
      if (status.phase !== "Terminating") {
        const ending = PlanState.setPhase(status, "Terminating", start)
        zoneMemory.tell(memory, ...passNews.phase(teller, instance, status, ending))
        return yield* shown.show(source, { status: ending, requeue: after(1, "the pod ends") })
      }
    }
    const seen = yield* look.at(source.instance, memory, status)
    const turn = yield* act(source, seen.status, seen)
    zoneMemory.tell(memory, ...passNews.phase(teller, instance, status, turn.status))
    const requeue = yield* shown.show(source, turn)
    return look.sooner(requeue, memory, turn.status, yield* Clock.currentTimeMillis)
  })

  return {
    pass: (key) => Effect.tapError(run(key), () => passNews.failedPass(controller, key)),
    terminate: Effect.fnUntraced(function*(key, given) {
      const lenient = (memory: ZoneMemory, instance: ZoneInstance) => ledgers.of({ deleting: true, memory, instance })
      const memory = yield* memoryOf(key, given.spec.podUID, lenient(zoneMemory.make(key, given.spec.podUID), given))
      if (memory.entry?.instance.metadata.deletionTimestamp !== undefined) return
      const instance = memory.last ?? memory.entry?.instance ?? given
      const now = Timestamp.secondsFromMillis(yield* Clock.currentTimeMillis)
      const marked = { ...instance, metadata: { ...instance.metadata, deletionTimestamp: now } }
      yield* lenient(memory, marked).save(marked)
      memory.entry = { accepted: false, recovered: false, ...memory.entry, instance: marked }
    }),
    last: (key) => memories.get(key)?.last,
    all: () => [...memories.values()].flatMap(({ last }) => last === undefined ? [] : [last]),
    // What must not be cut off gets twice as long.
    drain: (grace) =>
      Effect.zipLeft(background.drain(({ type }) => Duration.times(grace, isInterruptible(type) ? 1 : 2)), shown.drain(grace)),
    isBetweenSteps: () =>
      background.inFlight().some(({ type }) => !isInterruptible(type)) ||
      [...memories.values()].some(({ last }) => last?.status?.plan?.phase === "Active" && PlanState.isDown(last.status.plan))
  }
}
