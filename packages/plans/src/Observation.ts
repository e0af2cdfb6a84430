/** What was seen of one pod-zone on the host. "Cannot observe" is a value of its own and never starts a repair. */
import type { Caps, Digests } from "./Plan.js"
import type { Mount } from "./ZoneInstance.js"

/** Something that was looked at: seen, or why it could not be. @category models */
export type Fact<A> =
  | { readonly known: true; readonly value: A }
  | { readonly known: false; readonly detail: string }

/** @category constructors */
export const known = <A>(value: A): Fact<A> => ({ known: true, value })

/** @category constructors */
export const unknown = (detail: string): Fact<never> => ({ known: false, detail })

/** States of a zone as illumos names them, and `absent`. @category models */
export type ZoneState = "absent" | "configured" | "incomplete" | "installed" | "ready" | "mounted" | "running" | "shutting_down" | "down"

/** @category models */
export interface ZoneFact {
  readonly state: ZoneState
  readonly name?: string
  /** False when the restart policy does not want a halted zone back: its containers ended and that is final. */
  readonly shouldRun: boolean
}

/** @category models */
export interface NetworkFact {
  readonly vnic?: string
  readonly ip?: string
  /** What is missing or different: link, address or filter. Empty: as wanted. */
  readonly faults: ReadonlyArray<string>
}

/** Hashes over rendered files and environment, and what of the zone's own configuration is not as it was stored. @category models */
export interface ConfigFact {
  readonly current: string
  readonly wanted: string
  /** Whether policy says that what takes the workload away for a time is done to a living pod, to make a difference effective. */
  readonly apply: boolean
  /** Parts of the zone's stored configuration that somebody has changed, in words. Storing them again takes nothing away. Default none. */
  readonly changed?: ReadonlyArray<string>
  /** Whether the zone was booted with those: what is stored takes effect with its next boot only. */
  readonly booted?: boolean
}

/** @category models */
export interface CapsFact {
  /** Live values. Only names that the wanted caps have too are compared. */
  readonly live: Caps
  /** `infeasible`: this host can never change them live. `deferred`: there is no room now. Default `possible`. */
  readonly change?: "possible" | "infeasible" | "deferred"
  /** Whether a changed container asks to be restarted for it (`resizePolicy: RestartContainer`). */
  readonly restart?: boolean
}

/** @category models */
export interface CompanionFact {
  readonly name: string
  readonly fault?: string
}

/**
 * One look at the host for one pod-zone.
 *
 * @category models
 */
export interface Observation {
  readonly zone: Fact<ZoneFact>
  /** What the active roots are made of; a container without an entry is one whose root carries no digest. */
  readonly digests: Fact<Digests>
  /** Wanted digests by container, resolved now; used where `spec.containers` has none. */
  readonly resolved: Fact<Digests>
  readonly network: Fact<NetworkFact>
  readonly config: Fact<ConfigFact>
  readonly caps: Fact<CapsFact>
  readonly companions: Fact<ReadonlyArray<CompanionFact>>
  readonly mounts?: ReadonlyArray<Mount>
  /** Restarts of containers so far. */
  readonly restarts?: number
  /** Digests of the kept former root, where there is one to roll back to. */
  readonly previous?: Digests
}
