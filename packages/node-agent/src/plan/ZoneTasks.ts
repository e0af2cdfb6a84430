/** What each task of a plan does to the zone of a pod. All of it can be repeated; nothing is remembered but on the host and in the plan. */
import type { CoreV1 } from "@reddwarf/api-types"
import { PlanError, type PlanTask, TaskHandler, TaskRegistry } from "@reddwarf/plans"
import type { ZoneRuntime } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Option from "effect/Option"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import type { PodBringUp, Services as BringUpServices } from "./PodBringUp.js"
import * as CompanionPlans from "./CompanionPlans.js"
import * as ImageTasks from "./ImageTasks.js"
import type * as PodBringUps from "./PodBringUp.js"
import * as PodHandOver from "./PodHandOver.js"
import * as ProcessTasks from "./ProcessTasks.js"
import * as WantedInstance from "./WantedInstance.js"

/** @category models */
export interface Services extends Pick<BringUpServices, "sandbox" | "supervisor"> {
  /** The pod of a uid as it is now. */
  readonly find: (uid: string) => CoreV1.Pod | undefined
  /** Its steps; the same ones for one plan. */
  readonly bringUp: (pod: CoreV1.Pod, plan: string, present: PodBringUps.Present) => PodBringUp
  /** Shows users why nothing goes on, and has the pass fail. */
  readonly failed: (pod: CoreV1.Pod, error: PodBringUps.BringUpError) => Effect.Effect<void>
  readonly removeVolumes: (uid: string) => Effect.Effect<void, PodBringUps.BringUpError>
  /** Hears where other bounds of a zone hold now. */
  readonly resized: (uid: string, outcome: ZoneRuntime.ResourceOutcome) => void
  /** Whether the containers of a pod that ends have ended, asking them to if need be. */
  readonly stopped: (uid: string) => Effect.Effect<boolean, SupervisorFileFailed>
  /** Services of the host that belong to a pod. */
  readonly companions: CompanionPlans.CompanionPlans
}

/** A task at work. @category models */
export interface Work {
  readonly pod: CoreV1.Pod
  readonly identity: Files.PodIdentity
  readonly known: Option.Option<SupervisorClient.SupervisedPod>
  readonly up: PodBringUp
  readonly params: PlanTask.TaskParams
  readonly context: TaskHandler.TaskContext
}

const numberOf = (value: unknown, otherwise: number): number => typeof value === "number" ? value : otherwise

/** How often it is looked whether the time of containers that are asked to end is over, in ms. */
const stopPoll = 1000

/** Does each of them, whatever becomes of the others; fails with the first failure. */
const all = <E>(...effects: ReadonlyArray<Effect.Effect<void, E>>): Effect.Effect<void, E> =>
  Effect.flatMap(Effect.forEach(effects, Effect.either), (done) => {
    const [failed] = done.flatMap((result) => Either.isLeft(result) ? [result.left] : [])
    return failed === undefined ? Effect.void : Effect.fail(failed)
  })

/** What a task that found its zone down can still do: boot it again, where that is its own step. */
const endsOf = (task: PlanTask.TaskType, error: PodBringUps.BringUpError): Pick<PlanError.TaskFailed, "ends"> =>
  error._tag !== "ZoneWentDown" ? {} : { ends: task === "boot-zone" ? "attempt" : "plan" }

const failure = (task: PlanTask.TaskType) => (error: PodBringUps.BringUpError): PlanError.TaskFailed =>
  new PlanError.TaskFailed({ task, reason: reasonOf(error), detail: error.message })

const reasonOf = (error: PodBringUps.BringUpError): string => "reason" in error && error.reason !== undefined ? error.reason : error._tag

/**
 * Handlers for every type of task but those of gates, which the plans have themselves.
 *
 * @category constructors
 */
export const registry = (services: Services): TaskRegistry.TaskRegistry => {
  const { bringUp, failed, find, sandbox, supervisor } = services

  const podOf = (type: PlanTask.TaskType, uid: string) =>
    Effect.suspend(() => {
      const pod = find(uid)
      return pod === undefined
        ? Effect.fail(new PlanError.TaskFailed({ task: type, reason: "PodGone", detail: `pod ${uid} is not known to this agent any more`, terminal: true }))
        : Effect.succeed(pod)
    })

  const work = (type: PlanTask.TaskType, run: (work: Work) => Effect.Effect<void, PodBringUps.BringUpError>) =>
    (params: PlanTask.TaskParams, context: TaskHandler.TaskContext): Effect.Effect<void, PlanError.TaskFailed> =>
      Effect.flatMap(podOf(type, context.instance.spec.podUID), (pod) =>
        Effect.gen(function*() {
          const identity = PodSandbox.identityOf(pod)
          const known = yield* supervisor.read(identity.uid)
          yield* run({ pod, identity, known, params, context, up: bringUp(pod, context.plan.id, ImageTasks.presentOf(context.plan, known)) })
        }).pipe(
          Effect.catchAll((error) =>
            Effect.zipRight(
              failed(pod, error),
              Effect.fail(new PlanError.TaskFailed({ task: type, reason: reasonOf(error), detail: error.message, ...endsOf(type, error) }))
            ))
        ))

  /** A task that is over when it has been done, by whoever asks first. */
  const task = (type: PlanTask.TaskType, run: (work: Work) => Effect.Effect<void, PodBringUps.BringUpError>): TaskHandler.TaskHandler =>
    TaskHandler.make({ type, execute: work(type, run), status: () => Effect.succeed(TaskHandler.complete) })

  /** From a booted zone to one whose containers the supervisor has. */
  const settle = ({ context: { plan }, identity, known, up }: Work) =>
    up.step("readiness").pipe(
      Effect.zipRight(up.step("protection")),
      Effect.zipRight(PodHandOver.of(supervisor, up, plan, known)),
      Effect.zipRight(
        plan.type === "rollback"
          ? Effect.zipRight(ImageTasks.dropOthers(sandbox, identity, plan.target.digests), ImageTasks.dropSnapshots(sandbox, identity))
          : Effect.void
      )
    )

  const isAfterBoot = ({ context: { plan } }: Work) => !plan.tasks.some(({ type }) => type === "wait-init")

  /** What takes away needs no pod: it may be gone. */
  const removal = (type: PlanTask.TaskType, run: (identity: Files.PodIdentity) => Effect.Effect<void, PodBringUps.BringUpError>): TaskHandler.TaskHandler =>
    TaskHandler.make({
      type,
      execute: (_, { instance }) =>
        Effect.mapError(run(WantedInstance.identityOf(instance)), failure(type)),
      status: () => Effect.succeed(TaskHandler.complete)
    })

  const resize = ({ pod }: Pick<Work, "pod">) =>
    Effect.map(sandbox.resize(pod), (outcome) => services.resized(pod.metadata.uid ?? "", outcome))

  const handlers: ReadonlyArray<TaskHandler.TaskHandler> = [
    // What an image is, its registry tells while it is pulled.
    task("resolve-image", () => Effect.void),
    task("pull-image", ({ up }) => Effect.asVoid(up.images)),
    task("ensure-datasets", ({ up }) => up.step("dataset")),
    task("ensure-network", ({ up }) => up.step("link")),
    task("ensure-vnic", ({ pod }) => sandbox.repairLink(pod)),
    task("ensure-address", ({ up }) => up.address),
    // Bandwidth, addresses and protection are all of the link. What is wanted of it may be another thing by now; what is left then could not be repaired.
    TaskHandler.make({
      type: "ensure-filter",
      execute: work("ensure-filter", ({ pod }) => sandbox.repairLink(pod)),
      status: (_, { instance }) =>
        Effect.flatMap(podOf("ensure-filter", instance.spec.podUID), (pod) =>
          Effect.mapBoth(sandbox.linkFaults(pod), {
            onFailure: failure("ensure-filter"),
            onSuccess: (faults) =>
              faults.length === 0 ? TaskHandler.complete : TaskHandler.failed(
                new PlanError.TaskFailed({ task: "ensure-filter", reason: "LinkDiffers", detail: `the link of the zone differs again: ${faults.join("; ")}` })
              )
          }))
    }),
    task("write-zonecfg", ({ up }) => up.step("configuration")),
    task("install-zone", ({ up }) => up.step("installation")),
    task("boot-zone", (work) =>
      // What an installed zone may still change is brought up to date before it boots; `init` has just written it.
      Effect.zipRight(
        work.context.plan.type === "init" ? Effect.void : work.up.step("configuration"),
        Effect.zipRight(work.up.step("boot"), isAfterBoot(work) ? settle(work) : Effect.void)
      )),
    task("wait-init", settle),
    task("render-files", ({ up }) => up.volumes),
    ProcessTasks.handler(supervisor, work),
    task("set-caps-live", resize),
    // Both are done together: the configuration first, so that a crash in between leaves the caps for the next boot.
    task("persist-zonecfg", ({ identity, pod, context: { plan } }) =>
      plan.type === "caps-update"
        ? Effect.void
        : plan.reason.some(({ kind }) => kind === "config") ? sandbox.restoreConfiguration(identity) : resize({ pod })),
    TaskHandler.make({
      type: "observe-caps",
      execute: () => Effect.void,
      status: (params, { instance }) =>
        Effect.flatMap(podOf("observe-caps", instance.spec.podUID), (pod) =>
          sandbox.liveCaps(pod).pipe(
            Effect.map((live) => {
              const wanted = Object.entries(params["caps"] ?? {})
              const different = wanted.filter(([name, value]) => live[name] !== value).map(([name]) => name)
              return different.length === 0 ? TaskHandler.complete : TaskHandler.failed(
                new PlanError.TaskFailed({ task: "observe-caps", reason: "CapsDiffer", detail: `the zone does not have the wanted ${different.join(", ")}` })
              )
            }),
            Effect.mapError((error) => new PlanError.TaskFailed({ task: "observe-caps", reason: error._tag, detail: error.message }))
          ))
    }),
    TaskHandler.make({
      type: "pre-stop",
      execute: (params, { instance, plan }) =>
        plan.type === "teardown" ? Effect.void : Effect.flatMap(Clock.currentTimeMillis, (now) =>
          supervisor.hold(instance.spec.podUID, { requestId: plan.id, requestedAt: now, graceSeconds: numberOf(params["graceSeconds"], 30) })).pipe(
          Effect.mapError(failure("pre-stop"))
        ),
      status: (_, { instance, plan }) =>
        (plan.type === "teardown"
          ? services.stopped(instance.spec.podUID)
          : Effect.map(
            Effect.all([supervisor.read(instance.spec.podUID), Clock.currentTimeMillis]),
            ([known, now]) => PodHandOver.isHeld(known, plan.id, now)
          )).pipe(
          // The end of the containers is noticed at once; nobody tells when their time is over.
          Effect.map((isDone) => isDone ? TaskHandler.complete : { ...TaskHandler.running, delay: stopPoll }),
          Effect.mapError(failure("pre-stop"))
        )
    }),
    removal("halt-zone", (identity) => sandbox.removeStep(identity, "boot")),
    removal("uninstall-zone", (identity) => sandbox.removeStep(identity, "installation")),
    removal("delete-zonecfg", (identity) => sandbox.removeStep(identity, "configuration")),
    removal("remove-network", (identity) => all(sandbox.removeStep(identity, "link"), sandbox.removeStep(identity, "address"))),
    removal("destroy-datasets", (identity) => all(sandbox.removeStep(identity, "dataset"), services.removeVolumes(identity.uid))),
    CompanionPlans.handler(services.companions),
    ...ImageTasks.handlers({ task, services })
  ]
  return TaskRegistry.make(handlers)
}
