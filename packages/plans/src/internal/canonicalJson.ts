import { createHash } from "node:crypto"

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** JSON with sorted keys and without undefined values: equal for what means the same. */
export const stringify = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(stringify).join()}]`
  if (!isRecord(value)) return JSON.stringify(value) ?? "null"
  return `{${
    Object.keys(value)
      .filter((key) => value[key] !== undefined)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${stringify(value[key])}`)
      .join()
  }}`
}

/** 64 bits of a hash over the canonical JSON, in hex. */
export const shortHash = (value: unknown): string => createHash("sha256").update(stringify(value)).digest("hex").slice(0, 16)

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0) ||
  (isRecord(value) && Object.values(value).every(isEmpty))

const byType = (value: unknown): string => isRecord(value) && typeof value["type"] === "string" ? value["type"] : ""

/**
 * Whether two pieces of status mean the same: absent and empty are equal, and the order of conditions means nothing. Equal references are
 * not looked into, so comparing what was derived without a change costs nothing.
 */
export const same = (left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (isEmpty(left) && isEmpty(right)) return true
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((value, index) => same(value, right[index]))
  }
  if (!isRecord(left) || !isRecord(right)) return false
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    const [a, b] = [left[key], right[key]]
    if (key === "conditions" && Array.isArray(a) && Array.isArray(b)) {
      if (!same(a.toSorted((x, y) => byType(x) < byType(y) ? -1 : 1), b.toSorted((x, y) => byType(x) < byType(y) ? -1 : 1))) return false
    } else if (!same(a, b)) return false
  }
  return true
}
