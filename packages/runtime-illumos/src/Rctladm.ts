/** rctladm: what the whole host does when a process meets a resource control, and which controls there are. */
import * as CommandLine from "./CommandLine.js"
import type { CommandResult } from "./CommandRunner.js"
import { type HostError, HostPermissionDenied } from "./HostError.js"
import { lines } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import { ResourceControlRejected } from "./ServiceError.js"

const program = "/usr/sbin/rctladm"

/** How important a message of syslog is. @category models */
export type SyslogPriority = "emerg" | "alert" | "crit" | "err" | "warning" | "notice" | "info" | "debug"

/** One resource control of the host. @category models */
export interface GlobalControl {
  readonly name: string
  /** What is logged when a limit is met: nothing, with a priority, or never possible. */
  readonly syslog: SyslogPriority | "off" | "n/a"
  /** `no-basic`, `deny`, `no-deny`, `no-signal`, `lowerable`, `inf`, `no-syslog`, `bytes`, `count`, `seconds` and others, as printed. */
  readonly flags: ReadonlyArray<string>
}

/** Every control of the host, or one of them. @category constructors */
export const list = (name?: string): CommandLine.CommandLine => CommandLine.make(program, "-l", ...(name === undefined ? [] : [name]))

/** Logs whenever a limit of this control is met. @category constructors */
export const enableSyslog = (name: string, priority: SyslogPriority = "notice"): CommandLine.CommandLine =>
  CommandLine.make(program, "-e", `syslog=${priority}`, name)

/** Logs nothing any more for this control. @category constructors */
export const disableSyslog = (name: string): CommandLine.CommandLine => CommandLine.make(program, "-d", "syslog", name)

const priorities: ReadonlySet<string> = new Set<GlobalControl["syslog"]>([
  "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug", "off", "n/a"
])
const isSyslog = (text: string): text is GlobalControl["syslog"] => priorities.has(text)

/** Reads the output of {@link list}. Lines that are no control are passed over. @category combinators */
export const parse = (text: string): ReadonlyArray<GlobalControl> =>
  lines(text).flatMap((line): ReadonlyArray<GlobalControl> => {
    const match = /^(\S+)\s+syslog=(\S+)\s*(?:\[(.*)\])?\s*$/.exec(line)
    const [, name = "", syslog = "", flags = ""] = match ?? []
    return match === null || !isSyslog(syslog) ? [] : [{ name, syslog, flags: flags.split(" ").filter((flag) => flag !== "") }]
  })

/**
 * The texts by which rctladm refuses.
 *
 * @category errors
 */
export const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /unknown resource control|unable to obtain resource control block/, error: ResourceControlRejected },
  { pattern: /"syslog" action not valid|unknown (action|syslog priority)/, error: ResourceControlRejected },
  { pattern: /you must be root|unable to update control block contents|failed to open/, error: HostPermissionDenied }
]

/**
 * The error a refusal of rctladm means.
 *
 * @category errors
 */
export const classify = (operation: string, control: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, control, result)
