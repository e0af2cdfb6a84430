/**
 * Items of lists: for built-in kinds Kubernetes leaves `kind` and `apiVersion` to the list. Stored objects begin with them, so
 * they are cut off and the rest of the stored bytes is sent as it is.
 */
import { Kind, type KubeObject } from "@reddwarf/api-types"
import { inner } from "./encode.js"

const encoder = new TextEncoder()

/** What is left of a stored object behind its `{"kind":...,"apiVersion":...,`; undefined when it does not begin so. */
export type Cut = (bytes: Uint8Array) => Uint8Array | undefined

const cuts = new WeakMap<Kind.Kind, Cut>()

/** Items of kinds that definitions stand for keep both. */
const keepsHead = ({ custom }: Kind.Kind): boolean => custom !== undefined && custom.isBuiltIn !== true

const make = (kind: Kind.Kind): Cut => {
  if (keepsHead(kind)) return () => undefined
  const head = encoder.encode(`{"kind":${JSON.stringify(kind.kind)},"apiVersion":${JSON.stringify(Kind.apiVersion(kind))},`)
  return (bytes) => {
    const item = inner(bytes)
    return item.length > head.length && Buffer.compare(item.subarray(0, head.length), head) === 0
      ? item.subarray(head.length)
      : undefined
  }
}

const cutOf = (kind: Kind.Kind): Cut => {
  const known = cuts.get(kind)
  if (known !== undefined) return known
  const made = make(kind)
  cuts.set(kind, made)
  return made
}

/** The same for an object that is not at hand as bytes. */
export const valueOf = (kind: Kind.Kind, object: KubeObject.KubeObject): unknown => {
  if (keepsHead(kind)) return object
  const { apiVersion: _, kind: __, ...rest } = object
  return rest
}

const comma = encoder.encode(",")
const open = encoder.encode("{")
const commaOpen = encoder.encode(",{")

/** The items of a list, with the commas between them. Nothing is copied. */
export const items = function*(
  kind: Kind.Kind,
  stored: Iterable<{ readonly bytes: Uint8Array }>
): Generator<Uint8Array> {
  const cut = cutOf(kind)
  let first = true
  for (const { bytes } of stored) {
    const rest = cut(bytes)
    if (rest !== undefined) {
      yield first ? open : commaOpen
      yield rest
    } else {
      if (!first) yield comma
      yield inner(bytes)
    }
    first = false
  }
}
