/** What an agent knows of its plans without the API: durable before the first effect. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as ledgerCodec from "./internal/ledgerCodec.js"
import * as ledgerFiles from "./internal/ledgerFiles.js"
import type { Plan } from "./Plan.js"
import { LedgerFailed, type LedgerSchemaNewer } from "./PlanError.js"
import * as PlanMetrics from "./PlanMetrics.js"
import type { PlanTask } from "./PlanTask.js"
import type { ZoneInstance } from "./ZoneInstance.js"

/** What is known of one zone. @category models */
export interface LedgerEntry {
  /** The object as last seen or made, with its status as last decided here. */
  readonly instance: ZoneInstance
  /** The plan that is under way, as far as it got. */
  readonly plan?: Plan
  /** Whether the API has the plan. */
  readonly accepted: boolean
  /** Whether something was lost, so that this was put together from the previous copy. */
  readonly recovered: boolean
}

/**
 * Records by pod uid. Everything that fails leaves what was there before.
 *
 * @category services
 */
export class PlanLedger extends Context.Tag("@reddwarf/plans/PlanLedger")<PlanLedger, {
  /** None: there is no record, or none of its copies is whole. */
  readonly load: (uid: string) => Effect.Effect<Option.Option<LedgerEntry>, LedgerFailed>
  /** Uids that have records. */
  readonly list: Effect.Effect<ReadonlyArray<string>, LedgerFailed>
  /** Uids whose records were lost or fell back to an older copy, of those that were loaded since the start. */
  readonly rebuilt: Effect.Effect<ReadonlySet<string>>
  /** The object: keeps what a static pod, or an API that is away, has to show. A plan under way stays. On disk when this returns. */
  readonly save: (instance: ZoneInstance) => Effect.Effect<void, LedgerFailed>
  /** The plan in `instance.status` is about to be carried out. On disk when this returns. */
  readonly intent: (instance: ZoneInstance) => Effect.Effect<void, LedgerFailed>
  /** The API has the plan. */
  readonly accepted: (uid: string, planId: string) => Effect.Effect<void, LedgerFailed>
  /** Tasks as they are now, by place in the plan. On disk when this returns if `durable`; else it survives the agent, not the host. */
  readonly tasks: (
    uid: string,
    planId: string,
    tasks: ReadonlyArray<readonly [index: number, task: PlanTask]>,
    durable: boolean
  ) => Effect.Effect<void, LedgerFailed>
  /** The plan ended: `instance.status` is what is left of it. The log is emptied. On disk when this returns. */
  readonly ended: (instance: ZoneInstance) => Effect.Effect<void, LedgerFailed>
  /** Removes every record of the pod. */
  readonly remove: (uid: string) => Effect.Effect<void, LedgerFailed>
}>() {}

/** What the two kinds of storage do. */
interface Storage {
  readonly load: (uid: string) => Effect.Effect<ledgerFiles.Found, LedgerFailed>
  readonly append: (uid: string, text: string, durable: boolean, isNew: boolean) => Effect.Effect<void, LedgerFailed>
  readonly replace: (uid: string, text: string, hasLog: boolean) => Effect.Effect<void, LedgerFailed>
  readonly reset: (uid: string) => Effect.Effect<void, LedgerFailed>
  readonly remove: (uid: string) => Effect.Effect<void, LedgerFailed>
  readonly uids: Effect.Effect<ReadonlyArray<string>, LedgerFailed>
}

const uidPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

const isUid = (uid: string): boolean => uidPattern.test(uid) && !/\.(?:prev|log|tmp)$/.test(uid) && !uid.includes("..")

type Pod = ledgerFiles.Found

const service = (storage: Storage): Context.Tag.Service<PlanLedger> => {
  const pods = new Map<string, Pod>()
  const rebuilt = new Set<string>()

  const locks = new Map<string, Effect.Semaphore>()

  /** Uses the pod as known, read from disk the first time; one use of a pod at a time. */
  const locked = <A>(uid: string, use: (pod: Pod) => Effect.Effect<A, LedgerFailed>): Effect.Effect<A, LedgerFailed> =>
    Effect.suspend(() => {
      if (!isUid(uid)) {
        return Effect.fail(new LedgerFailed({ operation: "use", path: JSON.stringify(uid), detail: "it is no uid of a pod" }))
      }
      const lock = locks.get(uid) ?? Effect.unsafeMakeSemaphore(1)
      locks.set(uid, lock)
      const loaded = Effect.suspend(() => {
        const known = pods.get(uid)
        if (known !== undefined) return Effect.succeed(known)
        return Effect.flatMap(storage.load(uid), (found) => {
          if (found.recovered) rebuilt.add(uid)
          return Effect.as(
            Effect.zipRight(found.recovered ? Metric.increment(PlanMetrics.ledgerRebuilt) : Effect.void, mended(uid, found)),
            found
          )
        })
      })
      return lock.withPermits(1)(Effect.uninterruptible(Effect.flatMap(loaded, use)))
    })

  /** What follows something that cannot be read could not be read either: it is replaced by what was understood. */
  const mended = (uid: string, found: Pod) => {
    pods.set(uid, { ...found, torn: false })
    return !found.torn
      ? Effect.void
      : Effect.onError(
        found.record === undefined ? storage.reset(uid) : replace(uid, found, found.record, found.recovered),
        () => Effect.sync(() => pods.delete(uid))
      )
  }

  /** How much of a write that failed is on disk is not known: nothing may be appended to it, nor have its number. */
  const unsure = (uid: string, pod: Pod) => <A>(write: Effect.Effect<A, LedgerFailed>): Effect.Effect<A, LedgerFailed> =>
    Effect.onError(write, () => Effect.sync(() => void pods.set(uid, { ...pod, sequence: pod.sequence + 1, hasLog: true, torn: true })))

  const append = (uid: string, pod: Pod, entry: ledgerCodec.Entry, durable: boolean) => {
    const record = ledgerCodec.apply(pod.record, entry)
    if (pod.torn && record !== undefined) return replace(uid, pod, record, pod.recovered)
    const sequence = pod.sequence + 1
    return Effect.map(storage.append(uid, ledgerCodec.line(sequence, entry), durable, !pod.hasLog), () => {
      pods.set(uid, { ...pod, record, sequence, hasLog: true })
    }).pipe(unsure(uid, pod))
  }

  const replace = (uid: string, pod: Pod, record: ledgerCodec.Record, recovered = false) => {
    const sequence = pod.sequence + 1
    return Effect.map(storage.replace(uid, ledgerCodec.record(sequence, record), pod.hasLog), () => {
      pods.set(uid, { ...pod, record, sequence, recovered, torn: false })
    }).pipe(unsure(uid, pod))
  }

  return {
    load: (uid) =>
      locked(uid, ({ record, recovered }) =>
        Effect.succeed(Option.map(Option.fromNullable(record), (record): LedgerEntry => ({ ...record, recovered })))),
    list: Effect.map(storage.uids, (uids) => uids.filter(isUid)),
    rebuilt: Effect.sync(() => new Set(rebuilt)),
    save: (instance) =>
      locked(instance.spec.podUID, (pod) => {
        const plan = pod.record?.plan
        return replace(instance.spec.podUID, pod, {
          instance,
          accepted: pod.record?.accepted ?? false,
          ...(plan === undefined ? {} : { plan })
        })
      }),
    intent: (instance) =>
      locked(instance.spec.podUID, (pod) => append(instance.spec.podUID, pod, { kind: "intent", instance }, true)),
    accepted: (uid, planId) =>
      locked(uid, (pod) =>
        pod.record?.plan?.id !== planId || pod.record.accepted
          ? Effect.void
          : append(uid, pod, { kind: "accepted", planId }, false)),
    tasks: (uid, planId, tasks, durable) =>
      locked(uid, (pod) => append(uid, pod, { kind: "tasks", planId, tasks: tasks.map(([index, task]) => [index, task]) }, durable)),
    ended: (instance) => locked(instance.spec.podUID, (pod) => replace(instance.spec.podUID, pod, { instance, accepted: false })),
    remove: (uid) =>
      locked(uid, () =>
        Effect.map(storage.remove(uid), () => {
          pods.delete(uid)
          locks.delete(uid)
          rebuilt.delete(uid)
        }))
  }
}

/**
 * A ledger in a folder, which is made when it is missing. Fails when a newer agent wrote in it.
 *
 * @category layers
 */
export const layer = (
  options: { readonly folder: string }
): Layer.Layer<PlanLedger, LedgerFailed | LedgerSchemaNewer, FileSystem.FileSystem> =>
  Layer.effect(
    PlanLedger,
    Effect.gen(function*() {
      const files = ledgerFiles.make(yield* FileSystem.FileSystem, options.folder)
      yield* files.check
      return service(files)
    })
  )

const memory = (): Storage => {
  const uids = new Set<string>()
  return {
    load: () => Effect.succeed({ record: undefined, sequence: 0, recovered: false, hasLog: false, torn: false }),
    append: (uid) => Effect.sync(() => void uids.add(uid)),
    replace: (uid) => Effect.sync(() => void uids.add(uid)),
    reset: () => Effect.void,
    remove: (uid) => Effect.sync(() => void uids.delete(uid)),
    uids: Effect.sync(() => [...uids])
  }
}

/** A ledger that lives as long as the layer. @category layers */
export const layerMemory: Layer.Layer<PlanLedger> = Layer.sync(PlanLedger, () => service(memory()))
