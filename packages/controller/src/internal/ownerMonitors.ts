/** Keeps the graph of owners current: one informer of metadata for every kind that can be listed, watched and deleted. */
import { Kind, type KubeObject } from "@reddwarf/api-types"
import { type ApiClient, Informer } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Node } from "./ownerGraph.js"

export interface Monitors {
  /** Starts informers for kinds that are new and ends those of kinds that are gone. */
  readonly follow: (kinds: ReadonlyArray<Kind.Kind>) => Effect.Effect<void, never, ApiClient.ApiClient>
  /**
   * Whether absence from the graph means absence from the cluster. Kinds that cannot be listed, though they were tried for a while, do not
   * count: one broken definition must not hold up all others.
   */
  readonly areSynced: () => boolean
  /** The kind served under this name, of any version. */
  readonly kindOf: (group: string, version: string, kind: string) => Kind.Kind | undefined
}

/** `forgotten`: no longer followed, which says nothing about whether it exists. */
export type Change = "put" | "deleted" | "forgotten"

/** Events are many, own nothing and go by themselves. */
const isIgnored = (kind: Kind.Kind): boolean => kind.plural === "events" && (kind.group === "" || kind.group === "events.k8s.io")

const isMonitored = (kind: Kind.Kind): boolean =>
  !isIgnored(kind) && (["list", "watch", "delete"] as const).every((verb) => kind.verbs.includes(verb))

const nameOf = (kind: Kind.Kind): string => `${Kind.apiVersion(kind)} ${kind.kind} ${kind.plural}`

/** Of several versions of a resource, the preferred one. */
const preferred = (kinds: ReadonlyArray<Kind.Kind>): ReadonlyMap<string, Kind.Kind> => {
  const resources = new Set<string>()
  const found = new Map<string, Kind.Kind>()
  for (const kind of kinds) {
    const resource = Kind.qualifiedResource(kind)
    if (!isMonitored(kind) || resources.has(resource)) continue
    resources.add(resource)
    found.set(nameOf(kind), kind)
  }
  return found
}

/** What is kept of every object in memory. */
const slim = (object: KubeObject.KubeObject): KubeObject.KubeObject => {
  const { deletionTimestamp, finalizers, name, namespace, ownerReferences, resourceVersion, uid } = object.metadata
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(finalizers === undefined ? {} : { finalizers }),
      ...(ownerReferences === undefined ? {} : { ownerReferences })
    }
  }
}

interface Monitor {
  readonly kind: Kind.Kind
  readonly scope: Scope.CloseableScope
  readonly startedAt: number
  readonly informer: Informer.Informer<KubeObject.KubeObject>
}

/** How long a new kind is waited for, in milliseconds. */
const patience = 30_000

/** The informers end with the scope. `onChange` gets every change, a deletion with the last state. `now` is milliseconds since the epoch. */
export const make = (
  onChange: (node: Node, change: Change) => void,
  now: () => number
): Effect.Effect<Monitors, never, Scope.Scope> =>
  Effect.gen(function*() {
    const parent = yield* Effect.scope
    const monitors = new Map<string, Monitor>()
    let served: ReadonlyMap<string, Kind.Kind> = new Map()
    let followed = false

    const start = Effect.fnUntraced(function*(kind: Kind.Kind) {
      const scope = yield* Scope.fork(parent, parent.strategy)
      const informer = yield* Scope.extend(Informer.makeMetadata({ kind, transform: slim }), scope)
      informer.onChange((event) => {
        // An object that was deleted and made again between two lists has another uid: then the old one is gone.
        if (event.type === "updated" && event.old.metadata.uid !== event.object.metadata.uid) onChange({ kind, object: event.old }, "deleted")
        onChange({ kind, object: event.object }, event.type === "deleted" ? "deleted" : "put")
      })
      monitors.set(nameOf(kind), { kind, scope, startedAt: now(), informer })
    })

    const stop = (name: string, { informer, kind, scope }: Monitor) =>
      Effect.suspend(() => {
        monitors.delete(name)
        return Effect.zipRight(
          Scope.close(scope, Exit.void),
          Effect.sync(() => {
            for (const object of informer.list()) onChange({ kind, object }, "forgotten")
          })
        )
      })

    return {
      follow: (kinds) =>
        Effect.gen(function*() {
          const wanted = preferred(kinds)
          served = new Map(kinds.map((kind) => [`${kind.group}/${kind.version}/${kind.kind}`, kind]))
          for (const [name, monitor] of monitors) if (!wanted.has(name)) yield* stop(name, monitor)
          for (const [name, kind] of wanted) if (!monitors.has(name)) yield* start(kind)
          followed = true
        }),
      areSynced: () => {
        if (!followed) return false
        const recent = now() - patience
        for (const { informer, startedAt } of monitors.values()) if (!informer.isSynced() && startedAt > recent) return false
        return true
      },
      kindOf: (group, version, kind) => served.get(`${group}/${version}/${kind}`)
    }
  })
