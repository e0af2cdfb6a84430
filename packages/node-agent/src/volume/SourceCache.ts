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

/** Objects of one kind that are remembered; the one that was read first goes first. */
const mostEntries = 2048

interface Entry<A> {
  readonly found: Either.Either<A, ClientError.ClientError>
  readonly until: number
}

type Get<A> = (namespace: string, name: string) => Effect.Effect<A, ClientError.ClientError>

const remembering = <A extends object>(get: Get<A>, age: number): Get<A> => {
  const entries = new Map<string, Entry<A>>()
  return (namespace, name) =>
    Effect.gen(function*() {
      const key = `${namespace}/${name}`
      const now = yield* Clock.currentTimeMillis
      const known = entries.get(key)
      if (known !== undefined && now < known.until) return yield* known.found
      const found = yield* Effect.either(get(namespace, name))
      // That an object is missing is an answer; that the server does not answer is none.
      if (Either.isLeft(found) && !ClientError.isNotFound(found.left)) return yield* found
      entries.delete(key)
      // The oldest come first: what nobody asks for any more does not stay.
      for (const [other, { until }] of entries) {
        if (until > now && entries.size < mostEntries) break
        entries.delete(other)
      }
      // What never changes any more is looked at again only to notice that another one has taken its place.
      const immutable = Either.isRight(found) && "immutable" in found.right && found.right.immutable === true
      entries.set(key, { found, until: now + age * (immutable ? immutableFactor : 1) })
      return yield* found
    })
}

/** How much longer an immutable object is remembered. */
const immutableFactor = 20

/**
 * A reader whose answers are at most `age` old, those about immutable objects a little older.
 *
 * @category constructors
 */
export const make = (reader: Reader, age: Duration.DurationInput): Reader => {
  const millis = Duration.toMillis(age)
  const bundle = remembering((_, name) => reader.trustBundle(name), millis)
  const bundles = remembering((_, signer) => reader.trustBundles(signer), millis)
  return {
    configMap: remembering(reader.configMap, millis),
    secret: remembering(reader.secret, millis),
    trustBundle: (name) => bundle("", name),
    trustBundles: (signer) => bundles("", signer)
  }
}
