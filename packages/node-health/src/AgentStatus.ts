/** What the agent leaves behind for this process in a file: evidence of its last look at the host, never a claim that it is well. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * The file `node-health.json` in the data directory of the agent.
 *
 * @category schemas
 */
export const AgentStatus = Schema.Struct({
  version: Schema.Literal(1),
  /** Process that wrote it. */
  pid: Schema.Int,
  /** Last successful listing of the zones, in milliseconds since the epoch. */
  zonesListedAt: Schema.Number,
  /** Brands that the node advertises. */
  brands: Schema.Array(Schema.String),
  /** Zones of pods; `critical` for those that the node cannot do without. */
  zones: Schema.Array(Schema.Struct({ name: Schema.String, critical: Schema.Boolean })),
  /** Pods on the node, and how many it takes. */
  pods: Schema.Int,
  maxPods: Schema.Int
})
/** @category models */
export type AgentStatus = typeof AgentStatus.Type

const Json = Schema.parseJson(AgentStatus)
const decodeJson = Schema.decodeUnknownOption(Json)

/** Name of the file. @category models */
export const fileName = "node-health.json"

/** @category combinators */
export const decode = (text: string): AgentStatus | undefined => Option.getOrUndefined(decodeJson(text))

/** @category combinators */
export const encode = (status: AgentStatus): string => JSON.stringify(status)
