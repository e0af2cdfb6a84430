/** Checks that read the own Node object: `node_ready`, `custom_conditions`, `schedulable`. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HealthCheck from "../HealthCheck.js"
import type { NodeAnswer, NodeCondition, NodeSource, NodeView } from "../NodeSource.js"
import * as Observation from "../Observation.js"

const conditionsOf = (node: NodeView): ReadonlyArray<NodeCondition> => node.status?.conditions ?? []

/** What `node_ready` makes of an answer: observed bad fails, not observed is unknown. @category combinators */
export const readiness = (answer: NodeAnswer): Observation.Observation => {
  if (answer._tag === "Unavailable") return Observation.unknown(`API server: ${answer.detail}`)
  if (answer._tag === "NotFound") return Observation.fail("node not found")
  const ready = conditionsOf(answer.node).find(({ type }) => type === "Ready")
  if (ready === undefined) return Observation.fail("the node has no Ready condition")
  if (ready.status === "True") return Observation.pass()
  const otherwise = ready.status === "Unknown" ? "NodeStatusUnknown" : "NotReady"
  return Observation.fail(ready.reason === undefined || ready.reason === null || ready.reason === "" ? otherwise : ready.reason)
}

/** What `schedulable` makes of an answer. @category combinators */
export const schedulability = (answer: NodeAnswer): Observation.Observation => {
  if (answer._tag === "Unavailable") return Observation.unknown(`API server: ${answer.detail}`)
  if (answer._tag === "NotFound") return Observation.fail("node not found")
  return answer.node.spec?.unschedulable === true ? Observation.fail("the node is cordoned") : Observation.pass()
}

/** Types of conditions and the status that is bad. @category models */
export type BadConditions = Readonly<Record<string, "True" | "False">>

/** Conditions of node-problem-detector, the kubelet and this project that mean a broken node. @category models */
export const defaultConditions: BadConditions = {
  KernelDeadlock: "True",
  ReadonlyFilesystem: "True",
  XfsShutdown: "True",
  FrequentKubeletRestart: "True",
  FrequentContainerdRestart: "True",
  KubeletUnhealthy: "True",
  ContainerRuntimeUnhealthy: "True",
  NetworkUnavailable: "True",
  ZpoolSuspended: "True",
  FmaFaulty: "True"
}

/**
 * What `custom_conditions` makes of a Node at `now`: absent types pass; Unknown, and heartbeats older than the limit, are unknown.
 *
 * @category combinators
 */
export const conditions = (node: NodeView, bad: BadConditions, maxHeartbeatAge: Duration.Duration | undefined, now: number): Observation.Observation => {
  const found = conditionsOf(node).filter(({ type }) => bad[type] !== undefined)
  const isOld = ({ lastHeartbeatTime }: NodeCondition): boolean => {
    const at = Date.parse(lastHeartbeatTime ?? "")
    return maxHeartbeatAge !== undefined && !Number.isNaN(at) && now - at > Duration.toMillis(maxHeartbeatAge)
  }
  const failing = found.filter((condition) => condition.status === bad[condition.type] && !isOld(condition))
  const describe = (listed: ReadonlyArray<NodeCondition>) =>
    listed.slice(0, 3).map(({ reason, status, type }) => `type=${type} status=${status} reason=${reason ?? ""}`).join(", ")
  if (failing.length > 0) return Observation.fail(describe(failing))
  const unclear = found.filter((condition) => condition.status === "Unknown" || isOld(condition))
  return unclear.length > 0 ? Observation.unknown(describe(unclear)) : Observation.pass()
}

/** A known fault stays one for so long when the API is lost, in milliseconds. */
const stickyMillis = 60_000

const second = Duration.seconds(1)

/** The answer just before the time limit of the check: silence of the API is to be told from a check that does not end. */
const asked = (source: NodeSource, timeout: Duration.Duration): Effect.Effect<NodeAnswer> => {
  const millis = Math.round(Duration.toMillis(timeout) * 0.95)
  const late: NodeAnswer = { _tag: "Unavailable", detail: `no answer within ${millis} ms` }
  return Effect.timeoutTo(source.read, { duration: millis, onSuccess: (answer) => answer, onTimeout: () => late })
}

/** At most one warning in a minute: a balancer asks every few seconds. */
const warnings = () => {
  let warnedAt: number | undefined
  return (detail: string): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (warnedAt !== undefined && now - warnedAt < 60_000) return Effect.void
      warnedAt = now
      return Effect.logWarning(`the API server does not tell about this node; its readiness is taken as given: ${detail}`)
    })
}

/**
 * `node_ready`: the condition Ready. Fails open when the API cannot be asked.
 *
 * @category constructors
 */
export const nodeReady = (source: NodeSource, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck => {
  const warn = warnings()
  return HealthCheck.make(
    { name: "node_ready", timeout: second, cacheTtl: second, onUnknown: "pass", needsNodeName: true },
    tuning,
    (timeout) => {
      return asked(source, timeout).pipe(
        Effect.tap((answer) => answer._tag === "Unavailable" ? warn(answer.detail) : Effect.void),
        Effect.map(readiness)
      )
    }
  )
}

/** `schedulable`: fails while the node is cordoned. @category constructors */
export const schedulable = (source: NodeSource, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck =>
  HealthCheck.make(
    { name: "schedulable", timeout: second, cacheTtl: second, onUnknown: "pass", needsNodeName: true },
    tuning,
    () => Effect.map(source.read, schedulability)
  )

/** @category models */
export interface ConditionOptions {
  readonly bad?: BadConditions
  readonly maxHeartbeatAge?: Duration.Duration
}

/**
 * `custom_conditions`: conditions that others report. A fault seen within the last minute stays one while the API cannot be asked.
 *
 * @category constructors
 */
export const customConditions = (source: NodeSource, options: ConditionOptions = {}, tuning?: HealthCheck.Tuning): HealthCheck.HealthCheck => {
  let seen: { readonly observation: Observation.Observation; readonly at: number } | undefined
  return HealthCheck.make(
    { name: "custom_conditions", timeout: second, cacheTtl: Duration.seconds(5), onUnknown: "pass", needsNodeName: true },
    tuning,
    (timeout) =>
      Effect.gen(function*() {
        const answer = yield* asked(source, timeout)
        const now = yield* Clock.currentTimeMillis
        if (answer._tag === "Unavailable") {
          return seen !== undefined && seen.observation.observed === "fail" && now - seen.at <= stickyMillis
            ? Observation.fail(seen.observation.reason ?? "", `last seen ${Math.round((now - seen.at) / 1000)} s ago; API server: ${answer.detail}`)
            : Observation.unknown(`API server: ${answer.detail}`)
        }
        if (answer._tag === "NotFound") return Observation.fail("node not found")
        const observation = conditions(answer.node, options.bad ?? defaultConditions, options.maxHeartbeatAge, now)
        seen = { observation, at: now }
        return observation
      })
  )
}
