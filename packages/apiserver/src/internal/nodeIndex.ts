/**
 * Pods by the node they are bound to, so that an agent's list, a `describe node` and the scheduler's list of pods without a
 * node do not walk all pods.
 */
import { Kinds } from "@reddwarf/api-types"
import { get } from "./jsonValue.js"
import { prefixOf } from "./keys.js"
import type * as objectIndex from "./objectIndex.js"

/** The field that is indexed. */
export const field = "spec.nodeName"

/** Keys of the pods of a node, in order; the empty name is that of pods without a node. */
export type NodeIndex = objectIndex.ObjectIndex

const nodesOf = (object: unknown): ReadonlyArray<string> => {
  const name = get(get(object, "spec"), "nodeName")
  return [typeof name === "string" ? name : ""]
}

/** How it is kept. */
export const options: objectIndex.IndexOptions = { prefix: prefixOf(Kinds.pod, undefined), parts: { spec: { nodeName: true } }, valuesOf: nodesOf }
