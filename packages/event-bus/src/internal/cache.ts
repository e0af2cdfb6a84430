/** The state of a cache and how a change goes through it. Plain code: it runs inside the commit of the store. */
import type { ObjectStore } from "@reddwarf/store"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { CacheEventType } from "../CacheEvent.js"
import * as EventBusMetrics from "../EventBusMetrics.js"
import type { CacheOptions } from "../WatchCache.js"
import * as Events from "./event.js"
import * as History from "./history.js"
import * as Slabs from "./slabs.js"
import * as SortedEntries from "./sortedEntries.js"
import * as Subscriptions from "./subscriptions.js"

const eventType: Readonly<Record<ObjectStore.ChangeType, CacheEventType>> = {
  create: "ADDED",
  update: "MODIFIED",
  delete: "DELETED"
}

interface Waiter {
  readonly revision: number
  readonly reached: Deferred.Deferred<void>
}

export interface Cache {
  readonly entries: SortedEntries.SortedEntries<Events.PlacedEntry>
  readonly history: History.History
  readonly subscriptions: Subscriptions.Subscriptions
  readonly revision: () => number
  /** Shows the cache the next changes; those that it has seen are passed over. */
  readonly apply: (changes: ReadonlyArray<ObjectStore.Change>) => void
  /** Adds more of the state that this cache begins with. */
  readonly fill: (versions: ReadonlyArray<ObjectStore.Version>) => void
  /** There were no further changes up to `revision`. */
  readonly advance: (revision: number) => void
  /** Ends when the cache has seen `revision`. */
  readonly reach: (revision: number) => Effect.Effect<void>
  /** An event that is not in the history. */
  readonly makeEvent: Events.MakeEvent
}

/** A cache of the state `page`, before any later change. */
export const make = (page: ObjectStore.Page, bounds: Required<CacheOptions>): Cache => {
  const makeEntry = Events.entries()
  const makeEvent = Events.events()
  const entries = SortedEntries.make<Events.PlacedEntry>()
  const slabs = Slabs.make()
  const put = (entry: Events.PlacedEntry): void => {
    entries.set(entry)
    slabs.place(entry)
  }
  const fill = (versions: ReadonlyArray<ObjectStore.Version>): void => {
    for (const version of versions) put(makeEntry(version))
  }
  fill(page.items)
  const history = History.make(page.revision, bounds.historyEvents, bounds.historyBytes)
  const subscriptions = Subscriptions.makeRegistry()
  const waiters = new Set<Waiter>()
  let revision = page.revision

  const applyOne = (change: ObjectStore.Change): void => {
    const previous = entries.get(change.key)
    const entry = makeEntry(change)
    if (change.type === "delete") entries.delete(change.key)
    else put(entry)
    if (previous !== undefined) slabs.remove(previous)
    revision = change.revision
    const event = makeEvent(eventType[change.type], entry, previous)
    history.push(event)
    subscriptions.publish(event, history.oldest)
  }

  const release = (): void => {
    for (const waiter of waiters) {
      if (waiter.revision > revision) continue
      waiters.delete(waiter)
      Deferred.unsafeDone(waiter.reached, Effect.void)
    }
  }

  return {
    entries,
    makeEvent,
    history,
    subscriptions,
    fill,
    revision: () => revision,
    apply: (changes) => {
      for (const change of changes) if (change.revision > revision) applyOne(change)
      EventBusMetrics.events.unsafeUpdate(changes.length, [])
      EventBusMetrics.entries.unsafeUpdate(entries.size(), [])
      EventBusMetrics.historyBytes.unsafeUpdate(history.bytes(), [])
      if (waiters.size > 0) release()
    },
    advance: (target) => {
      revision = Math.max(revision, target)
      if (waiters.size > 0) release()
    },
    reach: (target) =>
      Effect.flatMap(Deferred.make<void>(), (reached) =>
        Effect.suspend(() => {
          if (target <= revision) return Effect.void
          const waiter: Waiter = { revision: target, reached }
          waiters.add(waiter)
          return Effect.ensuring(Deferred.await(reached), Effect.sync(() => waiters.delete(waiter)))
        }))
  }
}
