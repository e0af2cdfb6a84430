/** What the repair of companions needs of a service manager. SMF and systemd both have it. */
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type { Companion, CompanionError } from "./Companion.js"

/** A definition as a file. @category models */
export interface Rendered {
  readonly content: string
  /** SHA-256 of the content, in hexadecimal. */
  readonly hash: string
}

/** States in the words of SMF, for both. @category models */
export type State = "absent" | "disabled" | "offline" | "online" | "degraded" | "maintenance" | "transition"

/** How a companion is found. @category models */
export interface Found {
  readonly state: State
  /** Hash of the installed file; undefined when there is no file. */
  readonly fileHash: string | undefined
  /** Hash recorded when the manager took over the definition; undefined when it never did. */
  readonly recordedHash: string | undefined
  /** Why an operator wants it to be left alone; undefined when nobody does. */
  readonly override: string | undefined
}

/** A companion of ours on the host, expected or not. @category models */
export interface Owned {
  readonly name: string
  /** Uid of its pod; undefined for the node's own. */
  readonly ownerUid: string | undefined
}

/** Outcome of an operation. @category models */
export type Step<A = void> = Effect.Effect<A, CompanionError>

/**
 * A service manager. Every operation can be repeated; every command has a time limit.
 *
 * @category models
 */
export interface CompanionServices {
  readonly render: (companion: Companion) => Either.Either<Rendered, CompanionError>
  /** Reads what one pass needs to know about all services at once; called before `find` and `owned`. */
  readonly refresh: Step
  readonly find: (name: string) => Step<Found>
  /** Writes the file, has it validated and taken over, and records its hash. */
  readonly install: (companion: Companion, rendered: Rendered) => Step
  /** Turns on one that is disabled. */
  readonly enable: (name: string) => Step
  /** Lets one in maintenance try again. */
  readonly clear: (name: string) => Step
  readonly restart: (name: string) => Step
  /** What one that waits is waiting for, in words. */
  readonly explain: (name: string) => Step<string>
  /** Stops, deletes, and removes the file. */
  readonly remove: (name: string) => Step
  /** Those that carry our tag. Services without it are not shown. */
  readonly owned: Step<ReadonlyArray<Owned>>
}
