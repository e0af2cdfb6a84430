/** Names of layers on top of each other: a layer alone is named by its diff id, a stack of layers by its chain id. */
import * as Digest from "./Digest.js"

/** The stack without layers, which is an empty root. @category models */
export const empty: Digest.Digest = Digest.of("")

/**
 * The chain id of a layer on a stack: the diff id on nothing, else the hash of both names. Two images whose lowest layers are the same
 * share their chain ids so far, and so their datasets.
 *
 * @category combinators
 */
export const on = (parent: Digest.Digest, diffId: Digest.Digest): Digest.Digest => (parent === empty ? diffId : Digest.of(`${parent} ${diffId}`))

/** The chain id of every stack that begins at the lowest layer, the whole one last. @category constructors */
export const all = (diffIds: ReadonlyArray<Digest.Digest>): ReadonlyArray<Digest.Digest> => {
  const chain: Array<Digest.Digest> = []
  for (const diffId of diffIds) chain.push(on(chain.at(-1) ?? empty, diffId))
  return chain
}

/** The chain id of all layers together. @category constructors */
export const of = (diffIds: ReadonlyArray<Digest.Digest>): Digest.Digest => all(diffIds).at(-1) ?? empty
