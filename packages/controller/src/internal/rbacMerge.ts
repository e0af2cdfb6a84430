/** Brings a default role or binding up to date without taking away what others added to it. */
import { isDeepStrictEqual } from "node:util"
import type { KubeObject } from "@reddwarf/api-types"

const autoUpdate = "rbac.authorization.kubernetes.io/autoupdate"

const field = (object: object, name: string): unknown => Object.entries(object).find(([key]) => key === name)?.[1]

/** The elements of a list; empty when there is none. */
const list = (object: object, name: string): ReadonlyArray<unknown> => {
  const value = field(object, name)
  return Array.isArray(value) ? value : []
}

/** The list with the missing elements of `wanted` at its end; the same list when none is missing. */
const union = (present: ReadonlyArray<unknown>, wanted: ReadonlyArray<unknown>): ReadonlyArray<unknown> => {
  const missing = wanted.filter((each) => !present.some((other) => isDeepStrictEqual(each, other)))
  return missing.length === 0 ? present : [...present, ...missing]
}

/** The object as it should be; undefined when nothing is missing or its owner wants it left alone. */
export const correct = (
  current: KubeObject.KubeObject,
  wanted: Pick<KubeObject.KubeObject, "metadata">
): KubeObject.KubeObject | undefined => {
  if (current.metadata.annotations?.[autoUpdate] === "false") return undefined
  const parts: Record<string, unknown> = {}
  // The rules of an aggregated role are written by whoever aggregates it.
  const lists = field(wanted, "aggregationRule") === undefined ? ["rules", "subjects"] : []
  for (const name of lists) {
    const present = list(current, name)
    const next = union(present, list(wanted, name))
    if (next !== present) parts[name] = next
  }
  return Object.keys(parts).length === 0 ? undefined : { ...current, ...parts }
}
