/**
 * The ZoneInstances of this node in the API: read from a cache that has every write of this agent, written with the resource version that
 * was read. An API server that does not know the resource is no obstacle: what there is to know is in the agent's ledger then.
 */
import type { ClientError as Errors } from "@reddwarf/client"
import { ApiClient, ClientError, Informer } from "@reddwarf/client"
import { InstanceWriter, PlanError, ZoneInstance } from "@reddwarf/plans"
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { sameJson } from "../internal/sameJson.js"
import * as StaticPod from "../static/StaticPod.js"
import type * as WantedInstance from "./WantedInstance.js"
import * as ZoneInstanceKind from "./ZoneInstanceKind.js"

type Instance = ZoneInstance.ZoneInstance

/** @category models */
export interface InstanceStore {
  readonly writer: Context.Tag.Service<InstanceWriter.InstanceWriter>
  /** Whether the API does not serve the resource: then nothing there can be waited for, and objects are kept here alone. */
  readonly isAbsent: () => boolean
  /** The object of a pod as last heard of, or as it is kept here; `key` as in `WantedInstance.keyOf`. */
  readonly known: (key: string) => Instance | undefined
  /** Waits until the API was asked for the first time, a little while at most. */
  readonly asked: Effect.Effect<void>
  /**
   * Brings the agent's part of an object up to date, and makes it where it is missing. What the API cannot take now is taken by a later call,
   * and kept here until then. `status` is that of an earlier agent, for an object that is kept here.
   */
  readonly ensure: (wanted: Instance, status: Effect.Effect<ZoneInstance.Status | undefined>) => Effect.Effect<void>
  /** Removes the object of a pod that is gone; that of another pod of its name stays. */
  readonly remove: (key: string) => Effect.Effect<void>
  /** Calls back with the pod's uid for what others changed: generation or annotations, not status. */
  readonly onChange: (listener: (podUID: string) => void) => void
}

/** @category models */
export interface Options {
  readonly nodeName: string
}

const kind = ZoneInstanceKind.zoneInstance

const refOf = (instance: Instance) => ({ namespace: instance.metadata.namespace, name: instance.metadata.name ?? "" })
/** The parts of a key of the cache, or of that of a pod. */
const partsOf = (key: string) => {
  const [namespace = "", name = "", uid = ""] = key.split("/")
  return { ref: { namespace, name }, shown: `${namespace}/${name}`, uid }
}

const isNewer = (a: Instance, b: Instance): boolean => {
  const [left = "", right = ""] = [a.metadata.resourceVersion, b.metadata.resourceVersion]
  return /^\d+$/.test(left) && /^\d+$/.test(right) && BigInt(left) > BigInt(right)
}

/** A resource that is not known has no name in the refusal; an object that is missing has. */
const isUnknownResource = (error: Errors.ClientError): boolean =>
  error._tag === "ApiError" && ((error.code === 404 && error.details.name === undefined) || error.code === 403)

/** What others may change of an object for a pass to be of use. */
const intentOf = ({ metadata, spec }: Instance): unknown => [metadata.generation, metadata.annotations, metadata.deletionTimestamp, spec]

/**
 * Follows the ZoneInstances of the node as long as the scope lives.
 *
 * @category constructors
 */
export const make = ({ nodeName }: Options): Effect.Effect<InstanceStore, never, ApiClient.ApiClient | Scope.Scope> =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const context = yield* Effect.context<ApiClient.ApiClient | Scope.Scope>()
    const selector = `${ZoneInstance.nodeLabel}=${nodeName}`
    /** The newest of each object that is known here, own writes included; and those known to be gone. */
    const cache = new Map<string, Instance>()
    /** Objects that no API has taken, by the uid of their pods. */
    const local = new Map<string, Instance>()
    const first = yield* Deferred.make<void>()
    let absent = false
    const listeners: Array<(podUID: string) => void> = []
    let informer: Informer.Informer<Instance> | undefined
    let warned = false

    const put = (instance: Instance): Instance => {
      const key = ZoneInstance.keyOf(instance)
      const before = cache.get(key)
      if (before === undefined || before.metadata.uid !== instance.metadata.uid || isNewer(instance, before)) cache.set(key, instance)
      return instance
    }

    const follow = Effect.gen(function*() {
      const made = yield* Informer.make({ kind, labelSelector: selector })
      made.onChange((event) => {
        const key = ZoneInstance.keyOf(event.object)
        const before = cache.get(key)
        if (event.type === "deleted") {
          if (before?.metadata.uid === event.object.metadata.uid) cache.delete(key)
        } else put(event.object)
        if (before === undefined || !sameJson(intentOf(before), intentOf(event.object))) for (const listener of listeners) listener(event.object.spec.podUID)
      })
      yield* made.hasSynced
      informer = made
      absent = false
    })

    const warn = (error: Errors.ClientError) =>
      Effect.suspend(() => {
        if (!isUnknownResource(error)) return Effect.void
        absent = informer === undefined
        if (warned) return Effect.void
        warned = true
        return Effect.logWarning(
          `the API server does not serve ${ZoneInstance.plural}.${ZoneInstance.group} to this agent: plans go on from the agent's own records and are not shown; `
            + "install the definition that `reddwarf-agent crd` prints to see them"
        )
      })

    // Looked for again now and then: whoever installs the definition later need not start agents again.
    yield* client.list(kind, { labelSelector: selector, limit: 1 }).pipe(
      Effect.tapError((error) => Effect.zipRight(warn(error), Deferred.succeed(first, undefined))),
      Effect.retry(Schedule.jittered(Schedule.exponential("1 second").pipe(Schedule.either(Schedule.spaced("1 minute"))))),
      Effect.zipRight(follow),
      Effect.zipRight(Deferred.succeed(first, undefined)),
      Effect.provide(context),
      Effect.ignoreLogged,
      Effect.forkScoped
    )

    const isAvailable = () => informer !== undefined
    const unreachable = (key: string, detail: string) => new PlanError.InstanceUnreachable({ key, detail })

    /** What a refusal of a write means for whoever wrote. */
    const refused = (key: string) => (error: Errors.ClientError): InstanceWriter.WriteError =>
      ClientError.isConflict(error)
        ? new PlanError.InstanceConflict({ key })
        : ClientError.isNotFound(error)
        ? new PlanError.InstanceGone({ key })
        : unreachable(key, error.message)

    const reload = (key: string) =>
      client.get(kind, partsOf(key).ref).pipe(
        Effect.tap((instance) => Effect.sync(() => void cache.set(key, instance))),
        Effect.asSome,
        Effect.catchIf(ClientError.isNotFound, () => Effect.sync(() => {
          cache.delete(key)
          return Option.none<Instance>()
        }))
      )

    /** After a conflict what is here is old, and nobody says when the news come. */
    const write = (instance: Instance, effect: Effect.Effect<Instance, Errors.ClientError>) => {
      const key = ZoneInstance.keyOf(instance)
      return effect.pipe(
        Effect.map(put),
        Effect.tapError((error) =>
          ClientError.isConflict(error) || ClientError.isNotFound(error) ? Effect.ignore(reload(key)) : Effect.void),
        Effect.mapError(refused(key))
      )
    }

    /** Where the API does not serve the resource, what is kept here is all there is. */
    const keep = (instance: Instance) => Effect.sync(() => {
      local.set(instance.spec.podUID, instance)
      return instance
    })
    const isLocal = ({ metadata }: Instance) => metadata.uid === undefined

    const patchMeta = (instance: Instance, metadata: Pick<Instance["metadata"], "finalizers">) =>
      isLocal(instance) ? keep({ ...instance, metadata: { ...instance.metadata, ...metadata } }) : write(instance, client.patch(kind, refOf(instance), {
        metadata: { ...metadata, uid: instance.metadata.uid, resourceVersion: instance.metadata.resourceVersion }
      }, { type: "merge" }))

    const withoutFinalizer = (instance: Instance) =>
      (instance.metadata.finalizers ?? []).includes(ZoneInstance.finalizer)
        ? patchMeta(instance, { finalizers: (instance.metadata.finalizers ?? []).filter((name) => name !== ZoneInstance.finalizer) }).pipe(
          Effect.asVoid,
          Effect.catchTag("InstanceGone", () => Effect.void)
        )
        : Effect.void

    /** An object of its name that is of another pod is none. */
    const known = (key: string): Instance | undefined => {
      const { shown, uid } = partsOf(key)
      const found = cache.get(shown)
      return found?.spec.podUID === uid ? found : local.get(uid)
    }

    const writer = InstanceWriter.InstanceWriter.of({
      read: (key) =>
        Effect.suspend(() =>
          isAvailable()
            ? Effect.succeed(Option.fromNullable(known(key)))
            // A static pod begins without the API: nobody can have asked for anything about it there.
            : absent || StaticPod.isStaticUid(partsOf(key).uid)
            ? Effect.succeed(Option.fromNullable(local.get(partsOf(key).uid)))
            : Effect.fail(unreachable(key, "it was not heard since this agent began"))),
      ensureFinalizer: (instance) => patchMeta(instance, { finalizers: [...instance.metadata.finalizers ?? [], ZoneInstance.finalizer] }),
      removeFinalizer: withoutFinalizer,
      removeAnnotations: (instance, names) =>
        isLocal(instance) ? Effect.succeed(instance) : write(instance, client.patch(kind, refOf(instance), {
          metadata: {
            uid: instance.metadata.uid,
            resourceVersion: instance.metadata.resourceVersion,
            annotations: Object.fromEntries(names.map((name) => [name, null]))
          }
        }, { type: "merge" })),
      patchStatus: (instance, status) =>
        isLocal(instance) ? keep({ ...instance, status }) : write(instance, client.patch(kind, refOf(instance), {
          metadata: { uid: instance.metadata.uid, resourceVersion: instance.metadata.resourceVersion },
          // A field that is not there any more must be taken away explicitly by a merge patch.
          status: { ...Object.fromEntries(Object.keys(instance.status ?? {}).filter((name) => !(name in status)).map((name) => [name, null])), ...replaced(instance.status, status) }
        }, { type: "merge", subresource: "status" }))
    })

    const create = (wanted: Instance): Effect.Effect<Instance, Errors.ClientError> =>
      client.create(kind, wanted).pipe(Effect.map(put))

    /** The object of an earlier pod of this name, whose zone is gone or is about to be: it holds up the one of this pod. */
    const supersede = (old: Instance) =>
      Effect.zipRight(
        Effect.ignore(client.delete(kind, refOf(old), { preconditions: { uid: old.metadata.uid ?? "" } })),
        (old.metadata.finalizers ?? []).length === 0 ? Effect.void : Effect.flatMap(Effect.option(reload(ZoneInstance.keyOf(old))), (found) =>
          Effect.ignore(Effect.forEach(Option.toArray(Option.flatten(found)), withoutFinalizer)))
      )

    /** What no API takes is kept here, so that the zone does not wait for it. */
    const keepWanted = (wanted: Instance, status: Effect.Effect<ZoneInstance.Status | undefined>) =>
      Effect.gen(function*() {
        const mine = local.get(wanted.spec.podUID)
        const before = mine === undefined ? yield* status : mine.status
        yield* keep({ ...wanted, spec: { ...mine?.spec, ...wanted.spec }, ...(before === undefined ? {} : { status: before }) })
      })

    const ensure = (wanted: Instance, status: Effect.Effect<ZoneInstance.Status | undefined>) =>
      Effect.gen(function*() {
        if (!isAvailable()) {
          yield* keepWanted(wanted, status)
          return
        }
        const key = ZoneInstance.keyOf(wanted)
        let found = cache.get(key)
        if (found !== undefined && (found.spec.podUID !== wanted.spec.podUID || found.metadata.deletionTimestamp !== undefined)) {
          yield* supersede(found)
          cache.delete(key)
          found = undefined
        }
        if (found === undefined) {
          yield* create(wanted).pipe(
            Effect.asVoid,
            Effect.catchIf(ClientError.isAlreadyExists, () => Effect.asVoid(reload(key))),
            Effect.zipRight(Effect.sync(() => void local.delete(wanted.spec.podUID)))
          )
          return
        }
        const own = ownPart(found.spec)
        const { ownerReferences } = wanted.metadata
        const isOwned = ownerReferences === undefined || found.metadata.ownerReferences?.[0]?.uid === ownerReferences[0]?.uid
        if (isOwned && sameJson(own, ownPart(wanted.spec))) return
        const patched = yield* client.patch(kind, refOf(found), {
          metadata: { uid: found.metadata.uid, ...(isOwned ? {} : { ownerReferences }) },
          spec: { ...Object.fromEntries(Object.keys(own).filter((name) => !(name in wanted.spec)).map((name) => [name, null])), ...replaced(own, wanted.spec) }
        }, { type: "merge" })
        put(patched)
      }).pipe(
        Effect.tapError(warn),
        Effect.catchAll((error) =>
          Effect.zipRight(
            Effect.logDebug("a ZoneInstance was not written; the next pass does it", error),
            cache.has(ZoneInstance.keyOf(wanted)) ? Effect.void : keepWanted(wanted, status)
          ))
      )

    return {
      writer,
      isAbsent: () => absent,
      known,
      asked: Effect.asVoid(Effect.timeoutOption(Deferred.await(first), "2 seconds")),
      ensure,
      remove: (key) =>
        Effect.gen(function*() {
          const { shown, uid } = partsOf(key)
          local.delete(uid)
          const found = cache.get(shown)
          if (!isAvailable() || found === undefined || found.spec.podUID !== uid) return
          yield* supersede(found)
          cache.delete(shown)
        }),
      onChange: (listener) => void listeners.push(listener)
    }
  })

const ownPart = ({ paused: _paused, powerState: _power, updatePolicy: _policy, ...own }: ZoneInstance.Spec): WantedInstance.OwnSpec => own

/** A merge patch goes into objects: what shall be replaced as a whole must name what of it goes. */
const replaced = (before: object | undefined, after: object): Record<string, unknown> => {
  const isPlain = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value)
  const old = new Map(Object.entries(before ?? {}))
  return Object.fromEntries(Object.entries(after).filter(([, value]) => value !== undefined).map(([name, value]) => {
    const was = old.get(name)
    if (!isPlain(value) || !isPlain(was)) return [name, value]
    const gone = Object.keys(was).filter((key) => !(key in value))
    return [name, { ...Object.fromEntries(gone.map((key) => [key, null])), ...replaced(was, value) }]
  }))
}
