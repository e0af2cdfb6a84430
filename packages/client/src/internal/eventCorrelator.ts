/**
 * Decides what becomes of an event: a new Event object, a higher count on an earlier one, or nothing.
 *
 * Plain and synchronous; `now` is milliseconds since the epoch. Every table is bounded: the entry that was used least recently goes first.
 */
import type { CoreV1 } from "@reddwarf/api-types"

export interface Occurrence {
  /** Who reports. */
  readonly component: string
  readonly object: CoreV1.ObjectReference
  readonly type: string
  readonly reason: string
  readonly message: string
}

export type Decision =
  | { readonly action: "create"; readonly key: string; readonly message: string; readonly firstMillis: number; readonly count: number }
  | { readonly action: "count"; readonly key: string; readonly name: string; readonly message: string; readonly count: number }
  | { readonly action: "drop" }

export interface Correlator {
  readonly decide: (occurrence: Occurrence, now: number) => Decision
  /** Remembers under which name the event of a decision was created. */
  readonly recorded: (key: string, name: string) => void
  /** Counts from one again, for the Event that was counted is gone. */
  readonly restart: (key: string, now: number) => void
}

const maxEntries = 4096
/** More different messages than this, for one object and reason within the interval, become one combined event. */
const similarLimit = 10
const similarIntervalMillis = 10 * 60_000
/** Per object: this many events at once, then one in five minutes. */
const burst = 25
const refillMillis = 5 * 60_000

/** A map that forgets what was used least recently. */
const makeCache = <V>() => {
  const entries = new Map<string, V>()
  return {
    get: (key: string): V | undefined => {
      const value = entries.get(key)
      if (value !== undefined) {
        entries.delete(key)
        entries.set(key, value)
      }
      return value
    },
    set: (key: string, value: V): void => {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size <= maxEntries) return
      const oldest = entries.keys().next()
      if (oldest.done !== true) entries.delete(oldest.value)
    }
  }
}

export const make = (): Correlator => {
  const similar = makeCache<{ readonly messages: Set<string>; lastMillis: number }>()
  const seen = makeCache<{ readonly count: number; readonly firstMillis: number; readonly name: string | undefined }>()
  const buckets = makeCache<{ readonly tokens: number; readonly atMillis: number }>()

  /** Whether this occurrence is one too many of its kind. */
  const isSimilar = (group: string, message: string, now: number): boolean => {
    const found = similar.get(group)
    const fresh = found === undefined || now - found.lastMillis > similarIntervalMillis ? { messages: new Set<string>(), lastMillis: now } : found
    fresh.lastMillis = now
    if (fresh.messages.size < similarLimit || fresh.messages.has(message)) fresh.messages.add(message)
    similar.set(group, fresh)
    return !fresh.messages.has(message)
  }

  const takeToken = (object: string, now: number): boolean => {
    const bucket = buckets.get(object) ?? { tokens: burst, atMillis: now }
    const tokens = Math.min(burst, bucket.tokens + (now - bucket.atMillis) / refillMillis)
    buckets.set(object, { tokens: tokens < 1 ? tokens : tokens - 1, atMillis: now })
    return tokens >= 1
  }

  return {
    decide: (occurrence, now) => {
      const { component, message, object, reason, type } = occurrence
      const target = JSON.stringify([object.kind, object.namespace, object.name, object.uid, object.apiVersion, object.fieldPath, component])
      const group = JSON.stringify([target, type, reason])
      const combined = isSimilar(group, message, now)
      const key = combined ? group : JSON.stringify([group, message])
      const text = combined ? `(combined from similar events): ${message}` : message
      const before = seen.get(key)
      const count = (before?.count ?? 0) + 1
      const firstMillis = before?.firstMillis ?? now
      seen.set(key, { count, firstMillis, name: before?.name })
      if (!takeToken(target, now)) return { action: "drop" }
      return before?.name === undefined
        ? { action: "create", key, message: text, firstMillis, count }
        : { action: "count", key, name: before.name, message: text, count }
    },
    recorded: (key, name) => {
      const entry = seen.get(key)
      if (entry !== undefined) seen.set(key, { ...entry, name })
    },
    restart: (key, now) => seen.set(key, { count: 1, firstMillis: now, name: undefined })
  }
}
