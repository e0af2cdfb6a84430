/** What a node answers to its balancer: the checks of the present configuration, looked at on demand. No sockets here. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type * as AgentCheck from "./AgentCheck.js"
import * as CheckEvaluator from "./CheckEvaluator.js"
import * as Checks from "./Checks.js"
import * as CheckSelection from "./CheckSelection.js"
import type * as Drain from "./Drain.js"
import type * as HealthCheck from "./HealthCheck.js"
import * as HealthConfig from "./HealthConfig.js"
import type { HealthMetrics } from "./HealthMetrics.js"
import type * as HostReader from "./HostReader.js"
import * as NodeSource from "./NodeSource.js"
import * as NodeWatch from "./NodeWatch.js"

/** @category models */
export interface Options {
  readonly host: HostReader.Service
  readonly metrics: HealthMetrics
  readonly drain: Drain.Drain
  /** The settings as they are now, all layers merged; read at the start and at each reload. */
  readonly load: Effect.Effect<unknown, { readonly message: string }>
  /** How the API server is reached; failing means that no client can be built. */
  readonly connection: (config: HealthConfig.HealthConfig) => Effect.Effect<NodeSource.Connection, { readonly message: string }, Scope.Scope>
  readonly fstab?: string
  /** Checks of one's own. */
  readonly checks?: ReadonlyArray<HealthCheck.HealthCheck>
}

/** Status and JSON of an answer. @category models */
export interface Answer {
  readonly status: 200 | 400 | 500 | 503
  readonly body: string
}

/** @category models */
export interface Health {
  /** The answer to `GET /health` with this query string (without `?`). */
  readonly answer: (query: string) => Effect.Effect<Answer>
  /** One evaluation of the default checks, for the agent-check. */
  readonly evaluation: Effect.Effect<AgentCheck.Evaluation>
  /** The settings in force; undefined when those at the start were invalid. */
  readonly config: () => HealthConfig.HealthConfig | undefined
  /** Where to listen, also with invalid settings. */
  readonly listen: HealthConfig.Address
  /** Reads the settings again. Invalid ones are logged, and the old ones stay. */
  readonly reload: Effect.Effect<Either.Either<void, string>>
  /** From now on every answer is 503. */
  readonly shutDown: () => void
  readonly isShuttingDown: () => boolean
}

/** One set of settings with what was made from it. */
interface Generation {
  readonly config: HealthConfig.HealthConfig
  readonly checks: Checks.Checks
  readonly scope: Scope.CloseableScope
}

/** Results this old still serve a node that is asked too often. */
const overloadAge = Duration.seconds(10)

const pseudo = (name: string, reason: string): CheckEvaluator.CheckResult => ({ name, passed: false, reason, duration_ms: 0, observed: "fail" })

const failed = (status: 400 | 500, error: string): Answer => ({
  status,
  body: JSON.stringify({ status: "not-ready", checks: [], total_duration_ms: 0, error })
})

const shown = (results: ReadonlyArray<CheckEvaluator.CheckResult>, totalMillis: number): Answer => {
  const ready = results.every(({ passed }) => passed)
  return {
    status: ready ? 200 : 503,
    body: JSON.stringify({ status: ready ? "ready" : "not-ready", checks: results, total_duration_ms: Math.max(0, Math.round(totalMillis)) })
  }
}

/** What takes effect only where the sockets are opened. */
const socketsOf = ({ agent_check_port, listen, tls }: HealthConfig.HealthConfig): string => JSON.stringify([listen, agent_check_port, tls ?? null])

const deadlineOf = (config: HealthConfig.HealthConfig, checks: ReadonlyArray<HealthCheck.HealthCheck>): Duration.Duration =>
  Duration.millis(Math.max(Duration.toMillis(config.request_deadline), ...checks.map(({ timeout }) => Duration.toMillis(timeout) + 500)))

/** Of an unknown name only so much is repeated that the reason stays within its limit. */
const unknownCheck = (name: string) => pseudo(name, `Unknown check: ${name}`)

const nodeSource = (config: HealthConfig.HealthConfig, connect: Options["connection"]): Effect.Effect<NodeSource.NodeSource, never, Scope.Scope> => {
  const { node_name: name } = config
  if (name === undefined || name === "") return Effect.succeed(NodeSource.never("the name of the node is not set"))
  return connect(config).pipe(
    Effect.flatMap((connection) => config.node_watch ? NodeWatch.make(connection, name) : Effect.succeed(NodeSource.polling(connection, name))),
    Effect.catchAll((error) => Effect.succeed(NodeSource.never(`no client can be built: ${error.message}`)))
  )
}

const build = (config: HealthConfig.HealthConfig, { checks, connection, fstab, host, metrics }: Options): Effect.Effect<Generation> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const node = yield* Scope.extend(nodeSource(config, connection), scope)
    const extra = { ...(fstab === undefined ? {} : { fstab }), ...(checks === undefined ? {} : { extra: checks }) }
    return { config, checks: Checks.make(config, { host, node, metrics, ...extra }), scope }
  })

/** The settings as they are now, and what is wrong with them when they cannot be used. */
const read = (load: Options["load"]) =>
  Effect.gen(function*() {
    const raw = yield* Effect.either(load)
    return {
      raw: Either.getOrElse(raw, () => undefined),
      config: Either.isLeft(raw) ? Either.left(raw.left.message) : Either.mapLeft(HealthConfig.decode(raw.right), ({ message }) => message)
    }
  })

/**
 * The health of this node for as long as the scope lives.
 *
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Health, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { drain, metrics } = options
    const evaluator = yield* CheckEvaluator.make(metrics)
    let generation: Generation | undefined
    let invalid = "the settings have not been read"
    let shuttingDown = false
    let inFlight = 0

    const first = yield* read(options.load)
    metrics.set("config_valid", Either.isRight(first.config) ? 1 : 0)
    if (Either.isRight(first.config)) generation = yield* build(first.config.right, options)
    else {
      invalid = first.config.left
      yield* Effect.logError(`every answer is 500 until the settings are corrected and read again: ${invalid}`)
    }
    yield* Effect.addFinalizer(() => generation === undefined ? Effect.void : Scope.close(generation.scope, Exit.void))

    const reload = Effect.gen(function*() {
      const { config } = yield* read(options.load)
      metrics.set("config_valid", Either.isRight(config) ? 1 : 0)
      if (Either.isLeft(config)) {
        if (generation === undefined) invalid = config.left
        yield* Effect.logError(`the settings are not taken over, the old ones stay: ${config.left}`)
        return Either.left(config.left)
      }
      const old = generation
      generation = yield* build(config.right, options)
      yield* evaluator.reset
      if (old !== undefined) yield* Scope.close(old.scope, Exit.void)
      if (old !== undefined && socketsOf(old.config) !== socketsOf(config.right)) yield* Effect.logWarning("listen, agent_check_port and tls take effect at the next start")
      yield* Effect.logInfo("the settings were read again")
      return Either.right(undefined)
    }).pipe(Effect.uninterruptible)

    const evaluate = ({ checks: known, config }: Generation, names: ReadonlyArray<string>): Effect.Effect<Answer> =>
      Effect.gen(function*() {
        const begun = yield* Clock.currentTimeMillis
        const found = names.map((name) => ({ name, check: known.find(name) }))
        const checks = found.flatMap(({ check }) => check === undefined ? [] : [check])
        const nameless = (config.node_name ?? "") === "" ? checks.find(({ needsNodeName }) => needsNodeName) : undefined
        if (nameless !== undefined) return failed(500, `the check ${nameless.name} needs the name of the node: set NODE_NAME`)
        for (const { check } of found) if (check === undefined) metrics.set("check_passed", 0, { check: "other" })
        const results = inFlight > config.max_in_flight
          ? yield* evaluator.last(checks, overloadAge)
          : yield* evaluator.evaluate(checks, deadlineOf(config, checks))
        const ended = yield* Clock.currentTimeMillis
        if (results === undefined) return shown([pseudo("overload", "overloaded")], ended - begun)
        const byName = new Map(results.map((result) => [result.name, result]))
        return shown(found.map(({ name }) => byName.get(name) ?? unknownCheck(name)), ended - begun)
      })

    const answer = (query: string): Effect.Effect<Answer> => {
      const names = CheckSelection.parse(query)
      if (Either.isLeft(names)) return Effect.succeed(failed(400, names.left))
      if (generation === undefined) return Effect.succeed(failed(500, invalid))
      if (shuttingDown) return Effect.succeed(shown([pseudo("shutdown", "shutting down")], 0))
      const drained = drain.current()
      if (drained !== undefined) return Effect.succeed(shown([pseudo("drain", `drained by operator: ${drained.reason}`)], 0))
      return evaluate(generation, names.right ?? generation.config.default_checks)
    }

    return {
      answer: (query) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            inFlight += 1
            metrics.set("in_flight", inFlight)
          }),
          () => Effect.suspend(() => answer(query)),
          () =>
            Effect.sync(() => {
              inFlight -= 1
              metrics.set("in_flight", inFlight)
            })
        ).pipe(Effect.tap(({ status }) => Effect.sync(() => metrics.add("requests_total", 1, { code: String(status) })))),
      evaluation: Effect.suspend((): Effect.Effect<AgentCheck.Evaluation> => {
        if (generation === undefined) return Effect.succeed({ failure: "the settings are invalid", cordoned: false })
        const { checks: known, config } = generation
        const named = config.node_name !== undefined && config.node_name !== ""
        const wanted = config.default_checks.map((name) => ({ name, check: known.find(name) }))
        const missing = wanted.find(({ check }) => check === undefined || (check.needsNodeName && !named))
        if (missing !== undefined) return Effect.succeed({ failure: missing.check === undefined ? `Unknown check: ${missing.name}` : "the name of the node is not set", cordoned: false })
        const checks = wanted.flatMap(({ check }) => check === undefined ? [] : [check])
        const cordon = named ? known.find("schedulable") : undefined
        return Effect.map(
          evaluator.evaluate([...checks, ...(cordon === undefined ? [] : [cordon])], deadlineOf(config, checks)),
          (results) => {
            const failure = results.find(({ name, passed }) => !passed && config.default_checks.includes(name))
            return {
              ...(failure === undefined ? {} : { failure: failure.reason ?? failure.name }),
              cordoned: results.some(({ name, observed }) => name === "schedulable" && observed === "fail")
            }
          }
        )
      }),
      config: () => generation?.config,
      listen: Either.match(first.config, { onLeft: () => HealthConfig.listenOf(first.raw), onRight: ({ listen }) => listen }),
      reload,
      shutDown: () => {
        shuttingDown = true
      },
      isShuttingDown: () => shuttingDown
    }
  })
