/**
 * Pods that wait for a node. A pod is in one of these places:
 *
 * - active: ready for an attempt, in the order of the queue sort;
 * - back-off: it failed and something happened since that may help, but it may not try again yet;
 * - unschedulable: it failed, and nothing happened since that may help;
 * - gated: a plugin does not let it into the queue at all;
 * - in flight: an attempt has it, or a binding, or it waits for its permission. Events meanwhile are noted, so none is missed.
 *
 * The active pods come out by priority, then by the time of their last attempt: one that failed comes behind those that have not been tried since, and
 * none of its priority can come before it for ever.
 *
 * Methods are synchronous and touch memory only: informer handlers call them. Only `take` waits. Memory is bounded by the pods there are.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ClusterEvent from "./ClusterEvent.js"
import * as Heap from "./internal/heap.js"
import * as InFlightLog from "./internal/inFlightLog.js"
import * as Sleepers from "./internal/sleepers.js"
import type { PodInfo } from "./PodInfo.js"
import type { Rejection } from "./Rejection.js"
import * as SchedulerMetrics from "./SchedulerMetrics.js"
import type { QueuedPod } from "./SchedulerPlugin.js"

/**
 * How many pods are where.
 *
 * @category models
 */
export interface Depth {
  readonly active: number
  readonly backoff: number
  readonly unschedulable: number
  readonly gated: number
  readonly inFlight: number
}

/**
 * `id` is that of the `PodInfo`.
 *
 * @category models
 */
export interface SchedulingQueue {
  /** Takes in a pod without a node, or a newer version of one. A change that may matter for its placement earns another attempt. */
  readonly upsert: (pod: PodInfo) => void
  /** The pod is no longer to be placed: it was deleted, has a node, or has terminated. */
  readonly remove: (id: string) => void
  readonly has: (id: string) => boolean
  /** Waits for the next pod to try. The caller must answer with `reject`, `retry` or `remove`. */
  readonly take: Effect.Effect<QueuedPod>
  /** The attempt found no node: the pod waits for an event that one of these plugins cares for, or for the time-out. No plugin: there was no node to ask about, and the pod waits for one. */
  readonly reject: (id: string, by: ReadonlySet<string>) => void
  /** The attempt failed for another reason: the pod tries again after its back-off. */
  readonly retry: (id: string) => void
  /** Something happened in the cluster. */
  readonly notify: (change: ClusterEvent.Change) => void
  /** These pods try again at once, without back-off, if their gates let them; those that are not waiting are left out. */
  readonly activate: (ids: Iterable<string>) => void
  /** All pods of the queue, those in flight included. */
  readonly pods: () => ReadonlyArray<PodInfo>
  readonly depth: () => Depth
}

/**
 * `order` sorts the active pods. `gate` keeps a pod out. `wakes` says whether a change is worth another attempt for a pod that these plugins
 * rejected, `cares` whether it may be for any such pod of the profile; `helped` says whether a change of the pod itself is. Each is always so unless
 * given. The back-off doubles from `initialBackoff` (1 second) to `maxBackoff` (10 seconds); after `unschedulableTimeout` (5 minutes) a pod is tried
 * without any event.
 *
 * @category models
 */
export interface Options {
  readonly order: (a: QueuedPod, b: QueuedPod) => number
  readonly gate?: (pod: PodInfo) => Rejection | undefined
  readonly wakes?: (pod: PodInfo, rejectedBy: ReadonlySet<string>, change: ClusterEvent.Change) => boolean
  readonly cares?: (profile: string, rejectedBy: ReadonlySet<string>, event: ClusterEvent.ClusterEvent) => boolean
  readonly helped?: (pod: PodInfo, rejectedBy: ReadonlySet<string>, change: ClusterEvent.Change) => boolean
  readonly initialBackoff?: Duration.DurationInput
  readonly maxBackoff?: Duration.DurationInput
  readonly unschedulableTimeout?: Duration.DurationInput
}

type Place = keyof Depth

interface Entry {
  info: PodInfo
  readonly profile: string
  attempts: number
  queuedAt: number
  readonly since: number
  readonly sequence: number
  place: Place
  rejectedBy: ReadonlySet<string>
  /** Where its attempt began in the list of what happens meanwhile. */
  mark: number
  changedInFlight: ReadonlyArray<ClusterEvent.Change>
  /** Somebody asked for another attempt during this one. */
  activated: boolean
}

/** Changes of one pod noted during one attempt of it: any of them may be the one that helps, the newest are kept. */
const maxOwnChanges = 16
const defaultProfile = "default-scheduler"
const noPlugins: ReadonlySet<string> = new Set()
const unchanged: ReadonlyArray<ClusterEvent.Change> = []

/**
 * An empty queue on the current clock.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<SchedulingQueue> =>
  Effect.map(Effect.zip(Clock.clockWith(Effect.succeed), Effect.makeLatch(false)), ([clock, arrived]) => {
    const initialBackoff = Duration.toMillis(options.initialBackoff ?? "1 second")
    const maxBackoff = Duration.toMillis(options.maxBackoff ?? "10 seconds")
    const unschedulableTimeout = Duration.toMillis(options.unschedulableTimeout ?? "5 minutes")
    const gate = options.gate ?? (() => undefined)
    const wakes = options.wakes ?? (() => true)
    const cares = options.cares ?? (() => true)
    const helped = options.helped ?? (() => true)
    const now = () => clock.unsafeCurrentTimeMillis()

    const readyAt = (entry: Entry): number =>
      entry.attempts === 0 ? entry.queuedAt : entry.queuedAt + Math.min(initialBackoff * 2 ** (entry.attempts - 1), maxBackoff)

    const entries = new Map<string, Entry>()
    const active = Heap.make<Entry>(options.order)
    const backoff = Heap.make<Entry>((a, b) => readyAt(a) - readyAt(b) || a.sequence - b.sequence)
    /** Oldest first: a pod enters with the present as its time. */
    const unschedulable = new Set<Entry>()
    const sleepers = Sleepers.make<Entry>()
    /** In the order in which their attempts began. */
    const inFlight = new Set<Entry>()
    const meanwhile = InFlightLog.make()
    const counts = { active: 0, backoff: 0, unschedulable: 0, gated: 0, inFlight: 0 }
    let nextSequence = 0

    const leave = (entry: Entry): void => {
      counts[entry.place] -= 1
      if (entry.place === "active") active.remove(entry)
      else if (entry.place === "backoff") backoff.remove(entry)
      else if (entry.place === "unschedulable") {
        unschedulable.delete(entry)
        sleepers.remove(entry)
      } else if (entry.place === "inFlight") {
        inFlight.delete(entry)
        const [oldest] = inFlight
        meanwhile.trim(oldest?.mark)
      }
    }

    const enter = (entry: Entry, place: Place): void => {
      entry.place = place
      counts[place] += 1
      SchedulerMetrics.pending(place, counts[place])
      if (place === "active") active.push(entry)
      else if (place === "backoff") backoff.push(entry)
      else if (place === "unschedulable") {
        unschedulable.add(entry)
        sleepers.add(entry)
      } else if (place === "inFlight") inFlight.add(entry)
      if (place !== "gated" && place !== "inFlight") arrived.unsafeOpen()
    }

    /** `cause`: the event that moves the pod, or what else did. */
    const move = (entry: Entry, place: Place, cause?: string): void => {
      leave(entry)
      SchedulerMetrics.pending(entry.place, counts[entry.place])
      enter(entry, place)
      if (cause !== undefined) SchedulerMetrics.queued(place, cause)
    }

    /** The place of a pod that is worth an attempt. */
    const ready = (entry: Entry): Place => gate(entry.info) !== undefined ? "gated" : readyAt(entry) > now() ? "backoff" : "active"

    const isWoken = (entry: Entry, change: ClusterEvent.Change): boolean =>
      entry.rejectedBy.size === 0 ? change.event === "NodeAdd" : wakes(entry.info, entry.rejectedBy, change)

    const isHelped = (entry: Entry, changes: ReadonlyArray<ClusterEvent.Change>): boolean =>
      changes.some((change) => entry.rejectedBy.size === 0 || helped(entry.info, entry.rejectedBy, change))

    const add = (info: PodInfo): void => {
      const since = now()
      const entry: Entry = {
        info,
        profile: info.shape.spec.schedulerName ?? defaultProfile,
        attempts: 0,
        queuedAt: since,
        since,
        sequence: nextSequence++,
        place: "active",
        rejectedBy: noPlugins,
        mark: 0,
        changedInFlight: unchanged,
        activated: false
      }
      entries.set(info.id, entry)
      enter(entry, ready(entry))
      SchedulerMetrics.queued(entry.place, "PodAdd")
    }

    const update = (entry: Entry, info: PodInfo): void => {
      const changes = ClusterEvent.ofPodUpdate(entry.info, info)
      if (entry.place === "active" && changes.length > 0) {
        // The order may depend on what changed, and a heap must not see its elements change.
        leave(entry)
        entry.info = info
        enter(entry, ready(entry))
        return
      }
      entry.info = info
      if (changes.length === 0) return
      if (entry.place === "inFlight") entry.changedInFlight = [...entry.changedInFlight, ...changes].slice(-maxOwnChanges)
      else if (entry.place === "gated" || (entry.place === "unschedulable" && isHelped(entry, changes))) move(entry, ready(entry), "PodUpdate")
    }

    /** Ends an attempt. Absent: the pod was removed meanwhile. */
    const land = (id: string): Entry | undefined => {
      const entry = entries.get(id)
      if (entry?.place !== "inFlight") return undefined
      entry.queuedAt = now()
      return entry
    }

    const promoteDue = (): void => {
      for (let first = backoff.peek(); first !== undefined && readyAt(first) <= now(); first = backoff.peek()) move(first, ready(first), "BackoffComplete")
      for (const entry of unschedulable) {
        if (entry.queuedAt + unschedulableTimeout > now()) break
        move(entry, ready(entry), "UnschedulableTimeout")
      }
    }

    const nextDue = (): number | undefined => {
      const first = backoff.peek()
      const [oldest] = unschedulable
      const dueAt = Math.min(
        first === undefined ? Infinity : readyAt(first),
        oldest === undefined ? Infinity : oldest.queuedAt + unschedulableTimeout
      )
      return dueAt === Infinity ? undefined : Math.max(0, dueAt - now())
    }

    const take: Effect.Effect<QueuedPod> = Effect.suspend(() => {
      promoteDue()
      const entry = active.peek()
      if (entry !== undefined) {
        entry.attempts += 1
        entry.mark = meanwhile.mark()
        entry.changedInFlight = unchanged
        entry.activated = false
        move(entry, "inFlight")
        const { attempts, info, queuedAt, sequence, since } = entry
        return Effect.succeed({ info, attempts, queuedAt, since, sequence })
      }
      arrived.unsafeClose()
      const due = nextDue()
      const wait = due === undefined ? arrived.await : Effect.timeoutOption(arrived.await, due)
      return Effect.zipRight(wait, take)
    })

    return {
      upsert: (info) => {
        const entry = entries.get(info.id)
        if (entry === undefined) add(info)
        else update(entry, info)
      },
      remove: (id) => {
        const entry = entries.get(id)
        if (entry === undefined) return
        leave(entry)
        SchedulerMetrics.pending(entry.place, counts[entry.place])
        entries.delete(id)
      },
      has: (id) => entries.has(id),
      take,
      reject: (id, by) => {
        const entry = land(id)
        if (entry === undefined) return
        entry.rejectedBy = by
        const worthAnother = entry.activated || isHelped(entry, entry.changedInFlight) || meanwhile.someSince(entry.mark, (change) => isWoken(entry, change))
        move(entry, worthAnother ? ready(entry) : "unschedulable", "ScheduleAttemptFailure")
      },
      retry: (id) => {
        const entry = land(id)
        if (entry === undefined) return
        entry.rejectedBy = noPlugins
        move(entry, ready(entry), "ScheduleAttemptFailure")
      },
      notify: (change) => {
        const awake = [...sleepers.inGroups(({ profile, rejectedBy }) =>
          rejectedBy.size === 0 ? change.event === "NodeAdd" : cares(profile, rejectedBy, change.event)
        )]
        for (const entry of awake) if (isWoken(entry, change)) move(entry, ready(entry), change.event)
        if (inFlight.size > 0) meanwhile.note(change)
      },
      activate: (ids) => {
        for (const id of ids) {
          const entry = entries.get(id)
          if (entry === undefined || entry.place === "active") continue
          if (entry.place === "inFlight") entry.activated = true
          else if (gate(entry.info) === undefined) move(entry, "active", "ForceActivate")
        }
      },
      pods: () => Array.from(entries.values(), ({ info }) => info),
      depth: () => ({ ...counts })
    }
  })
