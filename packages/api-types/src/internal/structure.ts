/** Structural comparison of decoded JSON. */

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null

/** Deep equality of JSON values in which an absent property and an undefined one are the same. */
export const equal = (left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (!isObject(left) || !isObject(right)) return false
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => equal(item, right[index]))
  }
  for (const key of Object.keys(left)) if (!equal(left[key], Object.hasOwn(right, key) ? right[key] : undefined)) return false
  for (const key of Object.keys(right)) if (!Object.hasOwn(left, key) && right[key] !== undefined) return false
  return true
}

/** Equality as Kubernetes compares: absent, null, empty lists and empty maps are all "nothing". */
export const semanticEqual = (left: unknown, right: unknown): boolean => {
  if (left === right) return true
  if (isNothing(left) && isNothing(right)) return true
  if (!isObject(left) || !isObject(right)) return false
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false
    return left.every((item, index) => semanticEqual(item, right[index]))
  }
  for (const key in left) if (!semanticEqual(left[key], Object.hasOwn(right, key) ? right[key] : undefined)) return false
  for (const key in right) if (!Object.hasOwn(left, key) && !isNothing(right[key])) return false
  return true
}

const isNothing = (value: unknown): boolean => {
  if (value === undefined || value === null) return true
  if (!isObject(value)) return false
  for (const _ in value) return false
  return true
}

/** Paths such as `spec.containers[0].image` at which two JSON values differ, at most `limit` of them. */
export const differences = (left: unknown, right: unknown, path: string, limit: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  const visit = (a: unknown, b: unknown, at: string): void => {
    if (found.length >= limit || semanticEqual(a, b)) return
    if (Array.isArray(a) && Array.isArray(b)) {
      for (let index = 0; index < Math.max(a.length, b.length); index++) visit(a[index], b[index], `${at}[${index}]`)
    } else if (isObject(a) && isObject(b) && !Array.isArray(a) && !Array.isArray(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) visit(a[key], b[key], at === "" ? key : `${at}.${key}`)
    } else {
      found.push(at)
    }
  }
  visit(left, right, path)
  return found
}

/** The object without the properties that are undefined: encoding and comparison look at keys. */
export const defined = <A extends object>(object: A): Defined<A> => {
  const copy = { ...object }
  for (const key in copy) if (copy[key] === undefined) delete copy[key]
  return copy
}

/** The properties that may be undefined become optional ones that may not. */
export type Defined<A extends object> =
  & { readonly [K in keyof A as undefined extends A[K] ? never : K]: A[K] }
  & { readonly [K in keyof A as undefined extends A[K] ? K : never]?: Exclude<A[K], undefined> }
