/**
 * How a status gets into the API: what a pass decided, without the passes waiting for each other's writes where nothing depends on them. What
 * counts is in the ledger; the status is a picture of it.
 */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { InstanceWriter, WriteError } from "../InstanceWriter.js"
import type { LedgerFailed } from "../PlanError.js"
import type { PlanLedger } from "../PlanLedger.js"
import type { Status, ZoneInstance } from "../ZoneInstance.js"
import type { Options, Requeue } from "../ZoneReconciler.js"
import * as canonicalJson from "./canonicalJson.js"
import * as planGate from "./planGate.js"
import * as recorder from "./recorder.js"
import * as zoneMemory from "./zoneMemory.js"
import type { ZoneMemory } from "./zoneMemory.js"

/** Where the object of this pass is from. */
export interface Source {
  readonly memory: ZoneMemory
  readonly instance: ZoneInstance
  /** The object in the API; absent when it cannot be asked, or does not have it. */
  readonly api: ZoneInstance | undefined
  readonly deleting: boolean
}

/** What a pass leaves to be written. */
export interface Turn {
  readonly status: Status
  readonly requeue: Requeue
  /** The ledger could not be kept: told after the status was written. */
  readonly error?: LedgerFailed
  /** The object with a newer resource version than was read. */
  readonly api?: ZoneInstance
}

export interface Environment {
  readonly ledgerOf: (source: Source) => Context.Tag.Service<PlanLedger>
  readonly options: Pick<Options, "isStatic" | "showAfter">
  readonly scope: Scope.Scope
  readonly wake: (key: string) => Effect.Effect<void>
  readonly writer: Context.Tag.Service<InstanceWriter>
}

export interface StatusShow {
  /** Shows what a pass decided: now, beside what follows, or together with what the next pass decides. Gives when that is. */
  readonly show: (source: Source, turn: Turn) => Effect.Effect<Requeue, LedgerFailed | WriteError>
  /** Shows `status` while an effect goes on, if it goes on for so long. Gives the object as stored, if that was done. */
  readonly meanwhile: (
    source: Source,
    status: Status
  ) => <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<readonly [A, ZoneInstance | undefined], E>
  /** Waits for the write that goes on beside the passes over a zone. */
  readonly settled: (key: string) => Effect.Effect<void>
  /** Waits for all of them, at most so long. */
  readonly drain: (grace: Duration.DurationInput) => Effect.Effect<void>
}

export const retryDelay = 5000

export const after = (millis: number, reason: string): Requeue => ({ _tag: "After", delay: Duration.millis(Math.ceil(millis)), reason })

const isAtOnce = (requeue: Requeue): boolean => requeue._tag === "After" && Duration.toMillis(requeue.delay) <= 1

export const make = ({ ledgerOf, options, scope, wake, writer }: Environment): StatusShow => {
  const showAfter = options.showAfter === undefined ? 0 : Duration.toMillis(options.showAfter)
  /** Writes that no pass waits for, by key. */
  const writing = new Map<string, Fiber.Fiber<void>>()

  /** Whether nothing waits until the API has the status. */
  const canWait = ({ instance, memory }: Source, { plan }: Status): boolean =>
    showAfter > 0 && (plan === undefined || memory.entry?.accepted === true || !planGate.needsApi(plan, options.isStatic?.(instance) === true))

  const news = (memory: ZoneMemory): Effect.Effect<void> => {
    if (memory.pending.length === 0) return Effect.void
    const pending = memory.pending
    memory.pending = []
    return Effect.all(pending, { discard: true })
  }

  /** Writes the status if it differs from what the API shows, then tells what happened. Gives when to go on where that is not the pass's choice. */
  const write = Effect.fnUntraced(function*(
    source: Source,
    api: ZoneInstance,
    status: Status
  ): Effect.fn.Return<Requeue | undefined, LedgerFailed> {
    const { memory } = source
    if (!canonicalJson.same(api.status, status)) {
      const written = yield* Effect.either(writer.patchStatus(api, zoneMemory.compact(status)))
      if (Either.isLeft(written)) {
        if (written.left._tag !== "InstanceUnreachable") {
          memory.unsaved = undefined
          memory.pending = []
          return after(1, "the object was changed by somebody else")
        }
        memory.unsaved = status
        return after(retryDelay, "the API does not answer")
      }
      memory.last = written.right
    }
    memory.unsaved = undefined
    if (status.plan !== undefined && status.plan.id === memory.entry?.plan?.id) yield* recorder.accepted(ledgerOf(source), memory)
    yield* news(memory)
    return undefined
  })

  /** The pass is over; the next one waits for the write, so there is one at a time. */
  const writeBeside = (source: Source, api: ZoneInstance, status: Status) => {
    const { key } = source.memory
    return write(source, api, status).pipe(
      Effect.catchAll((error) => Effect.as(Effect.logWarning("the plan ledger could not be kept", error), after(1, "the ledger cannot be written"))),
      Effect.ensuring(Effect.sync(() => void writing.delete(key))),
      Effect.flatMap((requeue) => requeue?._tag === "After" ? Effect.delay(wake(key), requeue.delay) : Effect.void),
      Effect.forkIn(scope),
      Effect.map((fiber) => {
        // It may have ended already.
        if (fiber.unsafePoll() === null) writing.set(key, fiber)
      }),
      Effect.uninterruptible
    )
  }

  return {
    show: Effect.fnUntraced(function*(source, { error, requeue, status, ...turn }) {
      const { memory } = source
      const api = turn.api ?? source.api
      memory.last = { ...(turn.api ?? source.instance), status }
      if (api === undefined) {
        memory.unsaved = status
        return error === undefined ? requeue : yield* error
      }
      if (error === undefined && canWait(source, status)) {
        memory.unsaved = status
        // What follows at once is shown together with this.
        if (!isAtOnce(requeue)) yield* writeBeside(source, api, status)
        return requeue
      }
      const instead = yield* write(source, api, status)
      if (instead === undefined) return error === undefined ? requeue : yield* error
      if (error !== undefined) yield* Effect.logWarning("the plan ledger could not be kept either", error)
      return memory.unsaved !== undefined && requeue._tag === "After" && Duration.toMillis(requeue.delay) < retryDelay ? requeue : instead
    }),

    meanwhile: (source, status) => (effect) =>
      Effect.suspend(() => {
        const { api, memory } = source
        if (api === undefined || !canWait(source, status)) return Effect.map(effect, (result) => [result, undefined] as const)
        let written: ZoneInstance | undefined
        const late = writer.patchStatus(api, zoneMemory.compact(status)).pipe(
          // What it could not write is written when the pass ends.
          Effect.matchEffect({
            onFailure: () => Effect.void,
            onSuccess: (stored) => {
              written = stored
              return news(memory)
            }
          }),
          Effect.uninterruptible
        )
        // Who begins something must be able to end it, and is not interrupted there: the wait can be.
        const waiting = Effect.zipRight(Effect.interruptible(Effect.sleep(Duration.millis(showAfter))), late)
        return Effect.acquireUseRelease(Effect.fork(waiting), () => effect, Fiber.interrupt).pipe(
          Effect.map((result) => [result, written] as const)
        )
      }),

    settled: (key) =>
      Effect.suspend(() => {
        const fiber = writing.get(key)
        return fiber === undefined ? Effect.void : Effect.asVoid(Fiber.await(fiber))
      }),

    drain: (grace) => Effect.suspend(() => Effect.asVoid(Effect.timeoutOption(Effect.forEach([...writing.values()], Fiber.await, { discard: true }), grace)))
  }
}
