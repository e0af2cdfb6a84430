/** Who made a version, as it lies in the database. */
import type { Origin } from "../ObjectStore.js"

/** A JSON array: the names of the fields would be most of it. */
export const encode = ({ at, derived, manager, subresource, user, verb }: Origin): string =>
  JSON.stringify([at, user, verb, manager ?? "", subresource ?? "", ...(derived === true ? [1] : [])])

/** Undefined for what is none. */
export const decode = (encoded: string): Origin | undefined => {
  let fields: unknown
  try {
    fields = JSON.parse(encoded)
  } catch {
    return undefined
  }
  if (!Array.isArray(fields)) return undefined
  const [at, user, verb, manager, subresource, derived]: ReadonlyArray<unknown> = fields
  if (typeof at !== "number" || typeof user !== "string" || typeof verb !== "string") return undefined
  return {
    at,
    user,
    verb,
    ...(typeof manager === "string" && manager !== "" ? { manager } : {}),
    ...(typeof subresource === "string" && subresource !== "" ? { subresource } : {}),
    ...(derived === 1 ? { derived: true } : {})
  }
}

/** Whether a version is followed by another report of the same reporter: of such a run only the last is kept. */
export const isRun = (origin: Origin, next: Origin | undefined): boolean =>
  origin.subresource === "status" && next?.subresource === "status" && origin.user === next.user && origin.manager === next.manager
