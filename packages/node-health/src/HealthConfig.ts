/** The settings of the endpoint: one shape for file, environment and flags, checked as a whole. */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { isIP } from "node:net"
import * as Thresholds from "./Thresholds.js"

/** The settings cannot be used. @category errors */
export class ConfigInvalid extends Schema.TaggedError<ConfigInvalid>()("ConfigInvalid", { detail: Schema.String }) {
  override get message(): string {
    return `node-health settings: ${this.detail}`
  }
}

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `4s`, `1500ms`, `2m`, `1h`, or a number of seconds; at most a day. */
const DurationText = Schema.transformOrFail(Schema.Union(Schema.Number, Schema.String), Schema.DurationFromSelf, {
  strict: true,
  decode: (value, _options, ast) => {
    const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(typeof value === "number" ? `${value}s` : value) ?? []
    const millis = Number(number) * (durationUnits[unit] ?? Number.NaN)
    return number !== "" && millis <= 86_400_000
      ? ParseResult.succeed(Duration.millis(millis))
      : ParseResult.fail(new ParseResult.Type(ast, value, `${JSON.stringify(value)} is no duration such as 4s or 1500ms`))
  },
  encode: (duration) => ParseResult.succeed(`${Duration.toMillis(duration)}ms`)
})

/** Where to listen. @category models */
export interface Address {
  readonly host: string
  readonly port: number
}

/** `0.0.0.0:25001`, `[::]:25001`, `:25001`, or a port alone. @category combinators */
export const parseAddress = (text: string): Address | undefined => {
  const [, six, four = "", digits = ""] = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]*)):)?(\d{1,5})$/.exec(text) ?? []
  const host = six ?? (four === "" ? "0.0.0.0" : four)
  return digits === "" || isIP(host) === 0 || Number(digits) > 65_535 ? undefined : { host, port: Number(digits) }
}

const AddressText = Schema.transformOrFail(Schema.Union(Schema.Number, Schema.String), Schema.Struct({ host: Schema.String, port: Schema.Number }), {
  strict: true,
  decode: (value, _options, ast) => {
    const address = parseAddress(String(value))
    return address === undefined ? ParseResult.fail(new ParseResult.Type(ast, value, `${JSON.stringify(value)} is no ADDRESS:PORT such as 0.0.0.0:25001`)) : ParseResult.succeed(address)
  },
  encode: ({ host, port }) => ParseResult.succeed(`${host.includes(":") ? `[${host}]` : host}:${port}`)
})

const Threshold = Schema.Struct({
  signal: Schema.Literal("nodefs.available", "imagefs.available", "nodefs.inodesFree", "imagefs.inodesFree"),
  percent: Schema.optionalWith(Schema.Number, { exact: true }),
  amount: Schema.optionalWith(Schema.Number, { exact: true })
})

const ThresholdText = Schema.transformOrFail(Schema.String, Threshold, {
  strict: true,
  decode: (value, _options, ast) =>
    Either.match(Thresholds.parse(value), {
      onLeft: (problem) => ParseResult.fail(new ParseResult.Type(ast, value, problem)),
      onRight: ParseResult.succeed
    }),
  encode: ({ amount, percent, signal }) => ParseResult.succeed(`${signal}<${percent === undefined ? amount ?? 0 : `${percent}%`}`)
})

const words = Schema.Array(Schema.NonEmptyString)
const absolute = Schema.String.pipe(Schema.pattern(/^\//, { message: () => "a path must be absolute" }))
const port = Schema.Int.pipe(Schema.between(0, 65_535))
const optional = <A, I>(schema: Schema.Schema<A, I>) => Schema.optionalWith(schema, { exact: true })

const tuning = {
  timeout: optional(DurationText),
  cache_ttl: optional(DurationText),
  on_unknown: optional(Schema.Literal("pass", "fail")),
  enabled: optional(Schema.Boolean)
}
const Tuning = Schema.Struct(tuning)

const Checks = Schema.Struct({
  node_ready: optional(Tuning),
  okd_router_1936: optional(Tuning),
  schedulable: optional(Tuning),
  zones: optional(Tuning),
  filesystem_ro: optional(Schema.Struct({ ...tuning, mounts: optional(Schema.Array(absolute)), expected: optional(Schema.Array(absolute)), write_probe: optional(Schema.Array(absolute)) })),
  kubelet: optional(Schema.Struct({ ...tuning, url: optional(Schema.String.pipe(Schema.pattern(/^http:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d+\//))), service: optional(Schema.String), allow_degraded: optional(Schema.Boolean) })),
  container_runtime: optional(Schema.Struct({
    ...tuning,
    kind: optional(Schema.Literal("zones", "cri", "development", "none")),
    socket: optional(absolute),
    brands: optional(words),
    stuck_zone: optional(Schema.Literal("warn", "fail"))
  })),
  disk_pressure: optional(Schema.Struct({
    ...tuning,
    thresholds: optional(Schema.Array(ThresholdText)),
    nodefs: optional(Schema.NonEmptyString),
    imagefs: optional(Schema.NonEmptyString)
  })),
  network: optional(Schema.Struct({
    ...tuning,
    link: optional(Schema.Boolean),
    gateway: optional(Schema.Boolean),
    dns: optional(Schema.Boolean),
    gateway_tcp_port: optional(port),
    dns_probe_name: optional(Schema.NonEmptyString),
    dns_servers: optional(words)
  })),
  custom_conditions: optional(Schema.Struct({
    ...tuning,
    conditions: optional(Schema.Record({ key: Schema.String, value: Schema.Literal("True", "False", "ignore") })),
    max_heartbeat_age: optional(DurationText)
  })),
  zpool: optional(Schema.Struct({ ...tuning, degraded: optional(Schema.Literal("pass", "fail")) })),
  time_sync: optional(Schema.Struct({ ...tuning, max_offset: optional(DurationText) })),
  /** Checks whose names have a parameter. */
  smf: optional(Tuning),
  unit: optional(Tuning),
  tcp: optional(Tuning),
  http: optional(Tuning)
})

const isRange = (text: string): boolean => {
  const [address = "", length, ...rest] = text.split("/")
  const family = isIP(address)
  return family !== 0 && rest.length === 0 && (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128)))
}
const Range = Schema.String.pipe(Schema.filter(isRange, { message: () => "a range must look like 10.0.0.0/8 or fd00::/8" }))

/**
 * The settings, by the names of the file.
 *
 * @category schemas
 */
export const HealthConfig = Schema.Struct({
  node_name: optional(Schema.String),
  listen: Schema.optionalWith(AddressText, { exact: true, default: () => ({ host: "0.0.0.0", port: 25_001 }) }),
  default_checks: Schema.optionalWith(words, { exact: true, default: () => ["node_ready"] }),
  request_deadline: Schema.optionalWith(DurationText, { exact: true, default: () => Duration.seconds(4) }),
  cache_ttl: Schema.optionalWith(DurationText, { exact: true, default: () => Duration.seconds(1) }),
  max_in_flight: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 4096)), { exact: true, default: () => 64 }),
  allowed_checks: Schema.optionalWith(words, { exact: true, default: () => [] }),
  allow_cidrs: Schema.optionalWith(Schema.Array(Range), { exact: true, default: () => [] }),
  /** Files with certificate and key, as PEM. */
  tls: optional(Schema.Struct({ cert: Schema.String, key: Schema.String })),
  drain_seconds: Schema.optionalWith(Schema.Number.pipe(Schema.between(0, 3600)), { exact: true, default: () => 15 }),
  /** 0 switches the listener off. */
  agent_check_port: Schema.optionalWith(port, { exact: true, default: () => 0 }),
  weight_from: Schema.optionalWith(Schema.Literal("none", "pods", "load"), { exact: true, default: () => "none" as const }),
  kubeconfig: optional(Schema.String),
  node_watch: Schema.optionalWith(Schema.Boolean, { exact: true, default: () => false }),
  /** Data directory of the agent on this node. */
  agent_data_dir: optional(absolute),
  /** Folder of the drain state and the control socket. */
  state_dir: Schema.optionalWith(absolute, { exact: true, default: () => "/var/lib/reddwarf-node-health" }),
  checks: Schema.optionalWith(Checks, { exact: true, default: () => ({}) })
})
/** @category models */
export type HealthConfig = typeof HealthConfig.Type

const decodeUnknown = Schema.decodeUnknownEither(HealthConfig, { errors: "all", onExcessProperty: "error" })

/** @category constructors */
export const decode = (raw: unknown): Either.Either<HealthConfig, ConfigInvalid> =>
  Either.mapLeft(decodeUnknown(raw), (error) =>
    new ConfigInvalid({
      detail: ParseResult.ArrayFormatter.formatErrorSync(error).map(({ message, path }) => `${path.length === 0 ? "" : `${path.join(".")}: `}${message}`).slice(0, 5).join("; ")
    }))

/** The settings without any being given. @category constructors */
export const defaults: HealthConfig = Schema.decodeUnknownSync(HealthConfig)({})

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value)

/** Two layers of settings as one: the second wins, mappings are merged, lists replaced. @category combinators */
export const merge = (lower: unknown, upper: unknown): unknown => {
  if (upper === undefined) return lower
  if (!isRecord(lower) || !isRecord(upper)) return upper
  const merged: Record<string, unknown> = { ...lower }
  for (const [key, value] of Object.entries(upper)) merged[key] = merge(merged[key], value)
  return merged
}

/** Settings from the environment: `NODE_NAME` and `LISTEN_PORT`; the port joins the host of the layer below. @category combinators */
export const fromEnvironment = (environment: Readonly<Record<string, string | undefined>>, lower: unknown): unknown => {
  const name = environment["NODE_NAME"]
  const portText = environment["LISTEN_PORT"]
  const below = isRecord(lower) && (typeof lower["listen"] === "string" || typeof lower["listen"] === "number") ? parseAddress(String(lower["listen"])) : undefined
  const host = below?.host ?? "0.0.0.0"
  return {
    ...(name === undefined || name === "" ? {} : { node_name: name }),
    ...(portText === undefined || portText === "" ? {} : { listen: `${host.includes(":") ? `[${host}]` : host}:${portText}` })
  }
}

/** All layers as one: flags win over the environment, that over the file, that over the defaults. @category combinators */
export const layers = (file: unknown, environment: Readonly<Record<string, string | undefined>>, flags: unknown): unknown => {
  const below = isRecord(file) ? file : file === undefined || file === null ? {} : file
  return isRecord(below) ? merge(merge(below, fromEnvironment(environment, below)), flags) : below
}

/** Where to listen by settings that may be wrong elsewhere: a balancer is to hear of it. @category combinators */
export const listenOf = (raw: unknown): Address =>
  Option.getOrElse(
    Option.flatMapNullable(Option.liftPredicate(raw, isRecord), (record) => parseAddress(String(record["listen"]))),
    () => defaults.listen
  )
