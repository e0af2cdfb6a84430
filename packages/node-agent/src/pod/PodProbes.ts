/**
 * The probes of the pods on this node: run while containers do, kept over the end of the agent, told in events, and acted upon through the
 * supervisor.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { type CoreV1, PodPhase, PodResources } from "@reddwarf/api-types"
import { EventRecorder } from "@reddwarf/client"
import { ExecRunner, ProbeManager, ProbeMetrics, Prober, type ProbeSnapshot } from "@reddwarf/probes"
import { CommandRunner } from "@reddwarf/runtime-illumos"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as ContainerTarget from "../container/ContainerTarget.js"
import * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as PodEvents from "./PodEvents.js"
import * as ProbeCommand from "./ProbeCommand.js"
import * as ProbeRecords from "./ProbeRecords.js"
import * as ProbeRules from "./ProbeRules.js"

/** What the probes of a pod say, by the name of the container; those without probes are not in it. @category models */
export type Verdicts = ReadonlyMap<string, ProbeRules.Verdict>

type Supervised = Option.Option<SupervisorClient.SupervisedPod>

/**
 * Probes pods.
 *
 * @category services
 */
export class PodProbes extends Context.Tag("@reddwarf/node-agent/PodProbes")<PodProbes, {
  /**
   * Brings the probing of a pod in line with what runs of it, and gives what its probes say now. `address` is that of the pod; without one
   * nothing is probed.
   */
  readonly look: (pod: CoreV1.Pod, supervised: Supervised, address: string | undefined) => Effect.Effect<Verdicts>
  /**
   * Does what the probes ask for: has containers restarted that are not alive or never started, and lets go on what waits for a container
   * to have started. Everything is asked for once, however often this is called; `beforeRestart` goes first. Call it when nothing else of the
   * pass writes the supervisor's specification any more.
   */
  readonly act: (pod: CoreV1.Pod, supervised: Supervised, beforeRestart?: Effect.Effect<void>) => Effect.Effect<void, SupervisorFileFailed>
  /** Stops probing a pod that is gone, and drops what is remembered of it. */
  readonly forget: (uid: string) => Effect.Effect<void>
  /** Calls back with the uid of a pod whenever what its probes say changed, for as long as the scope lives. */
  readonly follow: (onChange: (uid: string) => void) => Effect.Effect<void, never, Scope.Scope>
  /** The document behind `/metrics/probes`. */
  readonly metrics: Effect.Effect<string>
}>() {}

/** @category models */
export interface Options {
  /** The agent's data directory, an absolute path. */
  readonly dataDir: string
  readonly manager?: ProbeManager.Options
}

/** Attempts to tell of that may wait; more than that cannot be told in time anyway. */
const eventCapacity = 1024

/** A pod that is probed. */
interface Known {
  readonly uid: string
  pod: CoreV1.Pod
  /** By the name of the container. */
  readonly targets: Map<string, ContainerTarget.ContainerTarget>
  /** What another agent left, by the name of the container. */
  readonly left: Readonly<Record<string, ProbeSnapshot.ProbeSnapshot>>
}

const keyOf = (uid: string, container: string): string => `${uid}/${container}`

/** The two parts of a key; neither of them can have a slash in it. */
const partsOf = (key: string): readonly [uid: string, container: string] => {
  const at = key.indexOf("/")
  return [key.slice(0, at), key.slice(at + 1)]
}

const stateOf = (supervised: Supervised, name: string): Files.ContainerState | undefined =>
  Option.getOrUndefined(Option.flatMap(supervised, ({ state }) => state))?.containers.find((container) => container.name === name)

type Environment = CommandRunner.CommandRunner | EventRecorder.EventRecorder | FileSystem.FileSystem | Scope.Scope | SupervisorClient.SupervisorClient

const make = (options: Options): Effect.Effect<Context.Tag.Service<PodProbes>, never, Environment> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const recorder = yield* EventRecorder.EventRecorder
    const runner = yield* CommandRunner.CommandRunner
    const supervisor = yield* SupervisorClient.SupervisorClient
    const pods = new Map<string, Known>()
    const metrics = ProbeMetrics.make()
    const followers = new Set<(uid: string) => void>()

    const execRunner = ExecRunner.ExecRunner.of({
      run: (key, argv) => {
        const [uid, container] = partsOf(key)
        return ProbeCommand.run(runner, pods.get(uid)?.targets.get(container), argv)
      }
    })
    const manager = yield* ProbeManager.make(options.manager).pipe(
      Effect.provide(Prober.layer.pipe(Layer.provide(Layer.succeed(ExecRunner.ExecRunner, execRunner))))
    )

    const emit = (pod: CoreV1.Pod, { container, message, reason, type }: PodEvents.PodEvent) =>
      recorder.event(PodEvents.reference(pod, container), type, reason, message)

    const events = yield* Queue.dropping<readonly [CoreV1.Pod, PodEvents.PodEvent]>(eventCapacity)
    yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(events), ([pod, event]) => emit(pod, event))))

    /** Pods whose record is older than what is to be kept. */
    const unwritten = new Set<string>()
    const toWrite = yield* Queue.sliding<void>(1)

    const write = (uid: string) =>
      Effect.suspend(() => {
        const known = pods.get(uid)
        if (known === undefined) return Effect.void
        const snapshots = [...known.targets.keys()].flatMap((name) => {
          const snapshot = manager.snapshot(keyOf(uid, name))
          return snapshot === undefined ? [] : [[name, snapshot] as const]
        })
        return ProbeRecords.write(options.dataDir, uid, Object.fromEntries(snapshots)).pipe(
          Effect.provideService(FileSystem.FileSystem, fs),
          // The folder goes with its pod.
          Effect.catchAll((error) => pods.has(uid) ? Effect.logWarning("the state of a pod's probes was not written", error) : Effect.void)
        )
      })
    const writeAll = Effect.suspend(() => {
      const uids = [...unwritten]
      unwritten.clear()
      return Effect.forEach(uids, write, { concurrency: 4, discard: true })
    })
    yield* Effect.forkScoped(Effect.forever(Effect.zipRight(Queue.take(toWrite), writeAll)))
    // What came with the last attempts.
    yield* Effect.addFinalizer(() => writeAll)

    const onProbed = (known: Known, container: string, event: Extract<ProbeManager.ProbeEvent, { readonly _tag: "Probed" }>): void => {
      const { name = "", namespace = "" } = known.pod.metadata
      metrics.record({ namespace, pod: name, podUid: known.uid, container }, event.kind, event.outcome, event.durationMillis)
      const told = ProbeRules.eventOf(container, event.kind, event.outcome)
      if (told !== undefined) Queue.unsafeOffer(events, [known.pod, told])
    }

    yield* manager.listen((event) => {
      const [uid, container] = partsOf(event.key)
      const known = pods.get(uid)
      if (known === undefined) return
      switch (event._tag) {
        case "Probed":
          return onProbed(known, container, event)
        case "SnapshotChanged":
          unwritten.add(uid)
          Queue.unsafeOffer(toWrite, undefined)
          return
        case "ResultChanged":
          for (const follower of followers) follower(uid)
      }
    })

    const knownOf = (uid: string, pod: CoreV1.Pod): Effect.Effect<Known> => {
      const known = pods.get(uid)
      if (known !== undefined) return Effect.sync(() => Object.assign(known, { pod }))
      return ProbeRecords.read(options.dataDir, uid).pipe(
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.map((left) => {
          const made: Known = { uid, pod, targets: new Map(), left }
          pods.set(uid, made)
          return made
        })
      )
    }

    const stop = (known: Known, name: string) =>
      Effect.suspend(() => known.targets.delete(name) ? manager.remove(keyOf(known.uid, name)) : Effect.void)

    const look = (pod: CoreV1.Pod, supervised: Supervised, address: string | undefined): Effect.Effect<Verdicts> =>
      Effect.gen(function*() {
        const uid = pod.metadata.uid ?? ""
        const containers = ProbeRules.probed(pod)
        if (containers.length === 0) return new Map()
        const known = yield* knownOf(uid, pod)
        const verdicts = new Map<string, ProbeRules.Verdict>()
        for (const container of containers) {
          const { name } = container
          const state = stateOf(supervised, name)
          const target = Either.getOrUndefined(ContainerTarget.find(supervised, name))
          if (!ProbeRules.isUp(state) || target === undefined || address === undefined) {
            yield* stop(known, name)
            // A container that runs and cannot be probed now is as its status shows it: not knowing is no reason to change it.
            if (ProbeRules.isUp(state)) verdicts.set(name, ProbeRules.verdict({ readiness: "Failure", ...resultsOf(ProbeRules.shown(pod, name, state)) }))
            continue
          }
          known.targets.set(name, target)
          const instance = String(state.attempt)
          const left = known.left[name]
          yield* manager.set(
            { key: keyOf(uid, name), instance, startedAt: ProbeRules.startOf(pod, state), probes: ProbeRules.probesOf(pod, container, address) },
            left?.instance === instance ? left : ProbeRules.shown(pod, name, state)
          )
          verdicts.set(name, ProbeRules.verdict(manager.results(keyOf(uid, name)) ?? {}))
        }
        return verdicts
      })

    const actFor = (pod: CoreV1.Pod, container: CoreV1.Container, state: Files.ContainerState, beforeRestart: Effect.Effect<void>) =>
      Effect.gen(function*() {
        const uid = pod.metadata.uid ?? ""
        const results = manager.results(keyOf(uid, container.name))
        if (results?.instance !== String(state.attempt)) return
        // Only what comes after a sidecar waits for it.
        if (results.startup === "Success" && PodResources.isSidecar(container)) yield* supervisor.started(uid, container.name, state.attempt)
        const kind = ProbeRules.failed(results)
        if (kind === undefined) return
        yield* beforeRestart
        const request = ProbeRules.restartRequest(pod, container, state, kind, yield* Clock.currentTimeMillis)
        if (yield* supervisor.restart(uid, request)) yield* emit(pod, ProbeRules.killing(pod, container, kind))
      })

    return PodProbes.of({
      look,
      act: (pod, supervised, beforeRestart = Effect.void) =>
        PodPhase.isTerminating(pod)
          ? Effect.void
          : Effect.forEach(ProbeRules.probed(pod), (container) => {
            const state = stateOf(supervised, container.name)
            return ProbeRules.isUp(state) ? actFor(pod, container, state, beforeRestart) : Effect.void
          }, { discard: true }),
      forget: (uid) =>
        Effect.gen(function*() {
          const known = pods.get(uid)
          pods.delete(uid)
          unwritten.delete(uid)
          metrics.forget(uid)
          yield* Effect.forEach([...known?.targets.keys() ?? []], (name) => manager.remove(keyOf(uid, name)), { discard: true })
        }),
      follow: (onChange) =>
        Effect.acquireRelease(Effect.sync(() => void followers.add(onChange)), () => Effect.sync(() => void followers.delete(onChange))),
      metrics: Effect.sync(metrics.render)
    })
  })

/** What a snapshot says, without its counting. */
const resultsOf = (snapshot: ProbeSnapshot.ProbeSnapshot | undefined): Partial<ProbeManager.ProbeResults> =>
  snapshot === undefined ? {} : { readiness: snapshot.readiness?.result ?? "Failure", startup: snapshot.startup?.result ?? "Success" }

/**
 * Over the containers of this host.
 *
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<PodProbes, never, Exclude<Environment, Scope.Scope>> => Layer.scoped(PodProbes, make(options))
