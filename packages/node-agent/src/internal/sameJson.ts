const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (isRecord(value) && Object.values(value).every(isEmpty) && (!Array.isArray(value) || value.length === 0))

/** Whether two JSON values mean the same: order of keys does not matter, and an absent field equals an empty one. */
export const sameJson = (a: unknown, b: unknown): boolean => {
  if (a === b || (isEmpty(a) && isEmpty(b))) return true
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]))
  }
  if (!isRecord(a) || !isRecord(b)) return false
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => sameJson(a[key], b[key]))
}
