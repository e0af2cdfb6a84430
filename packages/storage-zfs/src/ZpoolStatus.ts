/** What `zpool status` and `zpool iostat` print, as values. */
import { parseSize } from "./ZfsOutput.js"

/** States of pools and devices, best first. `SUSPENDED` shows in `zpool status` only. @category models */
export type State = "ONLINE" | "DEGRADED" | "FAULTED" | "OFFLINE" | "REMOVED" | "UNAVAIL" | "SUSPENDED"

const states: ReadonlySet<string> = new Set(["ONLINE", "DEGRADED", "FAULTED", "OFFLINE", "REMOVED", "UNAVAIL", "SUSPENDED", "AVAIL", "INUSE"])

/** Whether the text is the state of a pool. @category combinators */
export const isState = (text: string): text is State => states.has(text) && text !== "AVAIL" && text !== "INUSE"

/** A device, a group of devices or the pool itself in the configuration. @category models */
export interface Device {
  readonly name: string
  /** 0 for the pool, 1 for what is directly in it, and so on. */
  readonly level: number
  /** A `State`, or `AVAIL` or `INUSE` for a spare. */
  readonly state: string
  /** Errors since they were last cleared, as printed: large numbers are rounded. */
  readonly errors: { readonly read: number; readonly write: number; readonly checksum: number }
  /** Remark such as `was /dev/dsk/c1t0d0s0` or `too many errors`. */
  readonly note?: string
}

/** One pool. @category models */
export interface Status {
  readonly pool: string
  readonly state: State
  /** What is wrong, in the words of zpool; absent when nothing is. */
  readonly problem?: string
  /** What zpool says can be done about it. */
  readonly action?: string
  /** The last or current scrub or resilver, as printed. */
  readonly scan: string
  readonly scrubbing: boolean
  readonly devices: ReadonlyArray<Device>
  /** Whether data was lost. */
  readonly dataErrors: boolean
  /** The line after `errors:`. */
  readonly errors: string
}

const deviceLine = /^\t( *)(\S+) +([A-Z]+)(?: +(\S+) +(\S+) +(\S+))?(?: {1,2}(.*))?$/

const devicesOf = (lines: ReadonlyArray<string>): ReadonlyArray<Device> =>
  lines.flatMap((line) => {
    const match = deviceLine.exec(line)
    if (match === null || !states.has(match[3] ?? "")) return []
    const [, indent = "", name = "", state = "", read = "0", write = "0", checksum = "0", note = ""] = match
    return [{
      name,
      level: indent.length / 2,
      state,
      errors: { read: parseSize(read) ?? 0, write: parseSize(write) ?? 0, checksum: parseSize(checksum) ?? 0 },
      ...(note.trim() === "" ? {} : { note: note.trim() })
    }]
  })

/** The pools in what `zpool status` printed; none for `no pools available` and for text of another form. @category combinators */
export const parse = (text: string): ReadonlyArray<Status> => {
  const pools: Array<Status> = []
  for (const block of text.split(/^(?= *pool: )/m)) {
    const fields = new Map<string, Array<string>>()
    let current: Array<string> = []
    for (const line of block.split("\n")) {
      const field = /^ *([a-z]+):(?: (.*))?$/.exec(line)
      if (field !== null && !line.startsWith("\t")) {
        current = field[2] === undefined ? [] : [field[2]]
        fields.set(field[1] ?? "", current)
      } else current.push(line)
    }
    const said = (name: string) => (fields.get(name) ?? []).map((line) => line.trim()).filter((line) => line !== "").join(" ")
    const state = said("state")
    if (said("pool") === "" || !isState(state)) continue
    const scan = said("scan") === "" ? said("scrub") : said("scan")
    const errors = said("errors")
    pools.push({
      pool: said("pool"),
      state,
      ...(said("status") === "" ? {} : { problem: said("status") }),
      ...(said("action") === "" ? {} : { action: said("action") }),
      scan,
      scrubbing: /in progress/.test(scan),
      devices: devicesOf(fields.get("config") ?? []),
      dataErrors: errors !== "" && errors !== "No known data errors",
      errors
    })
  }
  return pools
}

/** How busy a pool is, per second. @category models */
export interface Activity {
  readonly pool: string
  readonly allocated: number
  readonly free: number
  readonly readOperations: number
  readonly writeOperations: number
  readonly readBytes: number
  readonly writeBytes: number
}

/** The line of `pool` in what `zpool iostat` printed; `undefined` when there is none. @category combinators */
export const parseIostat = (text: string, pool: string): Activity | undefined => {
  for (const line of text.split("\n")) {
    const [name, ...words] = line.trim().split(/\s+/)
    if (name !== pool || words.length !== 6) continue
    const [allocated, free, readOperations, writeOperations, readBytes, writeBytes] = words.map((word) => word === "-" ? 0 : parseSize(word))
    if (
      allocated === undefined || free === undefined || readOperations === undefined || writeOperations === undefined ||
      readBytes === undefined || writeBytes === undefined
    ) return undefined
    return { pool, allocated, free, readOperations, writeOperations, readBytes, writeBytes }
  }
  return undefined
}
