/** What one run of zonecfg works on: the configuration in memory, the open resource, what was printed, what went wrong. */
import type { HostContext } from "../CommandContext.js"
import { findZone, type Zone, type ZoneConfiguration, type ZoneResource, zoneState } from "../HostState.js"

/** How the script reached zonecfg; decides what happens after an error. @category models */
export type Mode =
  | { readonly kind: "arguments" }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "input" }

/** One run of zonecfg. @category models */
export interface Session {
  readonly context: HostContext
  readonly mode: Mode
  /** Name of the zone in memory; `set zonename` changes it. */
  zoneName: string
  /** Name under which the zone is stored. */
  storedName: string
  configuration: ZoneConfiguration | undefined
  /** The resource whose scope is open, and the one it replaces when it was selected. */
  open: { readonly resource: ZoneResource; readonly replaces: ReadonlyArray<ZoneResource> } | undefined
  changed: boolean
  failed: boolean
  stopped: boolean
  line: number
  reportedLine: number
  readonly stdout: Array<string>
  readonly stderr: Array<string>
}

/** Starts a run. @category constructors */
export const make = (context: HostContext, mode: Mode, zoneName: string): Session => ({
  context,
  mode,
  zoneName,
  storedName: zoneName,
  configuration: undefined,
  open: undefined,
  changed: false,
  failed: false,
  stopped: false,
  line: 0,
  reportedLine: 0,
  stdout: [],
  stderr: []
})

/** Prints a message on standard error; the exit status stays what it was. @category combinators */
export const complain = (session: Session, text: string): void => {
  if (session.mode.kind === "file" && session.reportedLine !== session.line) {
    session.reportedLine = session.line
    session.stderr.push(`On line ${session.line} of ${session.mode.path}:`)
  }
  session.stderr.push(text)
}

/** Prints a message and makes the run fail; file mode reads no further. @category combinators */
export const reject = (session: Session, text: string): void => {
  complain(session, text)
  session.failed = true
}

/** Prints on standard output. @category combinators */
export const print = (session: Session, text: string): void => {
  session.stdout.push(text)
}

/** The zone as it is stored. @category combinators */
export const stored = (session: Session): Zone | undefined => findZone(session.context.host, session.storedName)

/** Whether the stored zone is installed or later. @category combinators */
export const isInstalled = (session: Session): boolean => {
  const zone = stored(session)
  if (zone === undefined) return false
  const state = zoneState(zone)
  return state !== "configured" && state !== "incomplete"
}

/** The configuration in memory, read from the host at the first use; complains when the zone does not exist. @category combinators */
export const configuration = (session: Session): ZoneConfiguration | undefined => {
  if (session.configuration !== undefined) return session.configuration
  const zone = stored(session)
  if (zone === undefined) {
    reject(session, `${session.zoneName}: No such zone configured`)
    return undefined
  }
  session.configuration = structuredClone(zone.configuration)
  return session.configuration
}
