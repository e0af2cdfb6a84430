/** Parsers of what zfs and `zpool list` print. */

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

/** Every line of `zpool list -H -o name,size,alloc,free,cap,health`; lines of another form are left out. @category combinators */
export const parsePools = (text: string): ReadonlyArray<PoolRow> => text.split("\n").flatMap((line) => parsePool(line) ?? [])

/**
 * The rows of `zfs list -Hp -o …`, by column name. Lines with another number of columns are left out.
 *
 * @category combinators
 */
export const parseList = (text: string, columns: ReadonlyArray<string>): ReadonlyArray<Readonly<Record<string, string>>> =>
  text.split("\n").flatMap((line) => {
    const cells = line.split("\t")
    return line === "" || cells.length !== columns.length
      ? []
      : [Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ""]))]
  })

/** A hold on a snapshot. @category models */
export interface Hold {
  readonly snapshot: string
  readonly tag: string
  /** When it was taken, as printed: local time of the host, without zone. */
  readonly since: string
}

/** The table of `zfs holds`, with or without its header. @category combinators */
export const parseHolds = (text: string): ReadonlyArray<Hold> =>
  text.split("\n").flatMap((line) => {
    const match = /^(\S+@\S+)\s+(\S+)\s+(.+?)\s*$/.exec(line)
    return match === null ? [] : [{ snapshot: match[1] ?? "", tag: match[2] ?? "", since: match[3] ?? "" }]
  })

/** What a destruction would do. @category models */
export interface DestroyPreview {
  readonly destroyed: ReadonlyArray<string>
  /** Bytes that would become free; absent where zfs does not say. */
  readonly reclaimed?: number
}

/** The output of `zfs destroy -n -v -p`. @category combinators */
export const parseDestroyPreview = (text: string): DestroyPreview => {
  const destroyed: Array<string> = []
  let reclaimed: number | undefined
  for (const line of text.split("\n")) {
    const [word, value] = line.split("\t")
    if (value === undefined) continue
    if (word === "destroy") destroyed.push(value)
    if (word === "reclaim" && /^\d+$/.test(value)) reclaimed = Number(value)
  }
  return { destroyed, ...(reclaimed === undefined ? {} : { reclaimed }) }
}
