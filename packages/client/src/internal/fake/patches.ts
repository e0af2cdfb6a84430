/** The two patch formats of the fake API that need no field tables: merge patch (RFC 7386) and JSON patch (RFC 6902). */
import { isDeepStrictEqual } from "node:util"
import * as Either from "effect/Either"
import { isRecord } from "../decode.js"

/** Applies a merge patch: null removes, objects merge, everything else replaces. */
export const mergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isRecord(patch)) return patch
  const merged: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name]
    else merged[name] = mergePatch(merged[name], value)
  }
  return merged
}

const segmentsOf = (pointer: string): ReadonlyArray<string> | undefined =>
  pointer === "" ? [] : pointer.startsWith("/")
    ? pointer.slice(1).split("/").map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"))
    : undefined

type Edit = (container: unknown, segment: string) => unknown

const arrayIndex = (segment: string, length: number): number | undefined => {
  const index = /^(0|[1-9]\d*)$/.test(segment) ? Number(segment) : Number.NaN
  return index < length ? index : undefined
}

const child = (value: unknown, segment: string): unknown => {
  if (Array.isArray(value)) {
    const index = arrayIndex(segment, value.length)
    const items: ReadonlyArray<unknown> = value
    return index === undefined ? undefined : items[index]
  }
  return isRecord(value) && Object.hasOwn(value, segment) ? value[segment] : undefined
}

/** Rebuilds the containers on the way to the last segment; undefined if one of them is missing. */
const editAt = (value: unknown, segments: ReadonlyArray<string>, edit: Edit): unknown => {
  const [segment, ...rest] = segments
  if (segment === undefined) return undefined
  if (rest.length === 0) return edit(value, segment)
  const next = editAt(child(value, segment), rest, edit)
  return next === undefined ? undefined : replaceChild(value, segment, next)
}

const replaceChild = (container: unknown, segment: string, next: unknown): unknown => {
  if (Array.isArray(container)) {
    const items: ReadonlyArray<unknown> = container
    const index = arrayIndex(segment, items.length)
    return index === undefined ? undefined : items.with(index, next)
  }
  return isRecord(container) ? { ...container, [segment]: next } : undefined
}

const add = (item: unknown): Edit => (container, segment) => {
  if (!Array.isArray(container)) return isRecord(container) ? { ...container, [segment]: item } : undefined
  const items: ReadonlyArray<unknown> = container
  const index = segment === "-" ? items.length : arrayIndex(segment, items.length + 1)
  return index === undefined ? undefined : items.toSpliced(index, 0, item)
}

const remove: Edit = (container, segment) => {
  if (child(container, segment) === undefined) return undefined
  if (Array.isArray(container)) {
    const items: ReadonlyArray<unknown> = container
    return items.toSpliced(Number(segment), 1)
  }
  if (!isRecord(container)) return undefined
  const { [segment]: _, ...rest } = container
  return rest
}

const replace = (item: unknown): Edit => (container, segment) =>
  child(container, segment) === undefined ? undefined : replaceChild(container, segment, item)

const applyOperation = (target: unknown, operation: unknown): unknown => {
  if (!isRecord(operation) || typeof operation["path"] !== "string") return undefined
  const segments = segmentsOf(operation["path"])
  if (segments === undefined || segments.length === 0) return undefined
  switch (operation["op"]) {
    case "add":
      return editAt(target, segments, add(operation["value"]))
    case "remove":
      return editAt(target, segments, remove)
    case "replace":
      return editAt(target, segments, replace(operation["value"]))
    case "test":
      return isDeepStrictEqual(segments.reduce(child, target), operation["value"]) ? target : undefined
    default:
      return undefined
  }
}

/** Applies `add`, `remove`, `replace` and `test` operations; the left side says which one did not apply. */
export const jsonPatch = (target: unknown, operations: ReadonlyArray<unknown>): Either.Either<unknown, string> => {
  let patched = target
  for (const [index, operation] of operations.entries()) {
    patched = applyOperation(patched, operation)
    if (patched === undefined) return Either.left(`operation ${index} does not apply: ${JSON.stringify(operation)}`)
  }
  return Either.right(patched)
}
