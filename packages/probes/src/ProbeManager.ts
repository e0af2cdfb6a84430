/**
 * Probes containers, each probe on its own period, and keeps what the probes say.
 *
 * All probes of a process share one clock: a heap of what is due, and one fiber that sleeps until the first of it. A probe costs a fiber
 * only while an attempt of it is under way. The inside is plain code that runs to its end between two turns of the event loop: with
 * thousands of attempts a second, an effect for each step would cost more than the attempts.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as engine from "./internal/probeEngine.js"
import type { Probe, ProbeKind } from "./Probe.js"
import type { ProbeOutcome } from "./ProbeOutcome.js"
import type { ProbeSnapshot } from "./ProbeSnapshot.js"
import type { ProbeResult } from "./ProbeThreshold.js"
import { Prober } from "./Prober.js"

/**
 * A container to be probed.
 *
 * @category models
 */
export interface ProbedContainer {
  /** Identifies the container among all of the manager; `ExecRunner` is given it. */
  readonly key: string
  /** Identifies one run of it: when it is started again, everything that its probes said is forgotten. */
  readonly instance: string
  /** When this run started, in milliseconds since the epoch: initial delays count from then. */
  readonly startedAt: number
  /** At most one of each kind. */
  readonly probes: ReadonlyArray<Probe>
}

/**
 * What the probes of a container say; a kind is absent when there is no such probe.
 *
 * @category models
 */
export interface ProbeResults {
  readonly instance: string
  readonly liveness?: ProbeResult
  readonly readiness?: ProbeResult
  readonly startup?: ProbeResult
}

/**
 * Something that happened to a probe.
 *
 * @category models
 */
export type ProbeEvent =
  /** An attempt ended. `durationMillis` and `lateMillis` (behind its time) are measured on the clock of the manager. */
  | {
    readonly _tag: "Probed"
    readonly key: string
    readonly instance: string
    readonly kind: ProbeKind
    readonly outcome: ProbeOutcome
    readonly durationMillis: number
    readonly lateMillis: number
  }
  /** What a probe says changed. */
  | { readonly _tag: "ResultChanged"; readonly key: string; readonly instance: string; readonly kind: ProbeKind; readonly result: ProbeResult }
  /** The snapshot of the container changed, and with it what must be kept to go on from here after a crash. */
  | { readonly _tag: "SnapshotChanged"; readonly key: string; readonly instance: string }

/**
 * Bounds and tuning.
 *
 * @category models
 */
export interface Options {
  /** Commands in containers at the same time; further ones wait for their turn. Default 128. */
  readonly maxCommands?: number
  /** Connections at the same time; further ones wait for their turn. Default 2048. */
  readonly maxConnections?: number
  /** Milliseconds by which attempts may be late so that several can start together. Default 5. */
  readonly granularityMillis?: number
}

/**
 * Nothing in it fails: how an attempt went is a result.
 *
 * @category services
 */
export class ProbeManager extends Context.Tag("@reddwarf/probes/ProbeManager")<ProbeManager, {
  /**
   * Probes a container from now on, or goes on with it: doing it again with the same changes nothing. Probes that are not listed any more
   * stop; another `instance` begins anew. `snapshot` is taken over when the manager does not know the container and the instance is
   * that of the snapshot.
   *
   * Within the first period after the start of the manager, a probe begins at a random moment of its period, so that not everything that a
   * host runs is probed at once.
   */
  readonly set: (container: ProbedContainer, snapshot?: ProbeSnapshot) => Effect.Effect<void>
  /** Stops probing a container and forgets it. Attempts under way are interrupted. */
  readonly remove: (key: string) => Effect.Effect<void>
  /** What the probes of a container say, undefined when it is not known. */
  readonly results: (key: string) => ProbeResults | undefined
  /** What `set` needs to go on where the probes of a container stand. */
  readonly snapshot: (key: string) => ProbeSnapshot | undefined
  /**
   * Hears of everything that happens while the scope lives. The listener is called between two turns of the event loop and must return at
   * once.
   */
  readonly listen: (listener: (event: ProbeEvent) => void) => Effect.Effect<void, never, Scope.Scope>
}>() {}

/**
 * A manager that probes as long as the scope lives.
 *
 * @category constructors
 */
export const make = (options: Options = {}): Effect.Effect<Context.Tag.Service<ProbeManager>, never, Prober | Scope.Scope> =>
  Effect.gen(function*() {
    const prober = yield* Prober
    const random = yield* Effect.random
    const runtime = yield* engine.make({
      prober,
      draw: random.next,
      maxCommands: options.maxCommands ?? 128,
      maxConnections: options.maxConnections ?? 2048,
      granularityMillis: options.granularityMillis ?? 5
    })
    return ProbeManager.of(runtime)
  })

/** @category layers */
export const layer = (options: Options = {}): Layer.Layer<ProbeManager, never, Prober> => Layer.scoped(ProbeManager, make(options))
