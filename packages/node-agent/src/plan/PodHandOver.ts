/** What of a pod the supervisor is to run next, after a plan has brought its zone up. */
import type { Plan } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type { BringUpError, PodBringUp } from "./PodBringUp.js"

type Supervisor = Pick<SupervisorClient.SupervisorClient["Type"], "submit">
type Known = Option.Option<SupervisorClient.SupervisedPod>

/** Time beyond its grace that a supervisor gets to report that a pod is held, before its zone is halted anyway. */
const slackMillis = 5_000

/** Whether nothing of the pod runs any more, or nobody will say so in time. @category combinators */
export const isHeld = (known: Known, requestId: string, now: number): boolean =>
  Option.match(known, {
    onNone: () => true,
    onSome: ({ spec: { desired }, state }) =>
      Option.exists(state, ({ held }) => held === requestId) || desired.state === "stop"
        || (desired.state === "hold" && now > desired.requestedAt + desired.graceSeconds * 1000 + slackMillis)
  })

/** The specification with other processes, as the plan gives them; the same when it has given them already. */
const given = (spec: Files.PodSpec, plan: string, containers: ReadonlyArray<Files.ContainerSpec>, environment: string): Files.PodSpec => ({
  ...spec,
  ...(spec.generation === plan ? {} : {
    containers,
    environment,
    generation: plan,
    previous: { generation: plan, containers: spec.containers, ...(spec.environment === undefined ? {} : { environment: spec.environment }) }
  }),
  desired: { state: "run" }
})

/** The specification with the processes that the last plan replaced, if that one has given others at all. */
const restored = ({ environment: present, previous, ...spec }: Files.PodSpec, plan: string): Files.PodSpec => {
  const kept = previous !== undefined && previous.generation === spec.generation ? previous : { containers: spec.containers, environment: present }
  const { containers, environment } = spec.generation === plan ? { containers: spec.containers, environment: present } : kept
  return { ...spec, containers, ...(environment === undefined ? {} : { environment }), generation: plan, desired: { state: "run" } }
}

/**
 * The containers with the processes that pod and images say now; those that run are started anew.
 *
 * @category combinators
 */
export const anew = (supervisor: Supervisor, up: PodBringUp, { id }: Plan.Plan, known: Known): Effect.Effect<void, BringUpError> =>
  Option.match(known, {
    onNone: () => up.handOver,
    onSome: ({ spec }) =>
      spec.desired.state === "stop"
        ? Effect.void
        : spec.generation === id
        ? supervisor.submit({ ...spec, desired: { state: "run" } })
        : Effect.flatMap(Effect.all([up.processes, up.environment]), ([containers, environment]) => supervisor.submit(given(spec, id, containers, environment)))
  })

/**
 * Lets the containers run, as the plan means it: for the first time, with another image, with the one before, or as they were.
 *
 * @category combinators
 */
export const of = (supervisor: Supervisor, up: PodBringUp, plan: Plan.Plan, known: Known): Effect.Effect<void, BringUpError> =>
  Option.match(known, {
    onNone: () => up.handOver,
    onSome: ({ spec }): Effect.Effect<void, BringUpError | SupervisorFileFailed> => {
      if (spec.desired.state === "stop") return Effect.void
      // A zone that is booted for its configuration shows its containers what is configured now.
      if (plan.type === "image-update" || (plan.type === "restart" && plan.reason.some(({ kind }) => kind === "config"))) return anew(supervisor, up, plan, known)
      if (plan.type === "rollback") return supervisor.submit(restored(spec, plan.id))
      // What was handed over stays as it is; what has changed of its environments since is in a file beside it.
      return spec.desired.state === "hold" ? supervisor.submit({ ...spec, desired: { state: "run" } }) : Effect.void
    }
  })
