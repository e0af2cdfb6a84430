/** The tasks by which a zone gets another root: it keeps its name, its address, its volumes; its containers are started anew. */
import type { CoreV1 } from "@reddwarf/api-types"
import { type Plan, PlanError, type PlanTask, TaskHandler } from "@reddwarf/plans"
import { Timestamp } from "@reddwarf/api-types"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type * as PodBringUp from "./PodBringUp.js"
import type { BringUpError } from "./PodBringUp.js"
import * as WantedInstance from "./WantedInstance.js"
import type { Services, Work } from "./ZoneTasks.js"

/** Image ids by container, of what the supervisor was given. @category combinators */
export const digestsOf = ({ containers }: Files.PodSpec): Readonly<Record<string, string>> =>
  Object.fromEntries(containers.flatMap(({ imageID, name }) => imageID === undefined ? [] : [[name, imageID] as const]))

/**
 * What a plan finds of a pod: but for plans that bring it up with what it names now, its containers keep the images that they were given, also
 * when it names others by now.
 *
 * @category combinators
 */
export const presentOf = (plan: Plan.Plan, known: Option.Option<SupervisorClient.SupervisedPod>): PodBringUp.Present =>
  Option.match(known, {
    onNone: () => ({ isNew: true }),
    onSome: ({ spec }) => ({
      isNew: false,
      ...(plan.type === "init" || plan.type === "image-update" ? {} : { images: plan.type === "rollback" ? plan.target.digests : digestsOf(spec) })
    })
  })

/** Removes the roots of containers that are of other images. What cannot be removed now goes with the next update, or with the pod. @category combinators */
export const dropOthers = (sandbox: Services["sandbox"], identity: Files.PodIdentity, images: Plan.Digests): Effect.Effect<void> =>
  Effect.catchAll(sandbox.roots.dropOthers(identity, images), (error) => Effect.logWarning("former roots of containers were not removed", error))

/** Removes what was kept of roots for a change that is over. What cannot be removed now goes with the next update, or with the pod. @category combinators */
export const dropSnapshots = (sandbox: Services["sandbox"], identity: Files.PodIdentity): Effect.Effect<void> =>
  Effect.catchAll(sandbox.roots.dropSnapshots(identity), (error) => Effect.logWarning("snapshots of the roots of a zone were not removed", error))

/** Containers that came to an end since the plan began, though they should have run on. */
const ended = (pod: CoreV1.Pod, spec: Files.PodSpec, state: Files.PodState | undefined, since: number): ReadonlyArray<string> =>
  spec.containers.flatMap(({ kind, name }) => {
    const found = state?.containers.find((container) => container.name === name)
    if (found === undefined || kind === "init" || kind === "ephemeral") return []
    // Those that the plan itself has ended were started before it.
    const again = found.exits.some((exit) => exit.startedAt >= since && (exit.exitCode !== 0 || pod.spec?.restartPolicy !== "Never"))
    return again || found.problem !== undefined ? [name] : []
  })

/** @category constructors */
export const handlers = ({ services: { find, sandbox, supervisor }, task }: {
  readonly services: Services
  readonly task: (type: PlanTask.TaskType, run: (work: Work) => Effect.Effect<void, BringUpError>) => TaskHandler.TaskHandler
}): ReadonlyArray<TaskHandler.TaskHandler> => [
  {
    ...task("snapshot-root", ({ context: { plan }, identity, up }) =>
      // The swap keeps the present root whole, but as it will be when the zone is down; this is how it was while everything ran.
      Effect.flatMap(up.images, (resolved) => resolved === undefined ? Effect.void : sandbox.roots.snapshot(identity, plan.id))),
    undo: (_, { instance }) =>
      sandbox.roots.dropSnapshots(WantedInstance.identityOf(instance)).pipe(
        Effect.mapError((error) => new PlanError.TaskFailed({ task: "snapshot-root", reason: error._tag, detail: error.message }))
      )
  },
  {
    ...task("stage-root", ({ context: { plan }, identity, up }) =>
      Effect.flatMap(up.images, (resolved) =>
        resolved === undefined
          ? Effect.void
          // Those of further containers as well: what cannot be made is found out while everything runs.
          : Effect.zipRight(sandbox.roots.stage(identity, plan.id, resolved.facts.image), up.step("dataset")))),
    undo: (_, { instance }) => {
      const identity = WantedInstance.identityOf(instance)
      return Effect.zipRight(
        sandbox.roots.drop(identity, mostPrevious),
        Effect.flatMap(supervisor.read(identity.uid), Option.match({
          onNone: () => Effect.void,
          onSome: ({ spec }) => sandbox.roots.dropOthers(identity, digestsOf(spec))
        }))
      ).pipe(Effect.mapError((error) => new PlanError.TaskFailed({ task: "stage-root", reason: error._tag, detail: error.message })))
    }
  },
  task("swap-root", ({ context: { plan }, identity, up }) =>
    Effect.flatMap(plan.type === "rollback" ? Effect.succeed(true) : Effect.map(up.images, (resolved) => resolved !== undefined), (hasRoot) =>
      !hasRoot ? Effect.void : plan.type === "rollback" ? sandbox.roots.restore(identity, plan.id) : sandbox.roots.swap(identity, plan.id))),
  TaskHandler.make({
    type: "observe-image",
    execute: () => Effect.void,
    status: (params, { instance }) =>
      supervisor.read(instance.spec.podUID).pipe(
        Effect.map((known) => {
          const seen = Option.match(known, { onNone: () => ({}), onSome: ({ spec }) => digestsOf(spec) })
          const found = new Map(Object.entries(seen))
          const wrong = Object.entries(params["digests"] ?? {}).filter(([name, digest]) => found.get(name) !== digest).map(([name]) => name)
          return wrong.length === 0 ? TaskHandler.complete : TaskHandler.failed(
            new PlanError.TaskFailed({ task: "observe-image", reason: "ImageDiffers", detail: `container ${wrong.join(", ")} does not have the wanted image` })
          )
        }),
        Effect.mapError((error) => new PlanError.TaskFailed({ task: "observe-image", reason: error._tag, detail: error.message }))
      )
  }),
  TaskHandler.make({
    type: "soak",
    execute: () => Effect.void,
    status: (params, { instance, plan, task }) =>
      Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const known = Option.getOrUndefined(yield* supervisor.read(instance.spec.podUID))
        const pod = find(instance.spec.podUID)
        if (known === undefined || pod === undefined) return TaskHandler.complete
        const names = ended(pod, known.spec, Option.getOrUndefined(known.state), Timestamp.toMillis(plan.createdAt) ?? now)
        if (names.length > 0) {
          return TaskHandler.failed(
            new PlanError.TaskFailed({ task: "soak", reason: "ContainerRestarted", detail: `container ${names.join(", ")} did not stay up with its new image` })
          )
        }
        const since = Timestamp.toMillis(task.submittedAt) ?? now
        const { soakSeconds } = params
        return now - since >= (typeof soakSeconds === "number" ? soakSeconds : 30) * 1000 ? TaskHandler.complete : TaskHandler.running
      }).pipe(Effect.mapError((error) => new PlanError.TaskFailed({ task: "soak", reason: error._tag, detail: error.message })))
  }),
  {
    ...task("commit", ({ identity, known, params: { keepPrevious } }) =>
      // What could not be removed now goes with the next update, or with the pod.
      sandbox.roots.drop(identity, typeof keepPrevious === "number" ? keepPrevious : 1).pipe(
        Effect.catchAll((error) => Effect.logWarning("former roots of a zone were not removed", error)),
        Effect.zipRight(dropSnapshots(sandbox, identity)),
        Effect.zipRight(Option.match(known, { onNone: () => Effect.void, onSome: ({ spec }) => dropOthers(sandbox, identity, digestsOf(spec)) }))
      ))
  }
]

/** More than are ever kept. */
const mostPrevious = 100
