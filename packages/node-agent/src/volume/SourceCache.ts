/**
 * ConfigMaps, Secrets and trust bundles as they were a short while ago, shared by the pods of the node: many pods refer to the same few objects, and each
 * is looked at again and again for as long as it runs.
 */
import { ClientError } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Reader } from "./PodSources.js"

/**
 * How old what is remembered of an object may be, where that is read by a pass over a pod: there is one every half minute, so a change is seen within
 * a minute.
 *
 * @category models
 */
export const usualAge = "20 seconds"

/** Objects of one kind that are remembered; the one that was read first goes first. */
const mostEntries = 2048

interface Entry<A> {
  readonly found: Either.Either<A, ClientError.ClientError>
  readonly readAt: number
  readonly isImmutable: boolean
}

type Get<A> = (namespace: string, name: string) => Effect.Effect<A, ClientError.ClientError>

/** How much longer an immutable object is remembered. */
const immutableFactor = 20

/** Objects of one kind, for readers who want them to be just so old: what one of them has read, the others know. */
const remembering = <A extends object>(get: Get<A>, longest: number): (age: number) => Get<A> => {
  const entries = new Map<string, Entry<A>>()
  const untilOf = ({ isImmutable, readAt }: Entry<A>, age: number) => readAt + age * (isImmutable ? immutableFactor : 1)
  return (age) => (namespace, name) =>
    Effect.gen(function*() {
      const key = `${namespace}/${name}`
      const now = yield* Clock.currentTimeMillis
      const known = entries.get(key)
      if (known !== undefined && now < untilOf(known, age)) return yield* known.found
      const found = yield* Effect.either(get(namespace, name))
      // That an object is missing is an answer; that the server does not answer is none.
      if (Either.isLeft(found) && !ClientError.isNotFound(found.left)) return yield* found
      entries.delete(key)
      // The oldest come first: what nobody asks for any more does not stay.
      for (const [other, entry] of entries) {
        if (untilOf(entry, longest) > now && entries.size < mostEntries) break
        entries.delete(other)
      }
      // What never changes any more is looked at again only to notice that another one has taken its place.
      const isImmutable = Either.isRight(found) && "immutable" in found.right && found.right.immutable === true
      entries.set(key, { found, readAt: now, isImmutable })
      return yield* found
    })
}

/** @category models */
export interface SourceCache extends Reader {
  /** The same memory, for who wants to know it better: its answers are at most so old. */
  readonly within: (age: Duration.DurationInput) => Reader
}

/**
 * A reader whose answers are at most `age` old, those about immutable objects a little older.
 *
 * @category constructors
 */
export const make = (reader: Reader, age: Duration.DurationInput): SourceCache => {
  const longest = Duration.toMillis(age)
  const kinds = {
    configMap: remembering(reader.configMap, longest),
    secret: remembering(reader.secret, longest),
    bundle: remembering((_, name) => reader.trustBundle(name), longest),
    bundles: remembering((_, signer) => reader.trustBundles(signer), longest)
  }
  const within = (age: number): Reader => {
    const bundle = kinds.bundle(age)
    const bundles = kinds.bundles(age)
    return {
      configMap: kinds.configMap(age),
      secret: kinds.secret(age),
      trustBundle: (name) => bundle("", name),
      trustBundles: (signer) => bundles("", signer)
    }
  }
  return { ...within(longest), within: (age) => within(Math.min(Duration.toMillis(age), longest)) }
}
