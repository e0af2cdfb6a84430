/** What became of the owners of an object: from the graph where that is certain, else from the server. */
import type { Kind, KubeObject, MetaV1 } from "@reddwarf/api-types"
import { type ApiClient, ClientError } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as graphs from "./ownerGraph.js"

/**
 * `Solid`: it exists. `Waiting`: it exists, and waits for its dependents to go. `Absent`: it does not exist, or another object has its
 * name. `Unresolvable`: its kind is not served, or it cannot own this object; nothing may be concluded.
 */
export type OwnerState = "Solid" | "Waiting" | "Absent" | "Unresolvable"

export interface OwnerStates {
  readonly of: (dependent: graphs.Node, owner: MetaV1.OwnerReference) => Effect.Effect<OwnerState, ClientError.ClientError>
  /** Notes that an object with this uid was deleted: no other will ever have it. */
  readonly gone: (uid: string) => void
}

/** Absent owners that are remembered. */
const capacity = 500

const groupOf = (apiVersion: string): readonly [group: string, version: string] => {
  const slash = apiVersion.indexOf("/")
  return slash < 0 ? ["", apiVersion] : [apiVersion.slice(0, slash), apiVersion.slice(slash + 1)]
}

const existing = (object: KubeObject.KubeObject): OwnerState => (graphs.isDeletingDependents(object) ? "Waiting" : "Solid")

export const make = (
  client: ApiClient.Service,
  graph: graphs.OwnerGraph,
  kindOf: (group: string, version: string, kind: string) => Kind.Kind | undefined,
  /** Called when the owner is, or can only be, in a namespace from which it cannot own the dependent. */
  onInvalidNamespace: (dependent: graphs.Node, owner: MetaV1.OwnerReference) => Effect.Effect<void>
): OwnerStates => {
  /** References that were found absent, by uid and namespace; oldest first. */
  const absent = new Set<string>()

  const remember = (key: string): void => {
    absent.delete(key)
    absent.add(key)
    for (const oldest of absent) {
      if (absent.size <= capacity) break
      absent.delete(oldest)
    }
  }

  const ask = (kind: Kind.Kind, namespace: string | undefined, owner: MetaV1.OwnerReference): Effect.Effect<OwnerState, ClientError.ClientError> =>
    client.getMetadata(kind, { namespace: kind.namespaced ? namespace : undefined, name: owner.name }).pipe(
      Effect.map((found): OwnerState => (found.metadata.uid === owner.uid ? existing(found) : "Absent")),
      Effect.catchIf(ClientError.isNotFound, () => Effect.succeed<OwnerState>("Absent"))
    )

  return {
    of: (dependent, owner) =>
      Effect.suspend(() => {
        const { namespace = "" } = dependent.object.metadata
        const [group, version] = groupOf(owner.apiVersion)
        const known = graph.get(owner.uid)
        const isNamed = known !== undefined && known.kind.group === group && known.kind.kind === owner.kind &&
          known.object.metadata.name === owner.name
        if (isNamed && (!known.kind.namespaced || known.object.metadata.namespace === namespace)) return Effect.succeed(existing(known.object))
        const key = `${owner.uid} ${namespace}`
        if (absent.has(owner.uid) || absent.has(key)) return Effect.succeed<OwnerState>("Absent")
        const kind = kindOf(group, version, owner.kind)
        if (kind === undefined) return Effect.succeed<OwnerState>("Unresolvable")
        if (kind.namespaced && namespace === "") {
          return Effect.as(onInvalidNamespace(dependent, owner), "Unresolvable" as const)
        }
        return Effect.tap(ask(kind, namespace, owner), (state) => {
          if (state !== "Absent") return Effect.void
          remember(key)
          return known === undefined || !known.kind.namespaced || known.object.metadata.namespace === namespace
            ? Effect.void
            : onInvalidNamespace(dependent, owner)
        })
      }),
    gone: remember
  }
}
