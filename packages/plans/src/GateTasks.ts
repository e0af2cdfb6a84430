/** The tasks that this package carries out itself, because all they need are the gates and the status. */
import { Timestamp } from "@reddwarf/api-types"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Conditions from "./Conditions.js"
import { Gate } from "./Gate.js"
import * as Gates from "./Gate.js"
import type { GateAnswer, GateClient, GateClientUnavailable } from "./GateClient.js"
import * as GateProbe from "./GateProbe.js"
import { TaskFailed } from "./PlanError.js"
import type { TaskHandler, TaskProgress } from "./TaskHandler.js"
import * as TaskHandlers from "./TaskHandler.js"
import type { ZoneInstance } from "./ZoneInstance.js"

/** How a client for the gates of a zone is got; absent where gates are not handled. @category models */
export type ClientOf = ((instance: ZoneInstance) => Effect.Effect<GateClient, GateClientUnavailable>) | undefined

/** Wait between two looks of `open-gates` at gates that are closed, in ms. */
const openingPoll = 1000

type Approved =
  | { readonly _tag: "Approved" }
  | { readonly _tag: "Again"; readonly detail: string }
  | { readonly _tag: "Refused"; readonly detail: string }

/** What the answer to an approval means. A conflict says that the approval is known already. @category combinators */
export const judgeApproval = (answer: GateAnswer): Approved => {
  if (answer._tag === "Unreachable") return { _tag: "Again", detail: answer.detail }
  const { code } = answer
  if (answer._tag === "Exit") {
    return code === 0 ? { _tag: "Approved" } : { _tag: "Refused", detail: `the command of the approval ended with code ${code}` }
  }
  if ((code >= 200 && code <= 299) || code === 409) return { _tag: "Approved" }
  return code >= 400 && code <= 499 && code !== 429
    ? { _tag: "Refused", detail: `the approval was refused with status ${code}` }
    : { _tag: "Again", detail: `the approval was answered with status ${code}` }
}

const approve = (client: GateClient, gate: Gate, taskId: string): Effect.Effect<Approved> =>
  client.approve(gate, taskId).pipe(
    Effect.disconnect,
    Effect.timeoutTo({
      duration: GateProbe.probeTimeout,
      onSuccess: (answer: GateAnswer) => answer,
      onTimeout: (): GateAnswer => ({ _tag: "Unreachable", detail: `no answer within ${GateProbe.probeTimeout / 1000} s` })
    }),
    Effect.map(judgeApproval)
  )

const fromUnavailable = (task: "open-gates" | "approve-gate") => (error: GateClientUnavailable) =>
  new TaskFailed({ task, reason: "ClientUnavailable", detail: error.message })

const openGates = (clientOf: ClientOf): TaskHandler =>
  TaskHandlers.make({
    type: "open-gates",
    execute: () => Effect.void,
    status: Effect.fnUntraced(function*(_params, { instance, plan, task }) {
      const gates = (plan.target.gates ?? []).filter(({ approval }) => approval === "Always")
      if (clientOf === undefined || gates.length === 0) return TaskHandlers.complete
      const client = yield* Effect.mapError(clientOf(instance), fromUnavailable("open-gates"))
      const closed = yield* Effect.filter(gates, (gate) => Effect.map(GateProbe.ask(client, gate), ({ status }) => status !== "True"), {
        concurrency: 8
      })
      if (closed.length === 0) return TaskHandlers.complete
      const still = yield* Effect.filter(closed, (gate) =>
        Effect.gen(function*() {
          if ((yield* GateProbe.ask(client, gate)).status !== "False") return true
          const answer = yield* approve(client, gate, task.id)
          if (answer._tag === "Refused") {
            return yield* new TaskFailed({ task: "open-gates", reason: "ApprovalRefused", detail: `gate ${gate.name}: ${answer.detail}` })
          }
          return (yield* GateProbe.ask(client, gate)).status !== "True"
        }), { concurrency: 8 })
      return still.length === 0 ? TaskHandlers.complete : { _tag: "Running", delay: openingPoll } satisfies TaskProgress
    })
  })

const decodeGate = Schema.decodeUnknownOption(Gate)

const approveGate = (clientOf: ClientOf): TaskHandler =>
  TaskHandlers.make({
    type: "approve-gate",
    execute: () => Effect.void,
    status: Effect.fnUntraced(function*({ gate: param }, { instance, task }) {
      const gate = decodeGate(param)
      // Its policy was looked at, and a single approval used up, when the plan was made.
      if (clientOf === undefined || Option.isNone(gate) || !(instance.spec.gates ?? []).some(({ name }) => name === gate.value.name)) {
        return yield* new TaskFailed({ task: "approve-gate", reason: "NoGate", detail: "the pod has no such gate any more", terminal: true })
      }
      const client = yield* Effect.mapError(clientOf(instance), fromUnavailable("approve-gate"))
      const answer = yield* approve(client, gate.value, task.id)
      if (answer._tag === "Approved") return TaskHandlers.complete
      const detail = `gate ${gate.value.name}: ${answer.detail}`
      return answer._tag === "Refused"
        ? TaskHandlers.failed(new TaskFailed({ task: "approve-gate", reason: "ApprovalRefused", detail }))
        : yield* new TaskFailed({ task: "approve-gate", reason: "Unreachable", detail })
    })
  })

/** A gate that was seen to close since the soak began. */
const closedSince = ({ spec, status }: ZoneInstance, since: number): string | undefined =>
  (spec.gates ?? []).find(({ name }) => {
    const condition = Conditions.get(status ?? {}, Gates.conditionType(name))
    return condition?.status === "False" && condition.reason === "NotReady" && (Timestamp.toMillis(condition.lastTransitionTime) ?? 0) > since
  })?.name

/**
 * Waits until the zone ran for `soakSeconds` without a container restart and without a gate that closed again. Its params get `restarts`,
 * the count from which on a restart is one too many, at the first look after it began.
 */
const soak: TaskHandler = TaskHandlers.make({
  type: "soak",
  execute: () => Effect.void,
  status: Effect.fnUntraced(function*({ restarts, soakSeconds }, { instance, task }) {
    const now = yield* Clock.currentTimeMillis
    const since = Timestamp.toMillis(task.submittedAt) ?? now
    if (typeof restarts !== "number") return { _tag: "Running", delay: 1 } satisfies TaskProgress
    const fault = (reason: string, detail: string) => TaskHandlers.failed(new TaskFailed({ task: "soak", reason, detail }))
    const seen = instance.status?.restarts ?? 0
    if (seen > restarts) return fault("ContainerRestarted", "a container restarted after the update")
    const gate = closedSince(instance, since)
    if (gate !== undefined) return fault("GateClosed", `gate ${gate} closed after the update`)
    const left = since + (typeof soakSeconds === "number" ? soakSeconds * 1000 : 0) - now
    return left <= 0 ? TaskHandlers.complete : { _tag: "Running", delay: Math.min(left, 5000) } satisfies TaskProgress
  })
})

/** @category constructors */
export const make = (clientOf: ClientOf): ReadonlyArray<TaskHandler> => [openGates(clientOf), approveGate(clientOf), soak]
