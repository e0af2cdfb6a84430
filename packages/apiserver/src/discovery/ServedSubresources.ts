/** Which subresources this server answers; kinds may know of more. */
import type { Kind } from "@reddwarf/api-types"

const served = new Set([
  "approval",
  "attach",
  "binding",
  "ephemeralcontainers",
  "eviction",
  "exec",
  "finalize",
  "log",
  "portforward",
  "proxy",
  "resize",
  "scale",
  "status",
  "token"
])

/** Whether a subresource is answered here. @category combinators */
export const isServed = (name: string): boolean => served.has(name)

/** The subresources of a kind that are answered here. @category combinators */
export const of = (kind: Kind.Kind): ReadonlyArray<Kind.Subresource> => kind.subresources.filter(({ name }) => served.has(name))
