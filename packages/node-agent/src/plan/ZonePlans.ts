/**
 * The plans of the pods of this node: what a pass over a pod does to its zone. Every change of a zone is a plan that is on disk before its
 * first effect and shown as a ZoneInstance; a pass creates one or goes on with it.
 */
import { type CoreV1, PodPhase } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import { GateClient, InstanceWriter, type Plan, type PlanError, PlanLedger, type ZoneInstance, ZoneReconciler } from "@reddwarf/plans"
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
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as CompanionPlans from "./CompanionPlans.js"
import * as ConfigKeeper from "./ConfigKeeper.js"
import * as ConfigLook from "./ConfigLook.js"
import * as GateAnnotations from "./GateAnnotations.js"
import * as ImageTasks from "./ImageTasks.js"
import * as InstanceStore from "./InstanceStore.js"
import * as PlanRest from "./PlanRest.js"
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
  /** The object of the API that has the name of a pod. */
  readonly inApi: (namespace: string, name: string) => CoreV1.Pod | undefined
  /** Shows users why the pod does not go on. */
  readonly failed: (pod: CoreV1.Pod, error: PodBringUp.BringUpError) => Effect.Effect<void>
  readonly removeVolumes: (uid: string) => Effect.Effect<void, PodBringUp.BringUpError>
  /** Whether the containers of a pod that ends have ended, asking them to if need be. */
  readonly stopped: (uid: string) => Effect.Effect<boolean, SupervisorFileFailed>
  readonly tell: (pod: CoreV1.Pod, events: ReadonlyArray<PodEvent>) => Effect.Effect<void>
  /** Services of the host that belong to pods. Default: there are none. */
  readonly companionPlans?: CompanionPlans.CompanionPlans | undefined
  /** How often it is looked whether somebody has changed the stored configuration of zones. */
  readonly configInterval: Duration.DurationInput
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
  /** Names of the bounds of the last resize that the host takes over with the next boot of the zone only. */
  readonly nextBoot: ReadonlyArray<string>
}

/** How far the end of a zone is. @category models */
export interface Ending {
  /** Nothing of it is left, and nothing is known of it any more. */
  readonly isGone: boolean
  /** When to look again. */
  readonly delay: Duration.Duration | undefined
  /** What could not be removed; it is to be tried again. */
  readonly problem: string | undefined
}

/** @category models */
export interface ZonePlans {
  /** Ends the zone of a pod and removes all of it: one step, or as many as take no time. The pod, and the API, may be gone. */
  readonly teardown: (identity: Files.PodIdentity) => Effect.Effect<Ending, ZonePlansError>
  /** Whether there are records of plans of the pod: something was begun for it. */
  readonly isKnown: (uid: string) => Effect.Effect<boolean, PlanError.LedgerFailed>
  /** Whose the records of a uid are. */
  readonly identityOf: (uid: string) => Effect.Effect<Files.PodIdentity | undefined, PlanError.LedgerFailed>
  /** Moves the zone of a pod one step, or as many as take no time. */
  readonly pass: (pod: CoreV1.Pod, known: Option.Option<SupervisorClient.SupervisedPod>) => Effect.Effect<Passed, ZonePlansError>
  /** What is known of a zone of which a pass would change nothing, as long as all it goes by stays the same. */
  readonly atRest: (pod: CoreV1.Pod) => ZoneInstance.ZoneInstance | undefined
  /** What is known of the zone's plans. */
  readonly current: (pod: CoreV1.Pod) => Effect.Effect<ZoneInstance.ZoneInstance | undefined>
  /** What is to be counted about single zones and their plans now. */
  readonly series: ZoneReconciler.ZoneReconciler["series"]
  /** Waits for what is in flight, before the agent ends. */
  readonly drain: ZoneReconciler.ZoneReconciler["drain"]
  readonly isBetweenSteps: ZoneReconciler.ZoneReconciler["isBetweenSteps"]
  /** Nothing of the pod is left: its object goes, and what is known of its images. */
  readonly forget: (identity: Files.PodIdentity) => Effect.Effect<void>
}

/** @category errors */
export type ZonePlansError = Effect.Effect.Error<ReturnType<ZoneReconciler.ZoneReconciler["pass"]>>

/** As many steps of a plan are taken in one go: created, carried out, cleared. */
const mostSteps = 6

/** A plan that is over sooner is shown when it is. */
const showAfter = "250 millis"

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
    const nextBoot = new Map<string, ReadonlyArray<string>>()
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

    const session = (pod: CoreV1.Pod, plan: string, present: PodBringUp.Present) => {
      const { generation, resourceVersion = "", uid = "" } = pod.metadata
      const key = `${plan} ${generation ?? resourceVersion} ${present.isNew}`
      const found = sessions.get(uid)
      if (found !== undefined && found.key === key) return found.up
      const up = bringUp(pod, present)
      sessions.set(uid, { key, up })
      return up
    }

    const images = yield* WantedImages.make({ wake: options.wake, failed: options.failed })

    /** Whether the pod asks for other bounds than it has, and the node has room for them. */
    const asksForCaps = (pod: CoreV1.Pod) =>
      // The others matter only then.
      PodResize.isAsked(pod) &&
      PodResize.decide(pod, options.pods().filter((other) => other.metadata.uid !== pod.metadata.uid && !PodPhase.isTerminal(other)), options.allocatable).kind
        === "proceed"

    const handlers = ZoneTasks.registry({
      sandbox,
      supervisor,
      find,
      failed,
      bringUp: session,
      removeVolumes: options.removeVolumes,
      resized: (uid, outcome) => void nextBoot.set(uid, outcome.nextBoot),
      stopped: options.stopped,
      companions: options.companionPlans ?? CompanionPlans.none
    })

    const reconciler = yield* ZoneReconciler.make({
      tasks: handlers,
      observe: ZoneLook.make({
        sandbox,
        supervisor,
        find,
        asksForCaps,
        companions: options.companionPlans ?? CompanionPlans.none,
        config: ConfigLook.make(options),
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
      showAfter,
      uidOf: WantedInstance.uidOf,
      // Where the API does not know the resource, and for a pod that runs without it, nothing there can be waited for.
      isStatic: ({ spec: { podUID } }) => store.isAbsent() || StaticPod.isStaticUid(podUID),
      events: ({ spec: { podUID } }, event) => {
        const pod = find(podUID)
        return pod === undefined ? Effect.void : options.tell(pod, [event])
      },
      wake: (key) => options.wake(WantedInstance.uidOf(key)),
      gateProblem: ({ spec: { podUID } }) => {
        const pod = find(podUID)
        return pod === undefined ? undefined : Option.getOrUndefined(Either.getLeft(GateAnnotations.of(pod)))
      },
      priority: ({ spec: { podUID } }) => find(podUID)?.spec?.priority ?? 0,
      graceSeconds: ({ spec: { podUID } }) => {
        const pod = find(podUID)
        return pod?.metadata.deletionGracePeriodSeconds ?? pod?.spec?.terminationGracePeriodSeconds ?? 30
      }
    }).pipe(Effect.provideService(InstanceWriter.InstanceWriter, store.writer))

    const fork = Runtime.runFork(yield* Effect.runtime())
    store.onChange((uid) => void fork(options.wake(uid)))
    yield* Effect.forkScoped(ConfigKeeper.run({ ...options, interval: options.configInterval }))

    /** A pod of a manifest is there for the API in what shows it. */
    const ownerOf = (pod: CoreV1.Pod): string | undefined => {
      const { name, namespace, uid } = PodSandbox.identityOf(pod)
      if (!StaticPod.isStaticUid(uid)) return uid
      const shown = options.inApi(namespace, name)
      return shown !== undefined && StaticPod.isMirror(shown) && shown.metadata.deletionTimestamp === undefined ? shown.metadata.uid : undefined
    }

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
          owner: ownerOf(pod),
          addresses: Option.match(lease, { onNone: () => PodSandbox.shownAddresses(pod), onSome: PodSandbox.addressesOf })
        })
      })

    /** What an earlier agent has left of the plans of a pod. */
    const recordOf = (uid: string) =>
      ledger.load(uid).pipe(
        Effect.map((entry) => Option.getOrUndefined(entry)?.instance),
        Effect.catchAll((error) => Effect.as(Effect.logWarning("the records of a pod's plans cannot be read", error), undefined))
      )

    /** Passes as long as they follow each other at once. */
    const run = (key: string, isHeld: () => boolean) =>
      Effect.gen(function*() {
        let requeue = yield* reconciler.pass(key)
        for (let steps = 1; steps < mostSteps && requeue._tag === "After" && Duration.toMillis(requeue.delay) <= 1 && !isHeld(); steps++) {
          requeue = yield* reconciler.pass(key)
        }
        return requeue
      })

    const teardown = (identity: Files.PodIdentity) =>
      Effect.gen(function*() {
        const key = WantedInstance.keyOf(identity)
        yield* store.asked
        yield* reconciler.terminate(key, WantedInstance.bare(identity, options.nodeName))
        const requeue = yield* run(key, () => false)
        if (requeue._tag === "Gone") yield* store.remove(key)
        const status = (yield* reconciler.current(key))?.status
        const problem = status?.plan?.tasks.find(({ error }) => error !== undefined)?.error ??
          (status?.plan === undefined && status?.lastPlan?.type === "teardown" ? status.lastPlan.error : undefined)
        return { isGone: requeue._tag === "Gone", delay: requeue._tag === "After" ? requeue.delay : undefined, problem }
      })

    const pass = (pod: CoreV1.Pod, known: Option.Option<SupervisorClient.SupervisedPod>) =>
      Effect.gen(function*() {
        const identity = PodSandbox.identityOf(pod)
        const key = WantedInstance.keyOf(identity)
        yield* store.asked
        failures.delete(identity.uid)
        const stored = (yield* reconciler.current(key)) ?? store.known(key) ?? (images.knows(identity.uid) ? undefined : yield* recordOf(identity.uid))
        images.remember(pod, Option.match(known, { onNone: (): Plan.Digests => ({}), onSome: ({ spec }) => ImageTasks.digestsOf(spec) }), stored)
        yield* images.resolve(pod, () => session(pod, "", { isNew: false }))
        const wanted = yield* Effect.either(wantedOf(pod))
        if (Either.isLeft(wanted)) {
          yield* failed(pod, wanted.left)
          return { delay: undefined, failure: wanted.left, instance: stored, nextBoot: [] }
        }
        yield* store.ensure(wanted.right, Effect.map(recordOf(identity.uid), (record) => record?.status))
        const requeue = yield* run(key, () => failures.has(identity.uid))
        return {
          delay: requeue._tag === "After" ? requeue.delay : undefined,
          failure: failures.get(identity.uid),
          instance: yield* reconciler.current(key),
          nextBoot: nextBoot.get(identity.uid) ?? []
        }
      })

    return {
      pass,
      series: reconciler.series,
      drain: reconciler.drain,
      isBetweenSteps: reconciler.isBetweenSteps,
      atRest: (pod) => {
        const identity = PodSandbox.identityOf(pod)
        const instance = store.known(WantedInstance.keyOf(identity))
        const isClear = !failures.has(identity.uid) && !images.isMissing(pod) && (options.companionPlans?.faults(identity.uid) ?? []).length === 0
        // One that no API has taken is tried again by each pass.
        return instance?.metadata.uid !== undefined && isClear && PlanRest.isAtRest(pod, instance) ? instance : undefined
      },
      current: (pod) => reconciler.current(WantedInstance.keyOf(PodSandbox.identityOf(pod))),
      teardown,
      isKnown: (uid) => Effect.map(ledger.load(uid), Option.isSome),
      identityOf: (uid) => Effect.map(ledger.load(uid), (entry) => Option.getOrUndefined(Option.map(entry, ({ instance }) => WantedInstance.identityOf(instance)))),
      forget: (identity) =>
        Effect.gen(function*() {
          yield* images.forget(identity.uid)
          for (const known of [failures, nextBoot, sessions]) known.delete(identity.uid)
          yield* store.remove(WantedInstance.keyOf(identity))
        })
    }
  })
