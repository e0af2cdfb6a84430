/**
 * Tells operators what happened to an object, as Events: `kubectl describe` and `kubectl events` show them.
 *
 * Recording never blocks and never fails: it puts the event into a bounded queue, from which one fiber writes. What does not fit, what
 * comes too often and what the server refuses is dropped and counted. Repetitions raise the count of the first Event.
 */
import { type CoreV1, Kinds, type KubeObject, Timestamp } from "@reddwarf/api-types"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Mailbox from "effect/Mailbox"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { ApiClient } from "./ApiClient.js"
import { type ClientError, isAlreadyExists, isNamespaceTerminating, isNotFound, isRetryable } from "./ClientError.js"
import * as ClientMetrics from "./ClientMetrics.js"
import * as correlator from "./internal/eventCorrelator.js"

/**
 * `Warning` is for what an operator may have to act upon.
 *
 * @category models
 */
export type EventType = "Normal" | "Warning"

/**
 * The one operation of a recorder.
 *
 * @category models
 */
export interface Service {
  /**
   * Records that something happened to an object. `reason` is one word in CamelCase by which events are counted and found; `message` is a
   * sentence. Keep messages free of numbers that change each time, or they cannot be counted together. `action` is what was done to
   * the object, such as `Binding`, where that is not the reason itself.
   */
  readonly event: (
    object: KubeObject.KubeObject | CoreV1.ObjectReference,
    type: EventType,
    reason: string,
    message: string,
    action?: string
  ) => Effect.Effect<void>
  /** A recorder that shares queue and limits with this one and reports as another component. */
  readonly reportingAs: (component: string) => Service
}

/**
 * Records events on behalf of one component.
 *
 * @category services
 */
export class EventRecorder extends Context.Tag("@reddwarf/client/EventRecorder")<EventRecorder, Service>() {}

/**
 * Who reports, and how much may wait.
 *
 * @category models
 */
export interface Options {
  /** Who reports, such as `kubelet` or `default-scheduler`. */
  readonly component: string
  /** The node on which it runs, if that matters. */
  readonly host?: string
  /** Events waiting to be written: 1,000 unless given. */
  readonly capacity?: number
  /** Time for writing what is still waiting when the scope closes: 5 seconds unless given. */
  readonly flushTimeout?: Duration.DurationInput
}

/**
 * The reference by which an Event names its object.
 *
 * @category constructors
 */
export const reference = (object: KubeObject.KubeObject): CoreV1.ObjectReference => {
  const { name, namespace, resourceVersion, uid } = object.metadata
  return {
    kind: object.kind,
    apiVersion: object.apiVersion,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion })
  }
}

const isObject = (object: KubeObject.KubeObject | CoreV1.ObjectReference): object is KubeObject.KubeObject => "metadata" in object

const dropped = (reason: "queue_full" | "spam" | "failed") => Metric.tagged(ClientMetrics.eventsDropped, "reason", reason)
const queueFull = dropped("queue_full")
const spam = dropped("spam")
const failed = dropped("failed")

const retries = Schedule.exponential("500 millis").pipe(
  Schedule.either(Schedule.spaced("10 seconds")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(8))
)

interface Pending extends correlator.Occurrence {
  readonly component: string
  readonly atMillis: number
  readonly doing: string | undefined
}

/**
 * A recorder that writes until the scope closes, and then what is still waiting, within `flushTimeout`.
 *
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<Service, never, ApiClient | Scope.Scope> {
  const client = yield* ApiClient
  const clock = yield* Effect.clock
  const queue = yield* Mailbox.make<Pending>({ capacity: options.capacity ?? 1000, strategy: "dropping" })
  const known = correlator.make()

  const create = (pending: Pending, decision: correlator.Decision & { readonly action: "create" }) =>
    Effect.gen(function*() {
      // Milliseconds and a random rest make the nanoseconds that clients expect in the name.
      const rest = yield* Random.nextIntBetween(0, 1_000_000)
      const stamp = BigInt(Math.floor(pending.atMillis)) * 1_000_000n + BigInt(rest)
      const { object } = pending
      const namespace = object.namespace === undefined || object.namespace === "" ? "default" : object.namespace
      const name = `${object.name ?? ""}.${stamp.toString(16)}`
      yield* client.create(Kinds.event, {
        metadata: { name, namespace },
        involvedObject: object,
        reason: pending.reason,
        message: decision.message,
        type: pending.type,
        source: { component: pending.component, ...(options.host === undefined ? {} : { host: options.host }) },
        firstTimestamp: Timestamp.secondsFromMillis(decision.firstMillis),
        lastTimestamp: Timestamp.secondsFromMillis(pending.atMillis),
        count: decision.count,
        reportingComponent: pending.component,
        reportingInstance: options.host ?? "",
        ...(pending.doing === undefined ? {} : { action: pending.doing })
      })
      known.recorded(decision.key, `${namespace}/${name}`)
    })

  const raiseCount = (pending: Pending, decision: correlator.Decision & { readonly action: "count" }) => {
    const [namespace = "", name = ""] = decision.name.split("/")
    const patch = { count: decision.count, message: decision.message, lastTimestamp: Timestamp.secondsFromMillis(pending.atMillis) }
    return client.patch(Kinds.event, { namespace, name }, patch).pipe(
      Effect.asVoid,
      // Events expire: then it begins anew.
      Effect.catchIf(isNotFound, () => {
        known.restart(decision.key, pending.atMillis)
        return create(pending, { action: "create", key: decision.key, message: decision.message, firstMillis: pending.atMillis, count: 1 })
      })
    )
  }

  const write = (pending: Pending): Effect.Effect<void> => {
    const decision = known.decide(pending, pending.atMillis)
    if (decision.action === "drop") return Effect.sync(() => spam.unsafeUpdate(1, []))
    const attempt: Effect.Effect<void, ClientError> = decision.action === "create" ? create(pending, decision) : raiseCount(pending, decision)
    return attempt.pipe(
      Effect.retry({ schedule: retries, while: (error) => isRetryable(error) || isAlreadyExists(error) }),
      Effect.catchAll((error) => {
        failed.unsafeUpdate(1, [])
        // Nothing can be recorded in a namespace that is going away; that is no news to anybody.
        return isNamespaceTerminating(error) ? Effect.void : Effect.logWarning(`event ${pending.reason} was not recorded`, error)
      })
    )
  }

  const writer = Effect.flatMap(queue.takeAll, ([batch, done]) =>
    Effect.as(Effect.forEach(batch, write, { discard: true }), done))
  yield* Effect.acquireRelease(
    Effect.forkDaemon(Effect.interruptible(Effect.repeat(writer, { until: (done) => done }))),
    (fiber) =>
      queue.end.pipe(
        // Finalizers are uninterruptible, and then no timeout could end the wait.
        Effect.zipRight(Effect.interruptible(Fiber.await(fiber))),
        Effect.timeoutOption(Duration.decode(options.flushTimeout ?? "5 seconds")),
        Effect.zipRight(Fiber.interrupt(fiber))
      )
  )

  const reportingAs = (component: string): Service => ({
    event: (object, type, reason, message, action) =>
      Effect.sync(() => {
        const pending = {
          component,
          object: isObject(object) ? reference(object) : object,
          type,
          reason,
          message,
          doing: action,
          atMillis: clock.unsafeCurrentTimeMillis()
        }
        if (!queue.unsafeOffer(pending)) queueFull.unsafeUpdate(1, [])
      }),
    reportingAs
  })
  return reportingAs(options.component)
})

/**
 * Has an effect record its events as another component.
 *
 * @category combinators
 */
export const as = (component: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | EventRecorder> =>
  Effect.updateService(effect, EventRecorder, (recorder) => recorder.reportingAs(component))

/**
 * A recorder for one component.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<EventRecorder, never, ApiClient> => Layer.scoped(EventRecorder, make(options))

/**
 * An event as `layerMemory` keeps it.
 *
 * @category testing
 */
export interface Recorded {
  readonly object: CoreV1.ObjectReference
  readonly type: EventType
  readonly reason: string
  readonly message: string
  /** Who reports, where that was said. */
  readonly component?: string
}

/**
 * Appends every event to `journal` and writes nothing.
 *
 * @category testing
 */
export const layerMemory = (journal: Array<Recorded>): Layer.Layer<EventRecorder> => {
  const recording = (component: string | undefined): Service => ({
    event: (object, type, reason, message) =>
      Effect.sync(() =>
        void journal.push({
          object: isObject(object) ? reference(object) : object,
          type,
          reason,
          message,
          ...(component === undefined ? {} : { component })
        })),
    reportingAs: recording
  })
  return Layer.succeed(EventRecorder, recording(undefined))
}
