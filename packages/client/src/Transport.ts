/**
 * How requests reach an API server: the only thing that differs between a server across the network and one in this process.
 */
import type { ApiError } from "@reddwarf/api-types"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"

/**
 * One API request. `path` starts with `/` and includes the query.
 *
 * @category models
 */
export interface Request {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/**
 * A complete answer. Header names are in lower case.
 *
 * @category models
 */
export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/**
 * An answer whose body is still arriving. Header names are in lower case.
 *
 * @category models
 */
export interface StreamResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Stream.Stream<Uint8Array, TransportFailure>
}

/**
 * An object as a server in this process has it. It is decoded when it is asked for, perhaps each time anew: keep this rather than the
 * object. The object must not be modified.
 *
 * @category models
 */
export interface StoredObject {
  /** `namespace/name`, or `name` of an object outside of namespaces. */
  readonly key: string
  readonly resourceVersion: string
  readonly object: unknown
}

/**
 * A change of a stored object, or a bookmark.
 *
 * @category models
 */
export type StoredEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly stored: StoredObject }
  | { readonly type: "BOOKMARK"; readonly resourceVersion: string }

/**
 * Takes a batch of changes; the next one comes when its effect has ended.
 *
 * @category models
 */
export type EmitStored = (events: ReadonlyArray<StoredEvent>) => Effect.Effect<void>

/**
 * What a server in this process answers to a list or watch without writing it down. The items of a list are perhaps looked for only
 * while they are taken. `Other` is any other answer, such as a refusal.
 *
 * @category models
 */
export type StoredAnswer =
  | { readonly _tag: "List"; readonly items: Iterable<StoredObject>; readonly resourceVersion: string; readonly continue?: string }
  | { readonly _tag: "Watch"; readonly run: (emit: EmitStored) => Effect.Effect<void, ApiError.ApiError> }
  | { readonly _tag: "Other"; readonly response: Response }

/**
 * No complete answer came back. Whether the server acted on the request is unknown, so a write must be checked before it is repeated.
 *
 * `Connect`: the server could not be reached or its certificate was refused. `Timeout`: it did not answer in time.
 * `Closed`: the connection broke. `TooLarge`: the answer exceeds what this client keeps in memory.
 *
 * @category errors
 */
export class TransportFailure extends Schema.TaggedError<TransportFailure>()("TransportFailure", {
  method: Schema.String,
  path: Schema.String,
  /** Base URL of the server, or a name for one in this process. */
  server: Schema.String,
  reason: Schema.Literal("Connect", "Timeout", "Closed", "TooLarge"),
  detail: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    return `${this.method} ${this.path} at ${this.server}: ${this.detail} (${advice[this.reason]})`
  }
}

const advice = {
  Connect: "check that the server runs and that the kubeconfig names its address and certificate authority",
  Timeout: "the server is overloaded or unreachable; try again",
  Closed: "the connection broke before the answer was complete; try again",
  TooLarge: "ask for fewer objects at once with limit or a selector"
} as const

/**
 * Carries requests to one API server.
 *
 * @category services
 */
export class Transport extends Context.Tag("@reddwarf/client/Transport")<Transport, {
  /** Sends a request and waits for the complete answer, whatever its status. */
  readonly request: (request: Request) => Effect.Effect<Response, TransportFailure>
  /** Opens a streaming answer: status and headers first, then chunks. Closing the scope ends it. */
  readonly open: (request: Request) => Effect.Effect<StreamResponse, TransportFailure, Scope.Scope>
  /** Lists and watches without encoding and decoding; only where the server is in this process. */
  readonly stored?: (request: Request) => Effect.Effect<StoredAnswer, TransportFailure>
}>() {}
