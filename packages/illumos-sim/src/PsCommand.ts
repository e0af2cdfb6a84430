/** `ps`: the real processes behind the zones, as the global zone sees them. */
import type { HostContext, InstantCommand } from "./CommandContext.js"
import { allValues, getopt, hasFlag } from "./internal/getopt.js"
import * as Processes from "./internal/processTable.js"
import { fail, ok } from "./internal/result.js"
import { processesOf } from "./ZoneKernel.js"

const TICKS_PER_SECOND = 100

interface Row extends Processes.Member {
  readonly zoneId: number
  readonly zone: string
}

const two = (value: number): string => String(value).padStart(2, "0")

/** `[[days-]hours:]minutes:seconds`. */
const duration = (seconds: number): string => {
  const [days, hours, rest] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24, seconds % 3600]
  const clock = `${two(Math.floor(rest / 60))}:${two(rest % 60)}`
  return days > 0 ? `${days}-${two(hours)}:${clock}` : hours > 0 ? `${two(hours)}:${clock}` : clock
}

interface Column {
  readonly heading: string
  readonly width: number
  readonly value: (row: Row) => number | string
}

const columns: Readonly<Record<string, Column>> = {
  pid: { heading: "PID", width: 6, value: ({ pid }) => pid },
  ppid: { heading: "PPID", width: 6, value: ({ parent }) => parent },
  pgid: { heading: "PGID", width: 6, value: ({ group }) => group },
  sid: { heading: "SID", width: 6, value: ({ session }) => session },
  zoneid: { heading: "ZONEID", width: 6, value: ({ zoneId }) => zoneId },
  zone: { heading: "ZONE", width: 8, value: ({ zone }) => zone.length > 8 ? `${zone.slice(0, 7)}*` : zone },
  rss: { heading: "RSS", width: 5, value: ({ rss }) => Math.floor(rss / 1024) },
  vsz: { heading: "VSZ", width: 5, value: ({ size }) => Math.floor(size / 1024) },
  time: { heading: "TIME", width: 11, value: ({ ticks }) => duration(Math.floor(ticks / TICKS_PER_SECOND)) }
}

/** What runs in the global zone is not emulated but for the two processes that every system has. */
const globalZone: ReadonlyArray<Row> = [0, 1].map((pid) => (
  { pid, parent: 0, group: 0, session: 0, zoneId: 0, zone: "global", ticks: 0, childTicks: 0, size: 0, rss: 0 }
))

const rowsOf = (context: HostContext): ReadonlyArray<Row> => {
  const booted = context.host.zones.flatMap((zone) => zone.kernel === undefined ? [] : [{ zone, id: zone.kernel.id }])
  const living = Processes.membersOf(booted.map(({ zone }) => processesOf(context.host, zone)))
  return [...globalZone, ...booted.flatMap(({ id, zone }, index) => (living[index] ?? []).map((member) => ({ ...member, zoneId: id, zone: zone.name })))]
}

const usage = "usage: ps [ -aAdefHlcjLPyZ ] [ -o format ] [ -t termlist ]\n\t[ -u userlist ] [ -U userlist ] [ -G grouplist ]\n\t[ -p proclist ] [ -g pgrplist ] [ -s sidlist ]\n\t[ -z zonelist ] [-h lgrplist]"

/** `ps -e [-z zone,…] -o column,…`. @category commands */
export const run: InstantCommand = (context, args) => {
  const parsed = getopt(args, "aAdefHlcjLPyZo:p:z:")
  const names = allValues(parsed, "o").flatMap((list) => list.split(/[ ,]+/))
  const unknown = names.find((name) => columns[name] === undefined)
  if (parsed.error !== undefined || parsed.operands.length > 0 || unknown !== undefined) {
    return fail(unknown === undefined ? usage : `ps: unknown output format: -o ${unknown}\n${usage}`)
  }
  const listed = (flag: string) => new Set(allValues(parsed, flag).flatMap((list) => list.split(/[ ,]+/)))
  const zones = listed("z")
  const pids = listed("p")
  const everything = hasFlag(parsed, "e") || hasFlag(parsed, "A")
  const rows = rowsOf(context).filter(({ pid, zone, zoneId }) =>
    everything || zones.has(zone) || zones.has(String(zoneId)) || pids.has(String(pid)))
  const chosen = (names.length === 0 ? ["pid", "time"] : names).flatMap((name) => columns[name] ?? [])
  const line = (cell: (column: Column) => string) => chosen.map((column) => cell(column).padStart(column.width)).join(" ")
  return ok([line(({ heading }) => heading), ...rows.map((row) => line(({ value }) => String(value(row))))].join("\n"))
}
