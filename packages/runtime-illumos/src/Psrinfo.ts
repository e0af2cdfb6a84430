/** psrinfo: the virtual CPUs of a host and their states. */
import * as CommandLine from "./CommandLine.js"
import { lines } from "./internal/parsable.js"

/** What a virtual CPU does: `on-line` and `no-intr` ones run threads, all others do not. @category models */
export type CpuState = "on-line" | "off-line" | "spare" | "faulted" | "no-intr" | "powered-off" | "disabled" | "unknown"

/** One virtual CPU. @category models */
export interface Cpu {
  readonly id: number
  readonly state: CpuState
  /** Since when it is in this state, in the local time of the host, as printed. */
  readonly since: string
}

const states: ReadonlySet<string> = new Set<CpuState>(["on-line", "off-line", "spare", "faulted", "no-intr", "powered-off", "disabled"])
const isState = (text: string): text is CpuState => states.has(text)

/** One line per virtual CPU. @category constructors */
export const list: CommandLine.CommandLine = CommandLine.make("/usr/sbin/psrinfo")

/** The number of processor sockets. @category constructors */
export const sockets: CommandLine.CommandLine = CommandLine.make("/usr/sbin/psrinfo", "-p")

/** Reads the output of {@link list}. Lines of another form are passed over; a state it does not know is `unknown`. @category combinators */
export const parse = (text: string): ReadonlyArray<Cpu> =>
  lines(text).flatMap((line): ReadonlyArray<Cpu> => {
    const match = /^(\d+)\s+(\S+)\s+since\s+(.+)$/.exec(line)
    const [, id = "", state = "", since = ""] = match ?? []
    return match === null ? [] : [{ id: Number(id), state: isState(state) ? state : "unknown", since: since.trim() }]
  })

/** How many of them run threads. @category combinators */
export const online = (cpus: ReadonlyArray<Cpu>): number => cpus.filter(({ state }) => state === "on-line" || state === "no-intr").length
