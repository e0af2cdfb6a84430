/** What a command of the simulated host gets to work with. */
import type { CommandLine } from "@reddwarf/runtime-illumos"
import type * as Effect from "effect/Effect"
import type * as HostState from "./HostState.js"
import type { HostFiles } from "./internal/hostFiles.js"
import type { Result } from "./internal/result.js"
import type { StateUnavailable } from "./StateFile.js"

/** The state, the file system and the time of one transaction. @category models */
export interface HostContext {
  readonly host: HostState.HostState
  readonly files: HostFiles
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** A command that needs nothing but the state: it runs in one transaction. @category models */
export type InstantCommand = (context: HostContext, args: ReadonlyArray<string>, stdin: string) => Result

/** How long things take, in milliseconds; all 0 by default except the two limits of a shutdown. @category models */
export interface Timing {
  /** Between `incomplete` and `installed`. */
  readonly install: number
  /** Between `ready` and `running`. */
  readonly boot: number
  /** Between `shutting_down` and `installed`. */
  readonly halt: number
  /** How long a graceful shutdown lets processes live after SIGTERM. */
  readonly shutdownGrace: number
  /** How long `zoneadm shutdown` waits for the zone before it gives up. */
  readonly stopTimeout: number
  /** How long the methods of a service take. */
  readonly service: number
}

/** A host to run commands on that take time: they hold the state only for single steps. @category models */
export interface Host {
  readonly files: HostFiles
  readonly timing: Timing
  /** One step on the current state; transitions whose time has come are finished first. */
  readonly step: <A>(change: (context: HostContext) => A) => Effect.Effect<A, StateUnavailable>
  /**
   * A step that changes nothing where no fault is planted, as it then needs no lock. Where one is planted, or a transition is to be finished,
   * it is a step like any other.
   */
  readonly look: <A>(read: (context: HostContext) => A) => Effect.Effect<A, StateUnavailable>
}

/** A command that takes time. @category models */
export type LongCommand = (host: Host, line: CommandLine.CommandLine) => Effect.Effect<Result, StateUnavailable>
