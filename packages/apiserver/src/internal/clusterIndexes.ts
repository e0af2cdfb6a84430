/** The indexes over all objects that the parts of a server share: at the start they look at each object once, together. */
import { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore } from "@reddwarf/store"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeAuthorizer from "../authorization/NodeAuthorizer.js"
import * as nodeIndex from "./nodeIndex.js"
import * as objectIndex from "./objectIndex.js"
import * as ownerIndex from "./ownerIndex.js"

export class ClusterIndexes extends Context.Tag("@reddwarf/apiserver/ClusterIndexes")<ClusterIndexes, {
  readonly podsByNode: nodeIndex.NodeIndex
  /** Objects of all kinds by the uids of their owners. */
  readonly byOwner: objectIndex.ObjectIndex
  /** See `NodeAuthorizer`. */
  readonly nodeEdges: objectIndex.ObjectIndex
}>() {}

/** Layers are shared by reference, so all who provide this one get the same. */
export const layer: Layer.Layer<ClusterIndexes, never, ObjectStore.ObjectStore | WatchCache.WatchCache> = Layer.scoped(
  ClusterIndexes,
  Effect.gen(function*() {
    return yield* objectIndex.make(yield* ObjectStore.ObjectStore, yield* WatchCache.WatchCache, {
      podsByNode: nodeIndex.options,
      byOwner: ownerIndex.options,
      nodeEdges: NodeAuthorizer.index
    })
  })
)
