/**
 * A keyed work queue that coalesces: adding a key that waits already changes nothing, and a key that is added while a worker has it
 * is handed out once more when that worker is done. So two workers never hold the same key, and no addition is lost.
 *
 * Memory is bounded by `capacity` distinct keys. A key beyond it is refused and counted; the resync of a controller brings it back.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Metric from "effect/Metric"
import * as MutableQueue from "effect/MutableQueue"
import type * as Scope from "effect/Scope"
import * as ClientMetrics from "./ClientMetrics.js"

/**
 * A queue of keys that have to be looked at.
 *
 * @category models
 */
export interface WorkQueue<K extends string> {
  /** Makes a key wait for a worker, unless it waits already. */
  readonly add: (key: K) => Effect.Effect<void>
  /** `add` for callbacks: informer handlers run outside of any effect. Gives false if the queue is full or shut down. */
  readonly unsafeAdd: (key: K) => boolean
  /** Adds a key after a delay. Of two delays for one key the one that ends earlier counts. */
  readonly addAfter: (key: K, delay: Duration.DurationInput) => Effect.Effect<void>
  /** Adds a key after a delay that doubles with each call, until `forget`. */
  readonly addRateLimited: (key: K) => Effect.Effect<void>
  /** Resets the back-off of a key. */
  readonly forget: (key: K) => Effect.Effect<void>
  /** How often in a row a key was added with back-off. */
  readonly retries: (key: K) => number
  /** Waits for a key and hands it to the caller, who must call `done`. Is interrupted by `shutdown`. */
  readonly take: Effect.Effect<K>
  /** Gives a key back after its pass. */
  readonly done: (key: K) => Effect.Effect<void>
  /** Keys that wait for a worker now; those that are delayed do not count. */
  readonly depth: () => number
  /** Refuses all further keys, cancels delayed ones and interrupts those who wait in `take`. Closing the scope does the same. */
  readonly shutdown: Effect.Effect<void>
}

/**
 * Name and bounds of a queue.
 *
 * @category models
 */
export interface Options {
  /** Value of the `name` label of the metrics: the controller's name. */
  readonly name: string
  /** First delay of `addRateLimited`: 5 ms unless given. */
  readonly baseDelay?: Duration.DurationInput
  /** Longest delay of `addRateLimited`: 5 minutes unless given. */
  readonly maxDelay?: Duration.DurationInput
  /** Largest number of distinct keys, waiting or delayed: 100,000 unless given. */
  readonly capacity?: number
}

/**
 * Makes a queue that lives as long as the scope.
 *
 * @category constructors
 */
export const make = Effect.fnUntraced(function*<K extends string>(
  options: Options
): Effect.fn.Return<WorkQueue<K>, never, Scope.Scope> {
  const baseMillis = Duration.toMillis(options.baseDelay ?? "5 millis")
  const maxMillis = Duration.toMillis(options.maxDelay ?? "5 minutes")
  const capacity = options.capacity ?? 100_000
  const metrics = {
    depth: Metric.tagged(ClientMetrics.workQueueDepth, "name", options.name),
    adds: Metric.tagged(ClientMetrics.workQueueAdds, "name", options.name),
    dropped: Metric.tagged(ClientMetrics.workQueueDropped, "name", options.name),
    retries: Metric.tagged(ClientMetrics.workQueueRetries, "name", options.name),
    latency: Metric.tagged(ClientMetrics.workQueueLatency, "name", options.name)
  }
  const clock = yield* Effect.clock
  const waiting = MutableQueue.unbounded<K>()
  const available = yield* Effect.makeLatch(false)
  const timers = yield* FiberMap.make<K>()
  /** Keys that need a pass, with the time at which they were added. */
  const dirty = new Map<K, number>()
  const processing = new Set<K>()
  const failures = new Map<K, number>()
  /** When the timer of a delayed key ends. */
  const dueAt = new Map<K, number>()
  let open = true

  const offer = (key: K): void => {
    MutableQueue.offer(waiting, key)
    available.unsafeOpen()
    metrics.depth.unsafeUpdate(MutableQueue.length(waiting), [])
  }

  const hasRoom = (): boolean => {
    if (open && dirty.size + dueAt.size < capacity) return true
    metrics.dropped.unsafeUpdate(1, [])
    return false
  }

  const unsafeAdd = (key: K): boolean => {
    if (dirty.has(key)) return true
    if (!hasRoom()) return false
    dirty.set(key, clock.unsafeCurrentTimeMillis())
    metrics.adds.unsafeUpdate(1, [])
    if (!processing.has(key)) offer(key)
    return true
  }

  const add = (key: K) => Effect.sync(() => void unsafeAdd(key))

  const addAfter = (key: K, delay: Duration.DurationInput): Effect.Effect<void> =>
    Effect.suspend(() => {
      // Whole milliseconds: a clock that counts in fractions may never reach a moment that is a rounding error away.
      const millis = Math.ceil(Duration.toMillis(delay))
      if (millis <= 0) return add(key)
      const due = clock.unsafeCurrentTimeMillis() + millis
      const current = dueAt.get(key)
      if (current !== undefined && current <= due) return Effect.void
      if (current === undefined && !hasRoom()) return Effect.void
      dueAt.set(key, due)
      const fire = Effect.sync(() => {
        dueAt.delete(key)
        unsafeAdd(key)
      })
      return Effect.asVoid(FiberMap.run(timers, key, Effect.delay(fire, millis)))
    })

  const addRateLimited = (key: K) =>
    Effect.suspend(() => {
      const count = failures.get(key) ?? 0
      if (count > 0 || failures.size < capacity) failures.set(key, count + 1)
      metrics.retries.unsafeUpdate(1, [])
      return addAfter(key, Math.min(baseMillis * 2 ** count, maxMillis))
    })

  // Workers pick a key themselves instead of being handed one, so that interrupting a waiting worker cannot lose a key.
  const take: Effect.Effect<K> = Effect.suspend(() => {
    if (!open) return Effect.interrupt
    const key = MutableQueue.poll(waiting, undefined)
    if (key === undefined) {
      available.unsafeClose()
      return Effect.zipRight(available.await, take)
    }
    const now = clock.unsafeCurrentTimeMillis()
    metrics.latency.unsafeUpdate((now - (dirty.get(key) ?? now)) / 1000, [])
    metrics.depth.unsafeUpdate(MutableQueue.length(waiting), [])
    dirty.delete(key)
    processing.add(key)
    return Effect.succeed(key)
  })

  const shutdown = Effect.suspend(() => {
    open = false
    dueAt.clear()
    available.unsafeOpen()
    return FiberMap.clear(timers)
  })
  yield* Effect.addFinalizer(() => shutdown)

  return {
    add,
    unsafeAdd,
    addAfter,
    addRateLimited,
    forget: (key) => Effect.sync(() => void failures.delete(key)),
    retries: (key) => failures.get(key) ?? 0,
    take,
    done: (key) =>
      Effect.sync(() => {
        processing.delete(key)
        if (open && dirty.has(key)) offer(key)
      }),
    depth: () => MutableQueue.length(waiting),
    shutdown
  }
})
