/**
 * Which cluster addresses and node ports services have. Derived from the stored services by the change feed, so nothing is
 * released twice or never; what a write under way wants is held until the write has ended.
 */
import { Kinds } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { get, isArray } from "./jsonValue.js"
import { prefixOf } from "./keys.js"

/** Claims are addresses as text and node ports as numbers. */
export type Claim = string | number

/** Who has what. */
export interface ServiceIndex {
  /** Whether something is taken by a service other than the one under `key`, or by a write under way. */
  readonly isTaken: (claim: Claim, key: string) => boolean
  /** Holds something for a write under way; the result lets go of it. What nobody lets go of is held for a minute. */
  readonly hold: (claim: Claim) => () => void
}

const holdMillis = 60_000

const claimsOf = (service: unknown): ReadonlyArray<Claim> => {
  const spec = get(service, "spec")
  const addresses = get(spec, "clusterIPs")
  const ports = get(spec, "ports")
  const claims: Array<Claim> = []
  for (const address of isArray(addresses) ? addresses : [get(spec, "clusterIP")]) {
    if (typeof address === "string" && address !== "" && address !== "None") claims.push(address)
  }
  for (const port of isArray(ports) ? ports : []) {
    const number = get(port, "nodePort")
    if (typeof number === "number" && number > 0) claims.push(number)
  }
  return claims
}

/** Follows the store until the scope closes. */
export const make = (
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>,
  now: () => number
): Effect.Effect<ServiceIndex, never, Scope.Scope> =>
  Effect.gen(function*() {
    const prefix = prefixOf(Kinds.service, undefined)
    const owners = new Map<Claim, Set<string>>()
    const claims = new Map<string, ReadonlyArray<Claim>>()
    const held = new Map<Claim, number>()
    const put = (key: string, next: ReadonlyArray<Claim>) => {
      for (const claim of claims.get(key) ?? []) {
        const keys = owners.get(claim)
        keys?.delete(key)
        if (keys?.size === 0) owners.delete(claim)
      }
      if (next.length === 0) {
        claims.delete(key)
        return
      }
      claims.set(key, next)
      for (const claim of next) {
        const keys = owners.get(claim)
        if (keys === undefined) owners.set(claim, new Set([key]))
        else keys.add(key)
      }
    }
    const decoder = new TextDecoder()
    yield* store.subscribe((changes) => {
      for (const { bytes, key, object, type } of changes) {
        if (key.startsWith(prefix)) put(key, type === "delete" ? [] : claimsOf(object ?? JSON.parse(decoder.decode(bytes))))
      }
    })
    // Nothing is committed between the subscription and this: both run in one step.
    for (const entry of cache.list(prefix)) put(entry.key, claimsOf(entry.object))
    return {
      isTaken: (claim, key) => {
        const keys = owners.get(claim)
        if (keys !== undefined && (keys.size > 1 || !keys.has(key))) return true
        return (held.get(claim) ?? 0) > now()
      },
      hold: (claim) => {
        const until = now() + holdMillis
        held.set(claim, until)
        return () => {
          if (held.get(claim) === until) held.delete(claim)
        }
      }
    }
  })
