/** Names of datalinks: what dladm and zonecfg accept, and the name of a pod's VNIC. */
import * as Schema from "effect/Schema"
import { identityHash } from "./internal/identityHash.js"

/**
 * A datalink name: at most 31 of letters, digits, `_`, `.`, beginning with no digit and ending in a number without
 * leading zeros. Link names are one namespace for the whole host.
 *
 * @category schemas
 */
export const LinkName = Schema.String.pipe(
  Schema.pattern(/^(?=.{2,31}$)[A-Za-z_.](?:[A-Za-z0-9_.]*[A-Za-z_.])?(?:0|[1-9][0-9]*)$/, {
    message: () =>
      "a link name has at most 31 letters, digits, '_', '.', begins with no digit and ends in a number without leading zeros"
  }),
  Schema.brand("LinkName")
)

/** A validated datalink name. @category models */
export type LinkName = typeof LinkName.Type

/**
 * The name as a `LinkName`; throws a `ParseError` when dladm would refuse it. For names known when the program is written.
 *
 * @category constructors
 */
export const make = (name: string): LinkName => LinkName.make(name)

/**
 * Whether dladm accepts the name.
 *
 * @category combinators
 */
export const is = Schema.is(LinkName)

/**
 * How every VNIC made for a pod begins; the mark by which leftovers are found.
 *
 * @category models
 */
export const podLinkPrefix = "rd_"

/**
 * What makes a pod's link unique on a node, over time.
 *
 * @category models
 */
export interface LinkIdentity {
  readonly uid: string
  /** Pod name; only its first letters are kept, to make the link readable. */
  readonly name?: string | undefined
  readonly namespace?: string | undefined
  /** Which interface of the pod, 0 to 999. Default 0. */
  readonly index?: number | undefined
}

const hashLength = 13
const readableLength = 9

/**
 * The VNIC name of a pod's interface: `rd_<pod>_<hash>_<index>` with 65 bits of a hash over the whole identity.
 *
 * @category constructors
 */
export const linkNameOf = (link: LinkIdentity): LinkName => {
  const index = link.index ?? 0
  const readable = (link.name ?? "").toLowerCase().replaceAll(/[^a-z0-9]/g, "").slice(0, readableLength)
  const hash = identityHash([link.namespace ?? "", link.name ?? "", link.uid, index], hashLength)
  return LinkName.make(`${podLinkPrefix}${readable === "" ? "" : `${readable}_`}${hash}_${index}`)
}
