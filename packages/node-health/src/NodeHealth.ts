/** The whole endpoint as one process: sockets, control, reloads, and an orderly end that a balancer notices in time. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as AgentCheck from "./AgentCheck.js"
import * as AgentCheckServer from "./AgentCheckServer.js"
import * as AgentStatus from "./AgentStatus.js"
import * as Drain from "./Drain.js"
import * as Health from "./Health.js"
import type * as HealthCheck from "./HealthCheck.js"
import * as HealthConfig from "./HealthConfig.js"
import type { HealthMetrics } from "./HealthMetrics.js"
import * as HealthServer from "./HealthServer.js"
import * as HostReader from "./HostReader.js"

/** @category models */
export interface Options {
  readonly metrics: HealthMetrics
  /** The settings as they are now, all layers merged. */
  readonly load: Health.Options["load"]
  readonly connection: Health.Options["connection"]
  /** Checks of one's own. */
  readonly checks?: ReadonlyArray<HealthCheck.HealthCheck>
  /** Resolves each time somebody asks for the settings to be read again, as by SIGHUP. */
  readonly reloads?: Effect.Effect<void>
  /** Resolves when the end must not wait, as by a second SIGTERM. */
  readonly hurry?: Effect.Effect<void>
}

/** A running endpoint. @category models */
export interface NodeHealth {
  readonly port: number
  /** Of the agent-check; none when it is off. */
  readonly agentCheckPort: number | undefined
  readonly health: Health.Health
  /** Answers 503 for the time of `drain_seconds`, less when hurried. */
  readonly lameDuck: Effect.Effect<void>
}

/** Files that are read once, at the start. */
const optionalFile = (path: string): string | undefined => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** Certificate and key; left says what is wrong with the files. */
const readTls = (config: HealthConfig.HealthConfig): Either.Either<{ readonly cert: string; readonly key: string } | undefined, string> => {
  if (config.tls === undefined) return Either.right(undefined)
  const cert = optionalFile(config.tls.cert)
  const key = optionalFile(config.tls.key)
  if (cert === undefined) return Either.left(`tls.cert: ${config.tls.cert} cannot be read`)
  return key === undefined ? Either.left(`tls.key: ${config.tls.key} cannot be read`) : Either.right({ cert, key })
}

const replyTo = (health: Health.Health, drain: Drain.Drain) => (command: Drain.Command): Effect.Effect<Drain.Reply> =>
  Effect.gen(function*() {
    const state = () => {
      const drained = drain.current()
      return drained === undefined ? {} : { drained }
    }
    if (command.command === "reload") {
      return Either.match(yield* health.reload, {
        onLeft: (problem): Drain.Reply => ({ ok: false, message: problem, ...state() }),
        onRight: (): Drain.Reply => ({ ok: true, message: "the settings were read again", ...state() })
      })
    }
    if (command.command !== "status") {
      const kept = yield* command.command === "drain" ? drain.drain(command.reason) : drain.undrain
      yield* Effect.logInfo(command.command === "drain" ? `drained by operator: ${drain.current()?.reason ?? ""}` : "no longer drained")
      if (kept._tag === "Some") return { ok: false, message: `in force now, but lost at the next start: ${kept.value.message}`, ...state() }
    }
    if (health.isShuttingDown()) return { ok: true, message: "shutting down", ...state() }
    const drained = drain.current()
    if (drained !== undefined) return { ok: true, message: `drained: ${drained.reason}`, drained }
    const { body, status } = yield* health.answer("")
    return { ok: true, message: `${status} ${body}` }
  })

/**
 * Starts everything for as long as the scope lives. Settings that are invalid do not keep it from starting: it answers 500.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<NodeHealth, Drain.ControlFailed | HealthServer.ListenFailed, HostReader.HostReader | Scope.Scope> =>
  Effect.gen(function*() {
    const host = yield* HostReader.HostReader
    const { metrics } = options
    // Needed before the settings are known to be good: an invalid setting elsewhere must not lose a drain.
    const raw = yield* Effect.orElseSucceed(options.load, () => undefined)
    const folder = Either.match(HealthConfig.decode(raw), { onLeft: () => HealthConfig.defaults.state_dir, onRight: ({ state_dir: dir }) => dir })
    const drain = yield* Drain.make(folder, host.files, metrics)
    const fstab = host.platform === "linux" ? optionalFile("/etc/fstab") : undefined
    const load = Effect.flatMap(options.load, (raw) =>
      Either.match(Either.flatMap(HealthConfig.decode(raw), (config) => Either.mapLeft(readTls(config), (detail) => new HealthConfig.ConfigInvalid({ detail }))), {
        onLeft: (error) => Effect.fail(error),
        onRight: () => Effect.succeed(raw)
      }))
    const health = yield* Health.make({
      host,
      metrics,
      drain,
      load,
      connection: options.connection,
      ...(fstab === undefined ? {} : { fstab }),
      ...(options.checks === undefined ? {} : { checks: options.checks })
    })
    const config = health.config()
    const tls = config === undefined ? undefined : Either.getOrUndefined(readTls(config))
    const address = config === undefined ? HealthConfig.listenOf(raw) : health.listen
    const server = yield* HealthServer.make({
      ...address,
      health,
      metrics,
      ...(tls === undefined ? {} : { tls }),
      allowed: () => health.config()?.allow_cidrs ?? HealthConfig.defaults.allow_cidrs
    })
    yield* Drain.serve(folder, replyTo(health, drain))
    if (options.reloads !== undefined) yield* Effect.forkScoped(Effect.forever(Effect.zipRight(options.reloads, health.reload)))

    let pods = { pods: 0, maxPods: 0 }
    const countPods = Effect.suspend(() => {
      const folder = health.config()?.agent_data_dir
      if (folder === undefined || health.config()?.weight_from !== "pods") return Effect.void
      return host.files.read(join(folder, AgentStatus.fileName)).pipe(
        Effect.timeout("1 second"),
        Effect.map((text) => {
          pods = AgentStatus.decode(text) ?? pods
        }),
        // The last number known is good enough for a weight.
        Effect.ignore
      )
    })
    const weight = (): number => {
      const from = health.config()?.weight_from ?? "none"
      if (from === "load") return AgentCheck.weightOfLoad(host.load())
      return from === "pods" && pods.maxPods > 0 ? AgentCheck.weightOfPods(pods.pods, pods.maxPods) : 100
    }
    const agent = config === undefined || config.agent_check_port === 0 ? undefined : yield* AgentCheckServer.make({
      host: address.host,
      port: config.agent_check_port,
      evaluation: Effect.zipRight(countPods, health.evaluation),
      override: () => ({ shuttingDown: health.isShuttingDown(), drained: drain.current() !== undefined, weight: weight() }),
      mayAsk: (peer) => {
        const ranges = health.config()?.allow_cidrs ?? []
        return ranges.length === 0 || HealthServer.inRanges(ranges)(peer)
      }
    })
    yield* Effect.logInfo(`answers on ${address.host}:${server.port}`)
    return {
      port: server.port,
      agentCheckPort: agent?.port,
      health,
      lameDuck: Effect.suspend(() => {
        health.shutDown()
        const seconds = health.config()?.drain_seconds ?? HealthConfig.defaults.drain_seconds
        const wait = Effect.zipRight(Effect.logInfo(`shutting down: 503 for ${seconds} s, then the end`), Effect.sleep(`${seconds} seconds`))
        // This runs while the fibre is being interrupted; both sides of the race must still be able to lose.
        return options.hurry === undefined ? wait : Effect.raceFirst(Effect.interruptible(wait), Effect.interruptible(options.hurry))
      })
    }
  })

/**
 * Runs the endpoint until interrupted; then it is a lame duck first, so that balancers take the node out before its socket closes.
 *
 * @category constructors
 */
export const run = (options: Options): Effect.Effect<never, Drain.ControlFailed | HealthServer.ListenFailed, HostReader.HostReader> =>
  Effect.scoped(Effect.flatMap(make(options), ({ lameDuck }) => Effect.onInterrupt(Effect.never, () => lameDuck)))
