/** What an agent and the session hosts of its data directory say to each other, over a socket that only they can reach. */
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { SessionOperation } from "./SessionOperation.js"

/** Folder of the sockets, mode 0700. @category constructors */
export const folder = (dataDir: string): string => join(dataDir, "sessions")

/** Names of sockets. @category models */
export const socketName = /^[0-9a-f]{8}\.sock$/

/** What fits into the address of a local socket on every system. @category models */
export const longestPath = 103

/** PEM texts. @category schemas */
export const Tls = Schema.Struct({ cert: Schema.String, key: Schema.String, ca: Schema.String })
/** @category models */
export type Tls = typeof Tls.Type

/** What a session host says first. @category schemas */
export const Hello = Schema.Struct({
  hello: Schema.Literal("session-host"),
  /** Of the program; an agent of another one begins no sessions there. */
  identity: Schema.String,
  /** Sessions now. */
  sessions: Schema.Number
})

/** Told whenever it changes. @category schemas */
export const Sessions = Schema.Struct({ sessions: Schema.Number })

/** What an agent asks. @category schemas */
export const Request = Schema.Union(
  /** To be reached at this address, as this node. Answer: `Begun`. */
  Schema.Struct({ type: Schema.Literal("begin"), host: Schema.String, port: Schema.Number, tls: Tls }),
  /** To serve a session, when no more than so many are served already. Answer: `Issued`. */
  Schema.Struct({ type: Schema.Literal("ticket"), operation: SessionOperation, holder: Schema.String, limit: Schema.Number }),
  /** To take no more sessions, and to end with the last one. */
  Schema.Struct({ type: Schema.Literal("retire") }),
  /** To end now. */
  Schema.Struct({ type: Schema.Literal("end") })
)
/** @category models */
export type Request = typeof Request.Type

/** @category schemas */
export const Begun = Schema.Union(Schema.Struct({ port: Schema.Number }), Schema.Struct({ problem: Schema.String }))
/** @category schemas */
export const Issued = Schema.Union(
  Schema.Struct({ ticket: Schema.String }),
  Schema.Struct({ refused: Schema.Literal("full", "retired", "invalid") })
)
/** @category models */
export type Issued = typeof Issued.Type

/** What a session host asks the agent, when there is one: the address of a pod. @category schemas */
export const AddressRequest = Schema.Struct({ type: Schema.Literal("address"), uid: Schema.String })
/** @category schemas */
export const Address = Schema.Struct({ address: Schema.optional(Schema.String) })
