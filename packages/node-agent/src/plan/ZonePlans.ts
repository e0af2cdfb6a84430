/**
 * The plans of the pods of this node: what a pass over a pod does to its zone. Every change of a zone is a plan that is on disk before its
 * first effect and shown as a ZoneInstance; a pass creates one or goes on with it.
 */
import { type CoreV1, PodPhase } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import { GateClient, InstanceWriter, type Plan, PlanLedger, type ZoneInstance, ZoneReconciler } from "@reddwarf/plans"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { PodEvent } from "../pod/PodEvents.js"
import * as PodResize from "../pod/PodResize.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import * as StaticPod from "../static/StaticPod.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import * as GateAnnotations from "./GateAnnotations.js"
import * as ImageTasks from "./ImageTasks.js"
import * as InstanceStore from "./InstanceStore.js"
import * as PodBringUp from "./PodBringUp.js"
import * as PodGateClient from "./PodGateClient.js"
import * as WantedImages from "./WantedImages.js"
import * as WantedInstance from "./WantedInstance.js"
import * as ZoneCaps from "./ZoneCaps.js"
import * as ZoneLook from "./ZoneLook.js"
import * as ZoneTasks from "./ZoneTasks.js"

/** @category models */
export interface Options extends PodBringUp.Services {
  readonly nodeName: string
  readonly allocatable: PodResize.Capacity
  /** How often each gate is asked. */
  readonly gateProbeInterval: Duration.DurationInput
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  readonly find: (uid: string) => CoreV1.Pod | undefined
  /** Shows users why the pod does not go on. */
  readonly failed: (pod: CoreV1.Pod, error: PodBringUp.BringUpError) => Effect.Effect<void>
  readonly removeVolumes: (uid: string) => Effect.Effect<void, PodBringUp.BringUpError>
  readonly tell: (pod: CoreV1.Pod, events: ReadonlyArray<PodEvent>) => Effect.Effect<void>
  /** Asks for a pass over a pod. */
  readonly wake: (uid: string) => Effect.Effect<void>
}

/** What a pass came to. @category models */
export interface Passed {
  /** When to look again. */
  readonly delay: Duration.Duration | undefined
  /** Why the plan does not go on; it is shown already, and to be tried again. */
  readonly failure: PodBringUp.BringUpError | undefined
  readonly instance: ZoneInstance.ZoneInstance | undefined
}

/** @category models */
export interface ZonePlans {
  /** Moves the zone of a pod one step, or as many as take no time. */
  readonly pass: (pod: CoreV1.Pod, known: Option.Option<SupervisorClient.SupervisedPod>) => Effect.Effect<Passed, ZonePlansError>
  /** What is known of the zone's plans. */
  readonly current: (pod: CoreV1.Pod) => Effect.Effect<ZoneInstance.ZoneInstance | undefined>
  /** What is to be counted about single zones and their plans now. */
  readonly series: ZoneReconciler.ZoneReconciler["series"]
  /** Nothing of the pod is left: its object and its records go. */
  readonly forget: (identity: { readonly namespace: string; readonly name: string; readonly uid: string }) => Effect.Effect<void>
}

/** @category errors */
export type ZonePlansError = Effect.Effect.Error<ReturnType<ZoneReconciler.ZoneReconciler["pass"]>>

/** As many steps of a plan are taken in one go: created, carried out, cleared. */
const mostSteps = 4

/**
 * Works as long as the scope lives.
 *
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<
  ZonePlans,
  Effect.Effect.Error<ReturnType<typeof ZoneReconciler.make>>,
  ApiClient.ApiClient | CommandRunner.CommandRunner | FileSystem.FileSystem | PlanLedger.PlanLedger | Scope.Scope
> =>
  Effect.gen(function*() {
    const { find, sandbox, supervisor } = options
    const ledger = yield* PlanLedger.PlanLedger
    const runner = yield* CommandRunner.CommandRunner
    const store = yield* InstanceStore.make({ nodeName: options.nodeName })
    const bringUp = yield* PodBringUp.make(options)
    const failures = new Map<string, PodBringUp.BringUpError>()
    const uids = new Map<string, string>()
    /** What the steps of one plan have worked out; a pod that has changed is worked out anew. */
    const sessions = new Map<string, { readonly key: string; readonly up: PodBringUp.PodBringUp }>()

    const failed = (pod: CoreV1.Pod, error: PodBringUp.BringUpError) =>
      Effect.suspend(() => {
        const { uid = "" } = pod.metadata
        failures.set(uid, error)
        // What was missing may have come by the next try.
        sessions.delete(uid)
        return options.failed(pod, error)
      })

    const session = (pod: CoreV1.Pod, plan: string, isNew: boolean) => {
      const { generation, resourceVersion = "", uid = "" } = pod.metadata
      const key = `${plan} ${generation ?? resourceVersion} ${isNew}`
      const found = sessions.get(uid)
      if (found !== undefined && found.key === key) return found.up
      const up = bringUp(pod, isNew)
      sessions.set(uid, { key, up })
      return up
    }

    const images = yield* WantedImages.make({ wake: options.wake, failed: options.failed })

    /** Whether the pod asks for other bounds than it has, and the node has room for them. */
    const asksForCaps = (pod: CoreV1.Pod) =>
      PodResize.decide(pod, options.pods().filter((other) => other.metadata.uid !== pod.metadata.uid && !PodPhase.isTerminal(other)), options.allocatable).kind
        === "proceed"

    const handlers = ZoneTasks.registry({
      sandbox,
      supervisor,
      find,
      failed,
      bringUp: session,
      removeVolumes: options.removeVolumes
    })

    const reconciler = yield* ZoneReconciler.make({
      tasks: handlers,
      observe: ZoneLook.make({
        sandbox,
        supervisor,
        find,
        asksForCaps,
        resolved: (uid) => Option.match(Option.fromNullable(find(uid)), { onNone: () => ({}), onSome: images.of })
      }),
      gateClient: ({ spec: { podUID } }) =>
        Effect.gen(function*() {
          const pod = find(podUID)
          if (pod === undefined) return yield* new GateClient.GateClientUnavailable({ detail: "the pod is gone" })
          const lease = yield* sandbox.findAddress(podUID)
          const supervised = yield* Effect.orElseSucceed(supervisor.read(podUID), () => Option.none())
          return yield* PodGateClient.make(runner, pod, Option.getOrUndefined(Option.map(lease, (lease) => PodSandbox.addressesOf(lease)[0])), supervised)
        }),
      gateProbeInterval: options.gateProbeInterval,
      uidOf: (key) => uids.get(key),
      // Where the API does not know the resource, and for a pod that runs without it, nothing there can be waited for.
      isStatic: ({ spec: { podUID } }) => store.isAbsent() || StaticPod.isStaticUid(podUID),
      events: ({ spec: { podUID } }, event) => {
        const pod = find(podUID)
        return pod === undefined ? Effect.void : options.tell(pod, [event])
      },
      wake: (key) => Effect.suspend(() => {
        const uid = uids.get(key)
        return uid === undefined ? Effect.void : options.wake(uid)
      }),
      gateProblem: ({ spec: { podUID } }) => {
        const pod = find(podUID)
        return pod === undefined ? undefined : Option.getOrUndefined(Either.getLeft(GateAnnotations.of(pod)))
      },
      priority: ({ spec: { podUID } }) => find(podUID)?.spec?.priority ?? 0,
      graceSeconds: ({ spec: { podUID } }) => find(podUID)?.spec?.terminationGracePeriodSeconds ?? 30
    }).pipe(Effect.provideService(InstanceWriter.InstanceWriter, store.writer))

    const fork = Runtime.runFork(yield* Effect.runtime())
    store.onChange((key) => {
      const uid = uids.get(key)
      if (uid !== undefined) fork(options.wake(uid))
    })

    const wantedOf = (pod: CoreV1.Pod) =>
      Effect.gen(function*() {
        const gates = GateAnnotations.of(pod)
        const lease = yield* sandbox.findAddress(pod.metadata.uid ?? "")
        // What a resize has not been granted is not wanted yet.
        const granted = asksForCaps(pod) ? pod : PodResize.allocated(pod)
        return WantedInstance.instanceOf(pod, {
          nodeName: options.nodeName,
          brand: yield* sandbox.brandOf(pod),
          caps: ZoneCaps.of(yield* sandbox.resources(granted)),
          gates: Either.getOrElse(gates, () => []),
          digests: images.of(pod),
          addresses: Option.match(lease, { onNone: () => PodSandbox.shownAddresses(pod), onSome: PodSandbox.addressesOf })
        })
      })

    /** What an earlier agent has left of the plans of a pod. */
    const recordOf = (uid: string) =>
      ledger.load(uid).pipe(
        Effect.map((entry) => Option.getOrUndefined(entry)?.instance),
        Effect.catchAll((error) => Effect.as(Effect.logWarning("the records of a pod's plans cannot be read", error), undefined))
      )

    const pass = (pod: CoreV1.Pod, known: Option.Option<SupervisorClient.SupervisedPod>) =>
      Effect.gen(function*() {
        const identity = PodSandbox.identityOf(pod)
        const key = WantedInstance.keyOf(identity)
        yield* store.asked
        uids.set(key, identity.uid)
        failures.delete(identity.uid)
        const stored = (yield* reconciler.current(key)) ?? store.known(key) ?? (images.knows(identity.uid) ? undefined : yield* recordOf(identity.uid))
        images.remember(pod, Option.match(known, { onNone: (): Plan.Digests => ({}), onSome: ({ spec }) => ImageTasks.digestsOf(spec) }), stored)
        yield* images.resolve(pod, () => session(pod, "", false))
        const wanted = yield* Effect.either(wantedOf(pod))
        if (Either.isLeft(wanted)) {
          yield* failed(pod, wanted.left)
          return { delay: undefined, failure: wanted.left, instance: stored }
        }
        yield* store.ensure(wanted.right, Effect.map(recordOf(identity.uid), (record) => record?.status))
        let requeue = yield* reconciler.pass(key)
        for (let steps = 1; steps < mostSteps && requeue._tag === "After" && Duration.toMillis(requeue.delay) <= 1 && !failures.has(identity.uid); steps++) {
          requeue = yield* reconciler.pass(key)
        }
        return {
          delay: requeue._tag === "After" ? requeue.delay : undefined,
          failure: failures.get(identity.uid),
          instance: yield* reconciler.current(key)
        }
      })

    return {
      pass,
      series: reconciler.series,
      current: (pod) => reconciler.current(WantedInstance.keyOf(PodSandbox.identityOf(pod))),
      forget: (identity) =>
        Effect.gen(function*() {
          const key = WantedInstance.keyOf(identity)
          yield* images.forget(identity.uid)
          for (const known of [failures, sessions]) known.delete(identity.uid)
          yield* store.remove(key, identity.uid)
          yield* ledger.remove(identity.uid).pipe(
            Effect.catchAll((error) => Effect.logWarning("records of plans of a pod that is gone are left; the next start removes them", error))
          )
          if (uids.get(key) === identity.uid) uids.delete(key)
        })
    }
  })
