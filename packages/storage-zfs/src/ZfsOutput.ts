/** Parsers of what `zfs get -Hp` and `zpool list -H` print. */

/** One property of one dataset. @category models */
export interface PropertyRow {
  readonly name: string
  readonly property: string
  /** `-` when the property does not apply or is not set. */
  readonly value: string
  /** `local`, `default`, `inherited from <dataset>`, `temporary`, `received`, or `-`. */
  readonly source: string
}

/** A value with where it comes from. @category models */
export interface PropertyValue {
  readonly value: string
  readonly source: string
}

/** Properties of several datasets: by dataset in the order printed, then by property. @category models */
export type PropertyTable = ReadonlyMap<string, ReadonlyMap<string, PropertyValue>>

/** One line of `zfs get -H -o name,property,value,source`; `undefined` when it has another form. @category combinators */
export const parsePropertyRow = (line: string): PropertyRow | undefined => {
  const first = line.indexOf("\t")
  const second = line.indexOf("\t", first + 1)
  // The value of a user property may itself hold a tab, the source cannot.
  const last = line.lastIndexOf("\t")
  return first <= 0 || second < 0 || last <= second
    ? undefined
    : {
      name: line.slice(0, first),
      property: line.slice(first + 1, second),
      value: line.slice(second + 1, last),
      source: line.slice(last + 1)
    }
}

/**
 * The output of `zfs get -H -o name,property,value,source`. Lines of another form belong to a user property whose value
 * holds a newline and are skipped together with the line they continue.
 *
 * @category combinators
 */
export const parseProperties = (text: string): PropertyTable => {
  const table = new Map<string, Map<string, PropertyValue>>()
  for (const line of text.split("\n")) {
    const row = parsePropertyRow(line)
    if (row === undefined) continue
    const properties = table.get(row.name) ?? new Map<string, PropertyValue>()
    properties.set(row.property, { value: row.value, source: row.source })
    table.set(row.name, properties)
  }
  return table
}

/** A pool, in bytes. @category models */
export interface PoolRow {
  readonly name: string
  readonly size: number
  readonly allocated: number
  readonly free: number
  /** `ONLINE`, `DEGRADED`, `FAULTED`, `OFFLINE`, `REMOVED`, `UNAVAIL`. */
  readonly health: string
}

const scale = ["", "K", "M", "G", "T", "P", "E"]

/**
 * A size as ZFS prints it, exact or rounded with a suffix (powers of 1024), in bytes; `undefined` when it is none.
 *
 * @category combinators
 */
export const parseSize = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)([KMGTPE]?)B?$/.exec(text)
  return match === null ? undefined : Math.round(Number(match[1]) * 1024 ** scale.indexOf(match[2] ?? ""))
}

/** A line of `zpool list -H -o name,size,alloc,free,cap,health`; `undefined` when it has another form. @category combinators */
export const parsePool = (line: string): PoolRow | undefined => {
  const [name, size, allocated, free, , health] = line.split("\t")
  const numbers = [size, allocated, free].map((text) => parseSize(text ?? ""))
  const [sizeBytes, allocatedBytes, freeBytes] = numbers
  return name === undefined || health === undefined || sizeBytes === undefined || allocatedBytes === undefined ||
      freeBytes === undefined
    ? undefined
    : { name, size: sizeBytes, allocated: allocatedBytes, free: freeBytes, health }
}
