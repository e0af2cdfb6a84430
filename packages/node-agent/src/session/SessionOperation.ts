/** What a session does, complete: whoever has it needs neither the request nor the API to serve the session. */
import * as Schema from "effect/Schema"
import { ContainerTarget } from "../container/ContainerTarget.js"
import { PodIdentity } from "../supervisor/SupervisorFiles.js"

/** The streams of a command. @category schemas */
const Streams = Schema.Struct({ stdin: Schema.Boolean, stdout: Schema.Boolean, stderr: Schema.Boolean, tty: Schema.Boolean })

/**
 * A pod whose ports are forwarded.
 *
 * @category schemas
 */
export const ForwardedPod = Schema.Struct({
  ...PodIdentity.fields,
  /** As known when the session was asked for. */
  address: Schema.optional(Schema.String)
})
/** @category models */
export type ForwardedPod = typeof ForwardedPod.Type

/**
 * One session, allowed already.
 *
 * @category schemas
 */
export const SessionOperation = Schema.Union(
  Schema.Struct({ type: Schema.Literal("exec"), target: ContainerTarget, argv: Schema.NonEmptyArray(Schema.String), options: Streams }),
  Schema.Struct({ type: Schema.Literal("attach"), target: ContainerTarget, options: Streams }),
  Schema.Struct({ type: Schema.Literal("portForward"), pod: ForwardedPod, ports: Schema.Array(Schema.Int.pipe(Schema.between(1, 65_535))) })
)
/** @category models */
export type SessionOperation = typeof SessionOperation.Type
