/** The task by which the containers of a pod that runs get other processes: they are held, and started anew from what is configured now. */
import { PlanError, type PlanTask, TaskHandler } from "@reddwarf/plans"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { BringUpError } from "./PodBringUp.js"
import * as PodHandOver from "./PodHandOver.js"
import type { Work } from "./ZoneTasks.js"

/** How often it is looked whether the time of containers that are asked to end is over, in ms. */
const poll = 1000

const type = "reload-or-restart" satisfies PlanTask.TaskType

const failed = ({ _tag, message }: SupervisorFileFailed) => new PlanError.TaskFailed({ task: type, reason: _tag, detail: message })

/** Whether the plan has given them their processes, or they shall not run again anyway. */
const isGiven = (known: Option.Option<SupervisorClient.SupervisedPod>, plan: string): boolean =>
  Option.exists(known, ({ spec: { desired, generation } }) => desired.state === "stop" || (generation === plan && desired.state === "run"))

/** @category constructors */
export const handler = (
  supervisor: Pick<SupervisorClient.SupervisorClient["Type"], "hold" | "read" | "submit">,
  work: (type: PlanTask.TaskType, run: (work: Work) => Effect.Effect<void, BringUpError>) => TaskHandler.TaskHandler["execute"]
): TaskHandler.TaskHandler =>
  TaskHandler.make({
    type,
    execute: work(type, ({ context: { plan }, identity: { uid }, known, params: { graceSeconds }, up }) =>
      Effect.gen(function*() {
        if (isGiven(known, plan.id)) return
        const now = yield* Clock.currentTimeMillis
        // What they shall be given is worked out while they run: where that fails, nothing was stopped.
        yield* Effect.zipRight(up.processes, up.environment)
        // Given before a crash, or never handed over; or all have ended.
        if (Option.isNone(known) || Option.exists(known, ({ spec }) => spec.generation === plan.id) || isHeldBy(known, plan.id, now)) {
          yield* PodHandOver.anew(supervisor, up, plan, known)
          return
        }
        yield* supervisor.hold(uid, { requestId: plan.id, requestedAt: now, graceSeconds: typeof graceSeconds === "number" ? graceSeconds : 30 })
      })),
    // The end of the containers is noticed at once; nobody tells when their time is over.
    status: (_, { instance, plan }) =>
      Effect.mapBoth(supervisor.read(instance.spec.podUID), {
        onFailure: failed,
        onSuccess: (known) => isGiven(known, plan.id) ? TaskHandler.complete : { ...TaskHandler.running, delay: poll }
      })
  })

const isHeldBy = (known: Option.Option<SupervisorClient.SupervisedPod>, plan: string, now: number): boolean =>
  Option.exists(known, ({ spec: { desired } }) => desired.state === "hold" && desired.requestId === plan) && PodHandOver.isHeld(known, plan, now)
