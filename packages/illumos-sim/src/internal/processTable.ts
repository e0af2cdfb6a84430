/**
 * The real process table behind the emulated zones. Plain synchronous functions: they run inside a state transaction.
 *
 * Linux tells everything through /proc. Elsewhere only recorded process groups can be found, which is enough for
 * processes that stay in the group zlogin gave them.
 */
import * as fs from "node:fs"
import * as os from "node:os"
import type { ProcessIdentity } from "../HostState.js"

interface Entry {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  readonly start: string
  readonly state: string
  /** User and system time in clock ticks, and that of children that ended and were waited for. */
  readonly ticks: number
  readonly childTicks: number
  /** Bytes. */
  readonly size: number
  readonly rss: number
}

const pageSize = 4096

const readEntry = (pid: number): Entry | undefined => {
  let line: string
  try {
    line = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
  } catch {
    return undefined
  }
  // The command name is in parentheses and may itself contain blanks and parentheses.
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ")
  const number = (index: number) => Number(fields[index] ?? 0)
  return {
    pid,
    state: fields[0] ?? "Z",
    parent: number(1),
    group: number(2),
    session: number(3),
    ticks: number(11) + number(12),
    childTicks: number(13) + number(14),
    size: number(20),
    rss: number(21) * pageSize,
    start: fields[19] ?? ""
  }
}

const signalable = (target: number): boolean => {
  try {
    process.kill(target, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** Identity of a running process that survives the reuse of its number. */
export const identify = (pid: number): ProcessIdentity => {
  const entry = readEntry(pid)
  return entry === undefined ? { pid } : { pid, start: entry.start }
}

/** Whether the process still runs; a zombie does not. */
export const isAlive = (identity: ProcessIdentity): boolean => {
  if (!signalable(identity.pid)) return false
  const entry = readEntry(identity.pid)
  if (entry === undefined) return identity.start === undefined
  return entry.state !== "Z" && entry.state !== "X" && (identity.start === undefined || identity.start === entry.start)
}

const readTable = (): ReadonlyArray<Entry> | undefined => {
  let names: ReadonlyArray<string>
  try {
    names = fs.readdirSync("/proc")
  } catch {
    return undefined
  }
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number)
  if (readEntry(process.pid) === undefined) return undefined
  return pids.flatMap((pid) => {
    const entry = readEntry(pid)
    return entry === undefined || entry.state === "Z" || entry.state === "X" ? [] : [entry]
  })
}

const environmentOf = (pid: number): ReadonlyArray<string> => {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`, "latin1").split("\0")
  } catch {
    return []
  }
}

/**
 * What processes carry of a variable, by pid and start, for those of the last look that are older than a moment: a process gets its
 * environment with its program, which a new one is still to be given. Of a process that was marked once, the mark stays true.
 */
let carried: { readonly variable: string; readonly values: ReadonlyMap<string, string | undefined> } = { variable: "", values: new Map() }

/** Seconds, after which a process that was made to run a program does so. */
const settledAge = 5

/** Ticks of the times in /proc in a second. */
const ticksPerSecond = 100

/** The assignment of `variable` in the environment of each process, where there is one. */
const assignmentsOf = (variable: string, table: ReadonlyArray<Entry>): ReadonlyMap<number, string> => {
  const uptime = os.uptime()
  const before = carried.variable === variable ? carried.values : new Map<string, string | undefined>()
  const values = new Map<string, string | undefined>()
  const found = new Map<number, string>()
  for (const { pid, start } of table) {
    const key = `${pid}:${start}`
    const isKnown = before.has(key)
    const value = isKnown ? before.get(key) : environmentOf(pid).find((line) => line.startsWith(`${variable}=`))
    if (isKnown || uptime - Number(start) / ticksPerSecond > settledAge) values.set(key, value)
    if (value !== undefined) found.set(pid, value)
  }
  carried = { variable, values }
  return found
}

/** How the processes of one zone are recognised. */
export interface ZoneProcesses {
  /** `NAME=value` that every process started by zlogin inherits; the name is the same for all zones. */
  readonly marker: string
  /** Leaders of the process groups zlogin made. */
  readonly groups: ReadonlyArray<ProcessIdentity>
}

/** One live process of a zone. */
export interface Member extends ProcessIdentity {
  readonly parent: number
  readonly group: number
  readonly session: number
  /** User and system time in clock ticks. */
  readonly ticks: number
  /** That of its children that ended and that it waited for. */
  readonly childTicks: number
  /** Address space and resident memory in bytes; shared pages count once per process. */
  readonly size: number
  readonly rss: number
}

const ownedGroups = (groups: ReadonlyArray<ProcessIdentity>, table: ReadonlyMap<number, Entry>): ReadonlySet<number> =>
  new Set(groups.filter((leader) => {
    const entry = table.get(leader.pid)
    // A process with the leader's number but another start time means that the group is long gone.
    return entry === undefined || leader.start === undefined || entry.start === leader.start
  }).map((leader) => leader.pid))

const withoutTable = (zone: ZoneProcesses): ReadonlyArray<Member> =>
  zone.groups.filter((leader) => signalable(-leader.pid)).map((leader) => (
    { pid: -leader.pid, parent: 0, group: leader.pid, session: leader.pid, ticks: 0, childTicks: 0, size: 0, rss: 0 }
  ))

/** The processes of one look by what makes them belong to a zone: hundreds of zones are looked up in it. */
interface Kin {
  readonly byPid: ReadonlyMap<number, Entry>
  readonly byGroup: ReadonlyMap<number, ReadonlyArray<Entry>>
  readonly bySession: ReadonlyMap<number, ReadonlyArray<Entry>>
  readonly byParent: ReadonlyMap<number, ReadonlyArray<Entry>>
  readonly byMark: ReadonlyMap<string, ReadonlyArray<Entry>>
  /** Where each stands in the table. */
  readonly places: ReadonlyMap<Entry, number>
}

const groupedBy = <K>(table: ReadonlyArray<Entry>, keyOf: (entry: Entry) => K | undefined): ReadonlyMap<K, ReadonlyArray<Entry>> => {
  const groups = new Map<K, Array<Entry>>()
  for (const entry of table) {
    const key = keyOf(entry)
    if (key === undefined) continue
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [entry])
    else group.push(entry)
  }
  return groups
}

const kinOf = (table: ReadonlyArray<Entry>, marks: ReadonlyMap<number, string>): Kin => ({
  byPid: new Map(table.map((entry) => [entry.pid, entry])),
  byGroup: groupedBy(table, ({ group }) => group),
  bySession: groupedBy(table, ({ session }) => session),
  byParent: groupedBy(table, ({ parent }) => parent),
  byMark: groupedBy(table, ({ pid }) => marks.get(pid)),
  places: new Map(table.map((entry, place) => [entry, place]))
})

/** Marked by environment, members of a recorded group or of a session that holds one of these, and the descendants of all of them. */
const select = (zone: ZoneProcesses, kin: Kin): ReadonlyArray<Member> => {
  const found = new Set<Entry>(kin.byMark.get(zone.marker))
  for (const group of ownedGroups(zone.groups, kin.byPid)) {
    for (const entry of kin.byGroup.get(group) ?? []) found.add(entry)
    for (const entry of kin.bySession.get(group) ?? []) found.add(entry)
  }
  // What is added on the way is gone through as well.
  for (const { pid } of found) for (const child of kin.byParent.get(pid) ?? []) found.add(child)
  return [...found].filter(({ pid }) => pid !== process.pid).sort((a, b) => (kin.places.get(a) ?? 0) - (kin.places.get(b) ?? 0))
}

/** Live processes of several zones, in the order of the zones, from one look at the process table. */
export const membersOf = (zones: ReadonlyArray<ZoneProcesses>): ReadonlyArray<ReadonlyArray<Member>> => {
  const [first] = zones
  if (first === undefined) return []
  const table = readTable()
  if (table === undefined) return zones.map(withoutTable)
  const marks = assignmentsOf(first.marker.slice(0, first.marker.indexOf("=")), table)
  const kin = kinOf(table, marks)
  return zones.map((zone) => select(zone, kin))
}

/**
 * Live processes of a zone: marked by environment, members of a recorded group or of a session that holds one of these,
 * and the descendants of all of them. Without /proc the recorded groups that still have members are given.
 */
export const members = (zone: ZoneProcesses): ReadonlyArray<Member> => membersOf([zone])[0] ?? []

/** Sends a signal to each process that is still the same one; those that are gone already are passed over. */
export const signal = (targets: ReadonlyArray<ProcessIdentity>, name: NodeJS.Signals): void => {
  for (const target of targets) {
    if (target.pid > 0 && !isAlive(target)) continue
    try {
      process.kill(target.pid, name)
    } catch {
      // It ended between the look and the signal.
    }
  }
}

/** The recorded groups that still have a member; one look at the process table for all of them. */
export const liveGroups = (groups: ReadonlyArray<ProcessIdentity>): Array<ProcessIdentity> => {
  const candidates = groups.filter((leader) => signalable(-leader.pid))
  const table = candidates.length === 0 ? undefined : readTable()
  if (table === undefined) return candidates
  const owned = ownedGroups(candidates, new Map(table.map((entry) => [entry.pid, entry])))
  const populated = new Set(table.map((entry) => entry.group))
  return candidates.filter((leader) => owned.has(leader.pid) && populated.has(leader.pid))
}
