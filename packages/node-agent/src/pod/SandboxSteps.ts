/** The steps of bringing the zone of a pod up and of removing it, one by one: what plans of a zone consist of. */
import type { Ipam } from "@reddwarf/ipam"
import type { HostError, ZoneRuntime } from "@reddwarf/runtime-illumos"
import type * as Effect from "effect/Effect"
import type { PodEvent } from "./PodEvents.js"

/** In this order; each stands on those before it. @category models */
export type StepName = "dataset" | "link" | "configuration" | "installation" | "boot" | "readiness" | "protection"

/** In the reverse order; the address goes after the link. @category models */
export type RemovalName = "boot" | "installation" | "configuration" | "link" | "dataset" | "address"

/**
 * A zone on its way up. Each step looks at the host and can be repeated; nothing is taken back when one fails.
 *
 * @category models
 */
export interface Bringing<E> {
  /** What users must know about it. */
  readonly events: ReadonlyArray<PodEvent>
  /** The zone as it shall be, its dataset included. */
  readonly spec: Effect.Effect<ZoneRuntime.ZoneSpec, E>
  /** The name of its brand. */
  readonly brand: string
  readonly lease: Ipam.Lease
  readonly step: (name: StepName) => Effect.Effect<void, E | HostError.HostError>
}
