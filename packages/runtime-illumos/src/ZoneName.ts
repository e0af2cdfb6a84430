/** Names of zones: what zonecfg accepts, and the name a pod's zone gets. */
import * as Schema from "effect/Schema"
import { identityHash } from "./internal/identityHash.js"

/**
 * A name zonecfg accepts: 1 to 63 of letters, digits, `_`, `.`, `-`, beginning with a letter or digit, neither
 * `global` nor one of the reserved names that begin with `SUNW`.
 *
 * @category schemas
 */
export const ZoneName = Schema.String.pipe(
  Schema.pattern(/^(?!global$)(?!SUNW)[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, {
    message: () =>
      "a zone name has 1 to 63 letters, digits, '_', '.', '-', begins with a letter or digit, and is neither 'global' nor SUNW…"
  }),
  Schema.brand("ZoneName")
)

/** A validated zone name. @category models */
export type ZoneName = typeof ZoneName.Type

/**
 * The name as a `ZoneName`; throws a `ParseError` when zonecfg would refuse it. For names known when the program is written.
 *
 * @category constructors
 */
export const make = (name: string): ZoneName => ZoneName.make(name)

/**
 * Whether zonecfg accepts the name.
 *
 * @category combinators
 */
export const is = Schema.is(ZoneName)

/**
 * What makes a pod unique on a node, over time.
 *
 * @category models
 */
export interface PodIdentity {
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

const hashLength = 16
const readableLength = 63 - 1 - hashLength

/**
 * The zone name of a pod: readable namespace and name, cut to fit, then 80 bits of a hash over the whole identity.
 * Two pods with the same name but different uids therefore never share a zone.
 *
 * @category constructors
 */
export const zoneNameOf = (pod: PodIdentity): ZoneName => {
  const readable = `${pod.namespace}-${pod.name}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, "-").replace(/^-+/, "")
    .slice(0, readableLength).replace(/-+$/, "")
  const hash = identityHash([pod.namespace, pod.name, pod.uid], hashLength)
  return ZoneName.make(readable === "" ? hash : `${readable}-${hash}`)
}
