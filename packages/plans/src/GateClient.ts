/** How gates are asked and approved. */
import * as Schema from "effect/Schema"
import type * as Effect from "effect/Effect"
import type { Gate } from "./Gate.js"

/** What came back, before it is judged. @category models */
export type GateAnswer =
  | { readonly _tag: "Status"; readonly code: number }
  | { readonly _tag: "Exit"; readonly code: number }
  | { readonly _tag: "Unreachable"; readonly detail: string }

/** A client for the gates of one pod. Nothing it does takes longer than two seconds, and it follows no redirect. @category models */
export interface GateClient {
  readonly probe: (gate: Gate) => Effect.Effect<GateAnswer>
  /** `taskId` is the idempotency key: approving twice with the same one is approving once. */
  readonly approve: (gate: Gate, taskId: string) => Effect.Effect<GateAnswer>
}

/** There is no client for the gates of a pod now: it has no address, or its zone is not there. @category errors */
export class GateClientUnavailable extends Schema.TaggedError<GateClientUnavailable>()("GateClientUnavailable", {
  detail: Schema.String
}) {
  override get message(): string {
    return `no client for the gates: ${this.detail}; tried again with the next probe`
  }
}
