/** svcadm: turns services on and off. Command builders and failure texts; {@link Smf} is the operations on a host. */
import * as CommandLine from "./CommandLine.js"
import type { CommandResult } from "./CommandRunner.js"
import type * as Fmri from "./Fmri.js"
import { type HostError, HostPermissionDenied } from "./HostError.js"
import * as refusal from "./internal/refusal.js"
import { ServiceDependencyUnmet, ServiceInMaintenance, ServiceNotFound, WrongServiceState } from "./ServiceError.js"

const program = "/usr/sbin/svcadm"

/** How a service is switched. @category models */
export interface Switching {
  /** Only until the host boots again. */
  readonly temporary?: boolean
  /** Waits until the instance is online, or cannot become so. Give the command a time limit: it has none of its own. */
  readonly synchronous?: boolean
}

const flags = ({ synchronous = false, temporary = false }: Switching): ReadonlyArray<string> => [
  ...(synchronous ? ["-s"] : []),
  ...(temporary ? ["-t"] : [])
]

/** Turns an instance on; `recursive` also what it depends on. @category constructors */
export const enable = (fmri: Fmri.Fmri, options: Switching & { readonly recursive?: boolean } = {}): CommandLine.CommandLine =>
  CommandLine.make(program, "enable", ...(options.recursive === true ? ["-r"] : []), ...flags(options), fmri)

/** Turns an instance off. @category constructors */
export const disable = (fmri: Fmri.Fmri, options: Switching & { readonly comment?: string } = {}): CommandLine.CommandLine =>
  CommandLine.make(program, "disable", ...(options.comment === undefined ? [] : ["-c", options.comment]), ...flags(options), fmri)

/** Stops and starts an instance that is online; nothing happens to one that is disabled. @category constructors */
export const restart = (fmri: Fmri.Fmri): CommandLine.CommandLine => CommandLine.make(program, "restart", fmri)

/** Makes an instance read its properties again, and runs its refresh method. @category constructors */
export const refresh = (fmri: Fmri.Fmri): CommandLine.CommandLine => CommandLine.make(program, "refresh", fmri)

/** Ends maintenance or degradation: the instance tries again. @category constructors */
export const clear = (fmri: Fmri.Fmri): CommandLine.CommandLine => CommandLine.make(program, "clear", fmri)

/** Puts an instance into maintenance, or says that it is degraded. @category constructors */
export const mark = (
  fmri: Fmri.Fmri,
  state: "degraded" | "maintenance",
  options: { readonly immediate?: boolean; readonly temporary?: boolean } = {}
): CommandLine.CommandLine =>
  CommandLine.make(
    program,
    "mark",
    ...(options.immediate === true ? ["-I"] : []),
    ...(options.temporary === true ? ["-t"] : []),
    state,
    fmri
  )

/** The same command on the services of a zone, called from the global zone. @category combinators */
export const inZone = (zone: string, line: CommandLine.CommandLine): CommandLine.CommandLine => ({ ...line, args: ["-z", zone, ...line.args] })

/**
 * The texts by which svcadm refuses.
 *
 * @category errors
 */
export const refusals: ReadonlyArray<refusal.Row> = [
  { pattern: /Pattern '[^']*' doesn't match any instances/, error: ServiceNotFound },
  { pattern: /Pattern '[^']*' matches multiple instances/, error: ServiceNotFound },
  { pattern: /is in maintenance state/, error: ServiceInMaintenance },
  { pattern: /has unsatisfied dependencies/, error: ServiceDependencyUnmet },
  { pattern: /is not in a maintenance or degraded state|is not online|has been disabled by another entity/, error: WrongServiceState },
  { pattern: /: Permission denied\.|Insufficient privileges/, error: HostPermissionDenied }
]

/** With `-s`: the instance cannot reach the state, or what it depends on cannot. */
const statuses: Readonly<Record<number, refusal.Row["error"]>> = { 3: ServiceInMaintenance, 4: ServiceDependencyUnmet }

/**
 * The error a refusal of svcadm means: by its text, else by its exit status.
 *
 * @category errors
 */
export const classify = (operation: string, fmri: string, result: CommandResult): HostError => {
  const byStatus = statuses[result.exitCode]
  const error = refusal.classify(refusals, operation, fmri, result)
  if (error._tag !== "HostCommandFailed") return error
  return byStatus === undefined ? error : new byStatus({ operation, object: fmri, detail: refusal.detailOf(result) })
}
