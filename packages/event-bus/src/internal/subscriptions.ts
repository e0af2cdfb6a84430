/** The open watches by prefix, and the way of an event to them. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { CacheEvent } from "../CacheEvent.js"
import * as EventBusMetrics from "../EventBusMetrics.js"
import { WatchExpired } from "../WatchExpired.js"
import type { Watcher } from "../WatchCache.js"
import { prefixesOf } from "./keyPath.js"

/** What a watcher is given before the live events. */
export interface Opening {
  readonly startRevision: number
  /** What may be bookmarked before the backlog was taken. */
  readonly bookmark: number
  /** The first batch; undefined when the live events come first. */
  readonly backlog: ReadonlyArray<CacheEvent> | undefined
  /** Where the backlog ends and the live events begin. */
  readonly liveAfter: number
}

/** One watcher as the publisher sees it. */
export interface Subscription extends Watcher {
  /** False when there is no room: the watcher must be ended. */
  readonly offer: (event: CacheEvent) => boolean
  readonly expire: (oldest: number) => void
  readonly die: (defect: unknown) => void
  readonly close: () => void
}

/**
 * A watcher that nobody offers anything to yet. `revision` is that of the cache. The queue is a plain array: an event is put
 * before thousands of watchers inside the commit, and each step there counts.
 */
export const make = (
  capacity: number,
  filter: ((event: CacheEvent) => boolean) | undefined,
  revision: () => number,
  opening: Opening
): Subscription => {
  let backlog = opening.backlog
  let bookmark = backlog === undefined ? opening.liveAfter : opening.bookmark
  let lastOffered = opening.liveAfter
  let queue: Array<CacheEvent> = []
  let end: Exit.Exit<never, WatchExpired> | undefined
  let listener: (() => void) | undefined

  const wake = (): void => {
    if (listener === undefined) return
    const call = listener
    listener = undefined
    call()
  }

  const waiting = (): ReadonlyArray<CacheEvent> => backlog ?? queue

  const takeNow = (limit = Infinity): ReadonlyArray<CacheEvent> => {
    if (backlog !== undefined) {
      const batch = backlog.length <= limit ? backlog : backlog.slice(0, limit)
      backlog = batch === backlog ? undefined : backlog.slice(limit)
      if (backlog === undefined) bookmark = opening.liveAfter
      return batch
    }
    if (queue.length === 0) return none
    const batch = queue.length <= limit ? queue : queue.splice(0, limit)
    if (batch === queue) queue = []
    bookmark = batch.at(-1)?.revision ?? bookmark
    return batch
  }

  const isReady = (): boolean => backlog !== undefined || queue.length > 0 || end !== undefined

  const whenReady = (call: () => void): () => void => {
    if (isReady()) {
      call()
      return nothing
    }
    listener = call
    return () => {
      if (listener === call) listener = undefined
    }
  }

  const ended = () => backlog === undefined && queue.length === 0 ? end : undefined

  const finish = (exit: Exit.Exit<never, WatchExpired>): void => {
    if (end !== undefined) return
    end = exit
    wake()
  }

  return {
    startRevision: opening.startRevision,
    takeAll: Effect.suspend(() =>
      isReady()
        ? ended() ?? Effect.succeed(takeNow())
        : Effect.async<ReadonlyArray<CacheEvent>, WatchExpired>((resume) => {
          const forget = whenReady(() => resume(Effect.suspend(() => ended() ?? Effect.succeed(takeNow()))))
          return Effect.sync(forget)
        })
    ),
    takeNow,
    waiting,
    whenReady,
    ended,
    bookmark: () => end === undefined && queue.length === 0 && backlog === undefined ? revision() : bookmark,
    offer: (event) => {
      if (filter !== undefined && !filter(event)) return true
      if (queue.length >= capacity) return false
      queue.push(event)
      lastOffered = event.revision
      wake()
      return true
    },
    expire: (oldest) => finish(Exit.fail(new WatchExpired({ requested: lastOffered, oldest, reason: "Slow" }))),
    die: (defect) => finish(Exit.die(defect)),
    // Only a watcher whose scope is closed ends without an error.
    close: () => finish(Exit.interrupt(FiberId.none))
  }
}

const none: ReadonlyArray<CacheEvent> = []
const nothing = (): void => {}

export interface Subscriptions {
  readonly add: (prefix: string, subscription: Subscription) => void
  readonly remove: (prefix: string, subscription: Subscription) => void
  /** Offers an event to all watchers of the prefixes that its key lies under. Never waits. */
  readonly publish: (event: CacheEvent, oldest: () => number) => void
}

export const makeRegistry = (): Subscriptions => {
  const byPrefix = new Map<string, Set<Subscription>>()
  let size = 0

  const remove = (prefix: string, subscription: Subscription): void => {
    const subscriptions = byPrefix.get(prefix)
    if (subscriptions?.delete(subscription) !== true) return
    if (subscriptions.size === 0) byPrefix.delete(prefix)
    EventBusMetrics.watchers.unsafeUpdate(--size, [])
  }

  /** True when the watcher goes on. A filter that throws is a bug of its owner: it must not reach the writer. */
  const deliver = (subscription: Subscription, event: CacheEvent, oldest: () => number): boolean => {
    try {
      if (subscription.offer(event)) return true
      subscription.expire(oldest())
      EventBusMetrics.expired.unsafeUpdate(1, [])
    } catch (defect) {
      subscription.die(defect)
    }
    return false
  }

  return {
    add: (prefix, subscription) => {
      const subscriptions = byPrefix.get(prefix)
      if (subscriptions === undefined) byPrefix.set(prefix, new Set([subscription]))
      else subscriptions.add(subscription)
      EventBusMetrics.watchers.unsafeUpdate(++size, [])
    },
    remove,
    publish: (event, oldest) => {
      let delivered = 0
      for (const prefix of prefixesOf(event.key)) {
        const subscriptions = byPrefix.get(prefix)
        if (subscriptions === undefined) continue
        delivered += subscriptions.size
        for (const subscription of subscriptions) {
          if (!deliver(subscription, event, oldest)) remove(prefix, subscription)
        }
      }
      EventBusMetrics.deliveries.unsafeUpdate(delivered, [])
    }
  }
}
