/** svcs: the states of services. Command builders and parsers; {@link Smf} is the operations on a host. */
import * as CommandLine from "./CommandLine.js"
import type { CommandResult } from "./CommandRunner.js"
import type * as Fmri from "./Fmri.js"
import type { HostError } from "./HostError.js"
import { lines } from "./internal/parsable.js"
import * as refusal from "./internal/refusal.js"
import { ServiceNotFound } from "./ServiceError.js"

const program = "/usr/bin/svcs"

/** States of an instance. @category models */
export type ServiceState = "uninitialized" | "disabled" | "offline" | "online" | "degraded" | "maintenance" | "legacy_run"

const states: ReadonlySet<string> = new Set<ServiceState>(["uninitialized", "disabled", "offline", "online", "degraded", "maintenance", "legacy_run"])
const isState = (text: string): text is ServiceState => states.has(text)

/** One instance and what it does. @category models */
export interface ServiceStatus {
  /** `svc:/…`, or `lrc:/…` for a script of the old kind. */
  readonly fmri: string
  readonly state: ServiceState
  /** Where it is going; absent when it is at rest. */
  readonly next?: ServiceState
  /** Contract of its processes; absent when it has none. */
  readonly contract?: number
}

// Every column is one word, and the FMRI is the last: it is the only one that may grow beyond its width.
const columns = "state,nstate,ctid,fmri"

/** Every instance. @category constructors */
export const list: CommandLine.CommandLine = CommandLine.make(program, "-aH", "-o", columns)

/** These instances. Fails when none of the names matches; each name that does not is reported. @category constructors */
export const status = (...fmris: ReadonlyArray<Fmri.Fmri>): CommandLine.CommandLine => CommandLine.make(program, "-H", "-o", columns, ...fmris)

/** Why instances do not run, in words: of these, or of all that should run and do not. @category constructors */
export const explain = (...fmris: ReadonlyArray<Fmri.Fmri>): CommandLine.CommandLine => CommandLine.make(program, "-x", ...fmris)

/** The same command on the services of a zone, called from the global zone. @category combinators */
export const inZone = (zone: string, line: CommandLine.CommandLine): CommandLine.CommandLine => ({ ...line, args: ["-z", zone, ...line.args] })

/** Reads the output of {@link list} and {@link status}. Lines of another form are passed over. @category combinators */
export const parse = (text: string): ReadonlyArray<ServiceStatus> =>
  lines(text).flatMap((line): ReadonlyArray<ServiceStatus> => {
    const [state = "", next = "", contract = "", fmri = ""] = line.trim().split(/\s+/)
    // An asterisk marks a transition where the next state is not shown.
    const present = state.replace(/\*$/, "")
    if (!isState(present) || !/^(svc|lrc):\//.test(fmri)) return []
    return [{
      fmri,
      state: present,
      ...(isState(next) ? { next } : {}),
      ...(/^\d+$/.test(contract) ? { contract: Number(contract) } : {})
    }]
  })

/** What `svcs -x` says about one instance. @category models */
export interface Explanation {
  readonly fmri: string
  readonly name: string
  /** `maintenance since Fri Nov 20 10:00:00 2026` and the like. */
  readonly state: string
  readonly reason: string
  /** The log file of the instance; absent when it is not named. */
  readonly log?: string
  readonly impact: string
}

/** Reads the output of {@link explain}. @category combinators */
export const parseExplanations = (text: string): ReadonlyArray<Explanation> =>
  text.split(/\n(?=svc:\/)/).flatMap((block): ReadonlyArray<Explanation> => {
    const match = /^(svc:\/\S+) \((.*)\)$/m.exec(block)
    if (match === null) return []
    const field = (name: string): string => new RegExp(`^\\s*${name}: (.*)$`, "m").exec(block)?.[1]?.trim() ?? ""
    const log = /^\s*See: (\/\S*\.log)$/m.exec(block)?.[1]
    return [{
      fmri: match[1] ?? "",
      name: match[2] ?? "",
      state: field("State"),
      reason: field("Reason"),
      ...(log === undefined ? {} : { log }),
      impact: field("Impact")
    }]
  })

/**
 * The texts by which svcs refuses.
 *
 * @category errors
 */
export const refusals: ReadonlyArray<refusal.Row> = [{ pattern: /Pattern '[^']*' doesn't match any instances/, error: ServiceNotFound }]

/**
 * The error a refusal of svcs means.
 *
 * @category errors
 */
export const classify = (operation: string, fmri: string, result: CommandResult): HostError =>
  refusal.classify(refusals, operation, fmri, result)
