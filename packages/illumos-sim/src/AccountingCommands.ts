/** `swap`, `prstat -Z` and `zonestat -p`: what the host and its zones use, in the words of those tools. */
import * as os from "node:os"
import * as DateTime from "effect/DateTime"
import * as Controls from "./Controls.js"
import type { HostContext, InstantCommand } from "./CommandContext.js"
import type { Kernel, Zone } from "./HostState.js"
import { getopt, hasFlag } from "./internal/getopt.js"
import * as Processes from "./internal/processTable.js"
import { fail, ok } from "./internal/result.js"
import { processesOf } from "./ZoneKernel.js"

const TICKS_PER_SECOND = 100
const MIB = 1024 * 1024

interface Measured {
  readonly zone: Zone
  readonly kernel: Kernel
  readonly processes: number
  readonly rss: number
  readonly swap: number
  readonly seconds: number
}

const measure = (context: HostContext): ReadonlyArray<Measured> => {
  const booted = context.host.zones.flatMap((zone) => zone.kernel === undefined ? [] : [{ zone, kernel: zone.kernel }])
  const living = Processes.membersOf(booted.map(({ zone }) => processesOf(context.host, zone)))
  return booted.map(({ kernel, zone }, index) => {
    const members = living[index] ?? []
    const rss = members.reduce((sum, member) => sum + member.rss, 0)
    const ticks = members.reduce((sum, member) => sum + member.ticks + member.childTicks, 0)
    return { zone, kernel, processes: members.length, rss, swap: rss, seconds: Math.floor(ticks / TICKS_PER_SECOND) }
  })
}

/** `swap -s` and `swap -l`. The host pages to a volume as large as half of its memory. @category commands */
export const swap: InstantCommand = (context, args) => {
  const parsed = getopt(args, "lshka:d:12")
  const modes = ["l", "s"].filter((flag) => hasFlag(parsed, flag))
  if (parsed.error !== undefined || modes.length !== 1 || parsed.operands.length > 0) {
    return fail("Usage:\tswap -l\n\tswap -s\n\tswap -d <file name> [low offset]\n\tswap -a <file name> [low offset] [nbr of 512-byte blocks]", 1)
  }
  const total = context.host.memoryMiB * MIB
  const device = Math.floor(total / 2)
  if (modes[0] === "l") {
    const blocks = String(Math.floor(device / 512))
    return ok(["swapfile             dev    swaplo   blocks     free", `${"/dev/zvol/dsk/rpool/swap".padEnd(20)} 90,1${"8".padStart(9)}${blocks.padStart(9)}${blocks.padStart(9)}`].join("\n"))
  }
  const used = measure(context).reduce((sum, { swap: reserved }) => sum + reserved, 0)
  const kilobytes = (bytes: number) => Math.floor(bytes / 1024)
  const free = Math.max(0, Math.min(total, os.freemem()) + device - used)
  return ok(`total: ${kilobytes(used)}k bytes allocated + 0k reserved = ${kilobytes(used)}k used, ${kilobytes(free)}k available`)
}

/** Three digits and a letter, as prstat prints sizes. */
const size = (bytes: number): string => {
  const kilobytes = bytes / 1024
  if (kilobytes < 10_240) return `${Math.round(kilobytes)}K`
  const megabytes = kilobytes / 1024
  return megabytes < 10_240 ? `${Math.round(megabytes)}M` : `${(megabytes / 1024).toFixed(1)}G`
}

const time = (seconds: number): string =>
  `${Math.floor(seconds / 3600)}:${String(Math.floor(seconds / 60) % 60).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`

/** `prstat -Z -c [interval [count]]`: the table of zones; single processes are those of `ps`. @category commands */
export const prstat: InstantCommand = (context, args) => {
  const parsed = getopt(args, "acHJLmRrTtvWZC:d:h:k:n:p:P:s:S:u:U:z:j:")
  const bad = parsed.operands.some((word) => !/^[1-9]\d*$/.test(word))
  if (parsed.error !== undefined || parsed.operands.length > 2 || bad) {
    return fail("Usage:\tprstat [-acHJLmRrTtvWZ] [-u euidlist] [-U uidlist]\n\t[-p pidlist] [-P cpulist] [-C psrsetlist] [-h lgrplist]\n\t[-j projidlist] [-k taskidlist] [-z zoneidlist]\n\t[-s key | -S key] [-n nprocs[,nlines]] [-d d|u]\n\t[interval [counter]]", 1)
  }
  const total = context.host.memoryMiB * MIB
  const zones = measure(context)
  const row = (id: number, processes: number, swapped: number, rss: number, seconds: number, name: string) =>
    `${String(id).padStart(6)} ${String(processes).padStart(8)} ${size(swapped).padStart(5)} ${size(rss).padStart(5)}   ${((rss / total) * 100).toFixed(1).slice(0, 3).padStart(3)}% ${time(seconds).padStart(9)} ${"0.0".padStart(3)}% ${name.padStart(28)}`
  const loads = os.loadavg().map((load) => load.toFixed(2)).join(", ")
  const count = zones.reduce((sum, { processes }) => sum + processes, 2)
  return ok([
    "   PID USERNAME  SIZE   RSS STATE   PRI NICE      TIME  CPU PROCESS/NLWP",
    ...(hasFlag(parsed, "Z")
      ? ["ZONEID    NPROC  SWAP   RSS MEMORY      TIME  CPU ZONE", row(0, 2, 0, 0, 0, "global"), ...zones.map(({ kernel, processes, rss, seconds, swap: swapped, zone }) => row(kernel.id, processes, swapped, rss, seconds, zone.name))]
      : []),
    `Total: ${count} processes, ${count} lwps, load averages: ${loads}`
  ].join("\n"))
}

/** `zonestat -p <interval> [<count>]` needs the daemon of zones-monitoring: without it there is no answer. @category commands */
export const zonestat: InstantCommand = (context, args) => {
  const parsed = getopt(args, "z:r:n:T:R:qpP:S:")
  const [interval = "", count] = parsed.operands
  if (parsed.error !== undefined || !/^[1-9]\d*$/.test(interval) || (count !== undefined && !/^[1-9]\d*$/.test(count)) || parsed.operands.length > 3) {
    return fail("Usage: zonestat [-z zonelist] [-r reslist] [-n namelist] [-T u|d|i] [-R reports] [-q] [-p [-P lines]] [-S cols] <interval> [<duration> [<report>]]", 2)
  }
  const daemon = context.host.services?.["global"]?.instances.find(({ fmri }) => fmri === "svc:/system/zones-monitoring:default")
  if (daemon !== undefined && daemon.state !== "online") return fail("zonestat: Unable to connect to the zonestat daemon: svc:/system/zones-monitoring:default is not online")
  const at = DateTime.toPartsUtc(DateTime.unsafeMake(context.now))
  const two = (value: number) => String(value).padStart(2, "0")
  const stamp = `${at.year}${two(at.month)}${two(at.day)}T${two(at.hours)}${two(at.minutes)}${two(at.seconds)}Z`
  const total = context.host.memoryMiB * MIB
  const percent = (part: number, whole: number | undefined) => whole === undefined || whole === 0 ? "-" : `${((part / whole) * 100).toFixed(2)}%`
  const limited = (kernel: Kernel, name: string) => {
    const value = Controls.limit(context.host, kernel, name)
    return value === undefined ? undefined : Number(value)
  }
  const zones = measure(context)
  const line = (name: string, rss: number, swapped: number, kernel?: Kernel) => {
    const physical = kernel === undefined ? undefined : limited(kernel, "zone.max-physical-memory")
    const virtual = kernel === undefined ? undefined : limited(kernel, "zone.max-swap")
    const cap = kernel === undefined ? undefined : limited(kernel, "zone.cpu-cap")
    return `interval:summary:${name}:0.00:0.00%:${cap === undefined ? "-" : "0.00%"}:-:${rss}:${percent(rss, total)}:${percent(rss, physical)}:${swapped}:${percent(swapped, total * 1.5)}:${percent(swapped, virtual)}`
  }
  const rss = zones.reduce((sum, zone) => sum + zone.rss, 0)
  const lines = [
    `interval:header:since-last-interval:${stamp}:1:${interval}`,
    `interval:summary:[resource]:${context.host.cpus}:${context.host.cpus}:${total}:${total * 1.5}`,
    line("[total]", rss, rss),
    line("[system]", 0, 0),
    line("global", 0, 0),
    ...zones.map((zone) => line(zone.zone.name, zone.rss, zone.swap, zone.kernel)),
    `interval:footer:${stamp}:${interval}`
  ]
  return ok(hasFlag(parsed, "p") ? lines.join("\n") : lines.filter((text) => text.includes(":summary:")).map((text) => text.split(":").slice(2).join("  ")).join("\n"))
}
