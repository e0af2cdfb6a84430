/**
 * What handlers work with for a kind whose versions a webhook converts. Reads of memory are plain functions, and a webhook is
 * not: what such a read needs and has not been converted yet is thrown as `Unconverted`. Whoever runs the handler has it
 * converted, and runs the handler again; what was converted once is remembered as long as the version lives.
 */
import { Kind, type KubeObject, type Status } from "@reddwarf/api-types"
import { type CacheEvent, WatchExpired } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ApiResponse } from "../ApiResponse.js"
import { type ApiContext, objectOf, type ResourceRequest } from "./apiContext.js"
import * as convertedWatcher from "./convertedWatcher.js"
import { encoderOf } from "./encode.js"
import * as render from "./render.js"
import { convert } from "./webhookConversion.js"

type Handled = ApiResponse | Effect.Effect<ApiResponse, Status.Status>
type Version = ObjectStore.Committed

/** These versions are needed in the version of the view. */
class Unconverted extends Error {
  readonly versions: ReadonlyArray<Version>
  constructor(versions: ReadonlyArray<Version>) {
    super("objects have to be converted first")
    this.versions = versions
  }
}

/** The webhook did not convert what was needed. */
class ConversionFailed extends Error {
  readonly status: Status.Status
  constructor(status: Status.Status) {
    super(status.message ?? "")
    this.status = status
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const storedObject = ({ bytes, key, object = JSON.parse(decoder.decode(bytes)) }: Version): KubeObject.KubeObject => objectOf({ key, object })

/** A version as the view shows it. */
const shown = ({ createRevision, key, revision }: Version, object: KubeObject.KubeObject): CacheEvent.CacheEntry => {
  let bytes: Uint8Array | undefined
  return {
    key,
    revision,
    createRevision,
    object,
    get bytes() {
      return bytes ??= encoder.encode(`${JSON.stringify(object)}\n`)
    }
  }
}

interface View {
  readonly context: ApiContext
  /** Converts what is not known yet. */
  readonly resolve: (versions: ReadonlyArray<Version>) => Effect.Effect<void, Status.Status>
}

const make = (context: ApiContext, storage: Kind.Storage, webhook: Kind.ConversionWebhook): View => {
  const known = new WeakMap<Version, CacheEvent.CacheEntry>()
  const storedAs = Kind.apiVersion(storage.kind)
  const remember = (version: Version, object: KubeObject.KubeObject): CacheEvent.CacheEntry => {
    const entry = shown(version, storage.fromStored(object))
    known.set(version, entry)
    return entry
  }
  const find = (version: Version): CacheEvent.CacheEntry | undefined => {
    const found = known.get(version)
    if (found !== undefined) return found
    const object = storedObject(version)
    return object.apiVersion === webhook.apiVersion ? remember(version, object) : undefined
  }
  const need = (version: Version): CacheEvent.CacheEntry => {
    const found = find(version)
    if (found === undefined) throw new Unconverted([version])
    return found
  }
  const needAll = (versions: ReadonlyArray<Version>): ReadonlyArray<CacheEvent.CacheEntry> => {
    const missing = versions.filter((version) => find(version) === undefined)
    if (missing.length > 0) throw new Unconverted(missing)
    return versions.map(need)
  }
  const resolve = (versions: ReadonlyArray<Version>): Effect.Effect<void, Status.Status> => {
    const missing = versions.filter((version) => find(version) === undefined)
    if (missing.length === 0) return Effect.void
    return Effect.map(convert(context.webhooks, webhook, missing.map(storedObject), webhook.apiVersion), (converted) => {
      for (const [index, version] of missing.entries()) {
        const object = converted[index]
        if (object !== undefined) remember(version, object)
      }
    })
  }
  const resolved = <A>(versions: ReadonlyArray<Version>, use: () => A): Effect.Effect<A> =>
    resolve(versions).pipe(Effect.catchAll((status) => Effect.die(new ConversionFailed(status))), Effect.map(use))

  const events = new WeakMap<CacheEvent.CacheEvent, CacheEvent.CacheEvent>()
  const eventOf = (event: CacheEvent.CacheEvent): CacheEvent.CacheEvent => {
    const found = events.get(event)
    if (found !== undefined) return found
    const made: CacheEvent.CacheEvent = {
      type: event.type,
      key: event.key,
      revision: event.revision,
      entry: need(event.entry),
      previous: event.previous === undefined ? undefined : need(event.previous),
      // Kept beside the encodings of the stored event, in its bounds.
      encoded: (kind, encode) => event.encoded(`${webhook.apiVersion} ${kind}`, encode)
    }
    events.set(event, made)
    return made
  }
  const { cache, store } = context
  // Clients that are told so list again, and the list tells them what is wrong.
  const expired = () => new WatchExpired.WatchExpired({ requested: cache.revision(), oldest: cache.revision(), reason: "History" })

  /** Stores what `write` is given: the object as it is stored, made before because the store does not wait. */
  const stored = <E>(
    encode: ObjectStore.Encode,
    write: (encode: ObjectStore.Encode) => Effect.Effect<Version, E>
  ): Effect.Effect<Version, E> => {
    const given = objectOf({ key: "of a write", object: encode(0).object })
    return Effect.flatMap(
      Effect.catchAll(convert(context.webhooks, webhook, [given], storedAs), (status) => Effect.die(new ConversionFailed(status))),
      ([converted = given]) =>
        Effect.map(write(encoderOf(storage.toStored(converted))), (version) => {
          const { object } = encode(version.revision)
          return shown(version, objectOf({ key: version.key, object }))
        })
    )
  }
  return {
    resolve,
    context: {
      ...context,
      cache: {
        ...cache,
        get: (key) => {
          const entry = cache.get(key)
          return entry === undefined ? undefined : need(entry)
        },
        list: (under) => needAll(cache.list(under)),
        watch: ({ filter, ...options }) =>
          Effect.flatMap(cache.watch(options), (watcher) =>
            convertedWatcher.make(watcher, (taken) =>
              resolve(taken.flatMap(({ entry, previous }) => previous === undefined ? [entry] : [entry, previous])).pipe(
                Effect.mapError(expired),
                Effect.map(() => taken.map(eventOf).filter((event) => filter?.(event) !== false))
              )))
      },
      store: {
        ...store,
        get: (key) =>
          Effect.flatMap(store.get(key), (found) => resolved(Option.toArray(found), () => Option.map(found, need))),
        range: (options) =>
          Effect.flatMap(store.range(options), (page) => resolved(page.items, () => ({ ...page, items: page.items.map(need) }))),
        create: (key, encode, options) => stored(encode, (other) => store.create(key, other, options)),
        update: (key, revision, encode, options) => stored(encode, (other) => store.update(key, revision, other, options)),
        delete: (key, revision, encode, options) => stored(encode, (other) => store.delete(key, revision, other, options))
      }
    }
  }
}

const views = new WeakMap<ApiContext, WeakMap<Kind.Storage, View>>()

const viewOf = (context: ApiContext, storage: Kind.Storage, webhook: Kind.ConversionWebhook): View => {
  const ofContext = views.get(context) ?? new WeakMap<Kind.Storage, View>()
  views.set(context, ofContext)
  const found = ofContext.get(storage) ?? make(context, storage, webhook)
  ofContext.set(storage, found)
  return found
}

// Each round converts what the one before asked for; more are needed only when others write meanwhile.
const rounds = 32

/** Runs a handler over the view of its kind. */
export const handle = (
  call: ResourceRequest,
  storage: Kind.Storage,
  webhook: Kind.ConversionWebhook,
  handler: (call: ResourceRequest) => Handled
): Effect.Effect<ApiResponse, Status.Status> =>
  Effect.gen(function*() {
    const view = viewOf(call.context, storage, webhook)
    // A handler that runs again reads its body again.
    const body = yield* Effect.cached(call.request.body)
    const own: ResourceRequest = { ...call, context: view.context, request: { ...call.request, body } }
    const attempt = (left: number): Effect.Effect<ApiResponse, Status.Status> =>
      Effect.suspend(() => {
        const handled = handler(own)
        return Effect.isEffect(handled) ? handled : Effect.succeed(handled)
      }).pipe(Effect.catchAllCause((cause) => {
        for (const defect of Cause.defects(cause)) {
          if (defect instanceof ConversionFailed) return Effect.succeed(render.status(defect.status))
          if (defect instanceof Unconverted && left > 0) return Effect.zipRight(view.resolve(defect.versions), attempt(left - 1))
        }
        return Effect.failCause(cause)
      }))
    return yield* attempt(rounds)
  })
