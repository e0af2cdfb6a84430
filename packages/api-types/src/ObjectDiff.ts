/** What differs between two versions of an object, field by field. */

/** One field that is not the same. A side is undefined where the field is not there. @category models */
export interface Difference {
  /** `spec.replicas`, `spec.containers[0].image`, `metadata.labels["app.kubernetes.io/name"]`. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const join = (path: string, name: string): string =>
  /^[A-Za-z_$][\w$-]*$/.test(name) ? (path === "" ? name : `${path}.${name}`) : `${path}[${JSON.stringify(name)}]`

function* differences(path: string, before: unknown, after: unknown): Generator<Difference> {
  if (before === after) return
  if (isRecord(before) && isRecord(after)) {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* differences(join(path, name), before[name], after[name])
    }
    return
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    for (let i = 0; i < Math.max(before.length, after.length); i++) yield* differences(`${path}[${i}]`, before[i], after[i])
    return
  }
  yield { path, before, after }
}

// Every write changes these: they say that something has changed, not what.
const bookkeeping = /^metadata\.(?:managedFields|resourceVersion|generation)\b/

/**
 * The fields in which two objects differ, in the order of the fields; without the resource version and what else the server
 * counts. Elements of lists are compared by their place.
 *
 * @category combinators
 */
export const between = (before: unknown, after: unknown): ReadonlyArray<Difference> =>
  [...differences("", before, after)].filter(({ path }) => !bookkeeping.test(path))
