/**
 * The configuration file of a scheduler, in the shape of `KubeSchedulerConfiguration` (`kubescheduler.config.k8s.io/v1`): profiles with their
 * plugins and the arguments of these, times, and whether several processes take turns.
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as DecodeProblems from "./internal/decodeProblems.js"

/**
 * The configuration cannot be used. `path` is the field, such as `profiles.0.plugins.multiPoint.enabled.1.name`.
 *
 * @category errors
 */
export class InvalidSchedulerConfiguration extends Schema.TaggedError<InvalidSchedulerConfiguration>()("InvalidSchedulerConfiguration", {
  problems: Schema.Array(Schema.Struct({ path: Schema.String, detail: Schema.String }))
}) {
  override get message(): string {
    return `scheduler configuration: ${this.problems.map(({ detail, path }) => path === "" ? detail : `${path}: ${detail}`).join("; ")}`
  }
}

/**
 * The extension points as a configuration names them. `multiPoint` stands for all of a plugin's.
 *
 * @category models
 */
export const points = [
  "preEnqueue",
  "queueSort",
  "preFilter",
  "filter",
  "postFilter",
  "preScore",
  "score",
  "reserve",
  "permit",
  "preBind",
  "bind",
  "postBind"
] as const

/**
 * One of the extension points.
 *
 * @category models
 */
export type Point = typeof points[number]

const name = Schema.NonEmptyString
const weight = Schema.Int.pipe(Schema.between(0, 1_000_000))
const seconds = Schema.Int.pipe(Schema.greaterThanOrEqualTo(0))
const percentage = Schema.Int.pipe(Schema.between(0, 100))

const PluginSet = Schema.Struct({
  enabled: Schema.optionalWith(Schema.Array(Schema.Struct({ name, weight: Schema.optional(weight) })), { default: () => [] }),
  disabled: Schema.optionalWith(Schema.Array(Schema.Struct({ name })), { default: () => [] })
})

/**
 * Which plugins take part at a point, beside or instead of those that do anyway; `*` disables all of them.
 *
 * @category models
 */
export type PluginSet = typeof PluginSet.Type

const Plugins = Schema.Struct({
  multiPoint: Schema.optional(PluginSet),
  preEnqueue: Schema.optional(PluginSet),
  queueSort: Schema.optional(PluginSet),
  preFilter: Schema.optional(PluginSet),
  filter: Schema.optional(PluginSet),
  postFilter: Schema.optional(PluginSet),
  preScore: Schema.optional(PluginSet),
  score: Schema.optional(PluginSet),
  reserve: Schema.optional(PluginSet),
  permit: Schema.optional(PluginSet),
  preBind: Schema.optional(PluginSet),
  bind: Schema.optional(PluginSet),
  postBind: Schema.optional(PluginSet)
})

const ProfileConfiguration = Schema.Struct({
  schedulerName: Schema.optionalWith(name, { default: () => "default-scheduler" }),
  percentageOfNodesToScore: Schema.optional(percentage),
  plugins: Schema.optionalWith(Plugins, { default: () => ({}) }),
  pluginConfig: Schema.optionalWith(Schema.Array(Schema.Struct({ name, args: Schema.optionalWith(Schema.Unknown, { default: () => ({}) }) })), {
    default: () => []
  })
})

/**
 * One scheduler by name.
 *
 * @category models
 */
export type ProfileConfiguration = typeof ProfileConfiguration.Type

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const durationText = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/

/** A time as Go writes it, such as `15s` or `1m30s`, in milliseconds. */
const GoDuration = Schema.transformOrFail(Schema.String, Schema.Number, {
  strict: true,
  decode: (text, _, ast) => {
    if (!durationText.test(text)) return ParseResult.fail(new ParseResult.Type(ast, text, `${JSON.stringify(text)} is no time; write it like 15s or 1m30s`))
    let millis = 0
    for (const [, amount = "0", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) millis += Number(amount) * (units[unit] ?? 0)
    return ParseResult.succeed(millis)
  },
  encode: (millis) => ParseResult.succeed(`${String(millis)}ms`)
})

const LeaderElection = Schema.Struct({
  leaderElect: Schema.optional(Schema.Boolean),
  leaseDuration: Schema.optionalWith(GoDuration, { default: () => 15_000 }),
  renewDeadline: Schema.optionalWith(GoDuration, { default: () => 10_000 }),
  retryPeriod: Schema.optionalWith(GoDuration, { default: () => 2_000 }),
  resourceLock: Schema.optionalWith(Schema.Literal("leases"), { default: (): "leases" => "leases" }),
  resourceName: Schema.optionalWith(name, { default: () => "kube-scheduler" }),
  resourceNamespace: Schema.optionalWith(name, { default: () => "kube-system" })
})

const Configuration = Schema.Struct({
  apiVersion: Schema.Literal("kubescheduler.config.k8s.io/v1"),
  kind: Schema.Literal("KubeSchedulerConfiguration"),
  /** Read by the process that has to find its API server. */
  clientConnection: Schema.optionalWith(Schema.Struct({ kubeconfig: Schema.optionalWith(Schema.String, { default: () => "" }) }), {
    default: () => ({ kubeconfig: "" })
  }),
  leaderElection: Schema.optionalWith(LeaderElection, { default: () => Schema.decodeSync(LeaderElection)({}) }),
  percentageOfNodesToScore: Schema.optionalWith(percentage, { default: () => 0 }),
  podInitialBackoffSeconds: Schema.optionalWith(seconds.pipe(Schema.greaterThanOrEqualTo(1)), { default: () => 1 }),
  podMaxBackoffSeconds: Schema.optionalWith(seconds.pipe(Schema.greaterThanOrEqualTo(1)), { default: () => 10 }),
  profiles: Schema.optionalWith(Schema.Array(ProfileConfiguration).pipe(Schema.minItems(1)), {
    default: () => [Schema.decodeSync(ProfileConfiguration)({})]
  })
})

/**
 * A configuration with all its defaults. Times of the leader election are in milliseconds; `leaderElect` is left to the program when it is not given.
 *
 * @category models
 */
export type SchedulerConfiguration = typeof Configuration.Type

const decodeFields = Schema.decodeUnknownEither(Configuration, { errors: "all", onExcessProperty: "error" })

const contradictions = (configuration: SchedulerConfiguration): ReadonlyArray<{ readonly path: string; readonly detail: string }> => {
  const { leaderElection: { leaseDuration, renewDeadline, retryPeriod }, podInitialBackoffSeconds, podMaxBackoffSeconds, profiles } = configuration
  const names = profiles.map(({ schedulerName }) => schedulerName)
  const twice = names.findIndex((each, i) => names.indexOf(each) !== i)
  return [
    ...(podMaxBackoffSeconds < podInitialBackoffSeconds
      ? [{ path: "podMaxBackoffSeconds", detail: `is ${podMaxBackoffSeconds}, less than podInitialBackoffSeconds (${podInitialBackoffSeconds})` }]
      : []),
    ...(renewDeadline >= leaseDuration
      ? [{ path: "leaderElection.renewDeadline", detail: "must be shorter than leaseDuration, or another process leads before this one gives up" }]
      : []),
    ...(retryPeriod >= renewDeadline ? [{ path: "leaderElection.retryPeriod", detail: "must be shorter than renewDeadline" }] : []),
    ...(twice < 0 ? [] : [{ path: `profiles.${twice}.schedulerName`, detail: `${names[twice]} is there already; give each profile its own name` }])
  ]
}

/**
 * Reads a configuration from what a YAML or JSON file holds. Unknown fields are errors: a misspelt one is not silently ignored. The names and arguments of the plugins
 * are looked at when the profiles are made of it, see `ConfiguredProfiles`.
 *
 * @category constructors
 */
export const decode = (value: unknown): Either.Either<SchedulerConfiguration, InvalidSchedulerConfiguration> =>
  Either.flatMap(
    Either.mapLeft(decodeFields(value), (error) => new InvalidSchedulerConfiguration({ problems: DecodeProblems.of(error) })),
    (configuration) => {
      const problems = contradictions(configuration)
      return problems.length === 0 ? Either.right(configuration) : Either.left(new InvalidSchedulerConfiguration({ problems }))
    }
  )

/**
 * What holds without a file.
 *
 * @category constructors
 */
export const defaults: SchedulerConfiguration = Schema.decodeSync(Configuration)({
  apiVersion: "kubescheduler.config.k8s.io/v1",
  kind: "KubeSchedulerConfiguration"
})
