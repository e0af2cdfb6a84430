/** What an agent says that its node and pods use: the part of a kubelet's `/stats/summary` that metrics are made of. */
import { Timestamp } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** Counters and amounts at one moment. @category models */
export interface Point {
  /** Milliseconds since the epoch, by the clock of the node. */
  readonly time: number
  /** When the counter began, milliseconds since the epoch. */
  readonly startedAt: number | undefined
  /** CPU time since then in nanoseconds. */
  readonly cpuNanos: number
  /** Memory in use, in bytes. */
  readonly memory: number
}

/** @category models */
export interface PodSample {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** Points by container name. Containers that were not measured are absent. */
  readonly containers: ReadonlyMap<string, Point>
}

/** @category models */
export interface UsageSample {
  /** Undefined when the agent could not measure it. */
  readonly node: Point | undefined
  readonly pods: ReadonlyArray<PodSample>
}

const Instant = Schema.transformOrFail(Schema.String, Schema.Number, {
  strict: true,
  decode: (text, _options, ast) => {
    const millis = Timestamp.toMillis(text)
    return millis === undefined ? ParseResult.fail(new ParseResult.Type(ast, text, "not a time")) : ParseResult.succeed(millis)
  },
  encode: (millis) => ParseResult.succeed(Timestamp.microsFromMillis(millis))
})

const amount = Schema.optional(Schema.NullOr(Schema.NonNegative))

const Stats = {
  startTime: Schema.optional(Schema.NullOr(Instant)),
  cpu: Schema.optional(Schema.NullOr(Schema.Struct({ time: Instant, usageCoreNanoSeconds: amount }))),
  memory: Schema.optional(Schema.NullOr(Schema.Struct({ time: Instant, workingSetBytes: amount })))
}

const Summary = Schema.parseJson(Schema.Struct({
  node: Schema.Struct(Stats),
  pods: Schema.optional(Schema.NullOr(Schema.Array(Schema.Struct({
    podRef: Schema.Struct({ name: Schema.String, namespace: Schema.String, uid: Schema.String }),
    containers: Schema.optional(Schema.NullOr(Schema.Array(Schema.Struct({ name: Schema.String, ...Stats }))))
  }))))
}))

const decodeSummary = Schema.decodeUnknown(Summary)

interface StatsValue {
  readonly startTime?: number | null | undefined
  readonly cpu?: { readonly time: number; readonly usageCoreNanoSeconds?: number | null | undefined } | null | undefined
  readonly memory?: { readonly workingSetBytes?: number | null | undefined } | null | undefined
}

const pointOf = ({ cpu, memory, startTime }: StatsValue): Point | undefined => {
  const cpuNanos = cpu?.usageCoreNanoSeconds ?? undefined
  const used = memory?.workingSetBytes ?? undefined
  return cpu == null || cpuNanos === undefined || used === undefined
    ? undefined
    : { time: cpu.time, startedAt: startTime ?? undefined, cpuNanos, memory: used }
}

/** Reads the text of a summary. Fails with what is wrong with it. @category constructors */
export const parse = (text: string): Effect.Effect<UsageSample, ParseResult.ParseError> =>
  Effect.map(decodeSummary(text), ({ node, pods }) => ({
    node: pointOf(node),
    pods: (pods ?? []).map(({ containers, podRef }) => ({
      ...podRef,
      containers: new Map((containers ?? []).flatMap((container) => {
        const point = pointOf(container)
        return point === undefined ? [] : [[container.name, point] as const]
      }))
    }))
  }))
