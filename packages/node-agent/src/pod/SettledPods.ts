/**
 * Which pods need no pass now: their last one left nothing to be done, and all that it went by is as it was. A pass costs some milliseconds even
 * where nothing is to be done, and each look at the host asks for one for each of hundreds of pods; to compare what one goes by costs a few
 * hundredths of that. What tells by itself that something changed (the API, the supervisor, probes, links, configurations) asks for passes of its
 * own, and those are never spared.
 */
import type { CoreV1 } from "@reddwarf/api-types"
import { PodPhase } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { ServiceWatch } from "../container/ServiceWatch.js"
import type { ZonePlans } from "../plan/ZonePlans.js"
import * as StaticPod from "../static/StaticPod.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as PodSources from "../volume/PodSources.js"
import type { PodTokens } from "../volume/PodTokens.js"
import * as PodResize from "./PodResize.js"
import * as PodSandbox from "./PodSandbox.js"
import type { PodUpkeep } from "./PodUpkeep.js"
import type { Outcome } from "./PodWorker.js"

/** @category models */
export interface Services {
  readonly client: Pick<ApiClient.Service, "get" | "list">
  readonly tokens: Pick<PodTokens, "obtain">
  /** What is remembered of ConfigMaps, Secrets and trust bundles. */
  readonly remembered: PodSources.Reader
  readonly sandbox: Pick<PodSandbox.PodSandbox["Type"], "findAddress">
  readonly services: Pick<ServiceWatch, "version">
  readonly supervisor: Pick<SupervisorClient.SupervisorClient["Type"], "read">
  readonly plans: Pick<ZonePlans, "atRest">
  readonly upkeep: Pick<PodUpkeep, "isUpToDate">
}

/** @category models */
export interface SettledPods {
  /** Runs a pass over a pod, and remembers what it went by when it left nothing to be done. */
  readonly passing: <E>(pod: CoreV1.Pod, pass: Effect.Effect<Outcome, E>) => Effect.Effect<Outcome, E>
  /** Whether another pass over a pod, whose zone runs, would find what the last one found. */
  readonly isSettled: (pod: CoreV1.Pod) => Effect.Effect<boolean>
  readonly forget: (uid: string) => void
}

/** So many passes in a row are spared at most. */
const mostSpared = 10

interface Settled {
  readonly inputs: ReadonlyArray<unknown>
  /** How many more passes may be spared. */
  left: number
}

/** Whether all that is to run of it runs: what waits to be started is looked at by each pass. */
const isSteady = ({ containers }: Files.PodState): boolean =>
  containers.some(({ phase }) => phase === "running") && containers.every(({ phase }) => phase === "running" || phase === "finished")

/** The pod without what its files and variables are not made from. */
const withoutClaims = (pod: CoreV1.Pod): CoreV1.Pod => ({
  ...pod,
  spec: {
    ...pod.spec,
    containers: pod.spec?.containers ?? [],
    volumes: (pod.spec?.volumes ?? []).filter(({ ephemeral, persistentVolumeClaim }) => ephemeral === undefined && persistentVolumeClaim === undefined)
  }
})

const versionsOf = (objects: ReadonlyMap<string, { readonly metadata: { readonly uid?: string; readonly resourceVersion?: string } }>): ReadonlyArray<unknown> =>
  [...objects].flatMap(([name, { metadata }]) => [name, metadata.uid, metadata.resourceVersion])

const isSame = (a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown>): boolean => a.length === b.length && a.every((value, index) => value === b[index])

/** @category constructors */
export const make = ({ client, plans, remembered, sandbox, services, supervisor, tokens, upkeep }: Services): SettledPods => {
  const known = new Map<string, Settled>()

  /** All that a pass goes by, to be compared one by one; undefined when the pod is in no state that stays as it is. */
  const inputsOf = (pod: CoreV1.Pod): Effect.Effect<ReadonlyArray<unknown> | undefined> =>
    Effect.gen(function*() {
      if (PodPhase.isTerminating(pod) || PodPhase.isTerminal(pod) || StaticPod.isStatic(pod) || PodResize.isAsked(pod)) return undefined
      const instance = plans.atRest(pod)
      if (instance === undefined) return undefined
      const { resourceVersion, uid = "" } = pod.metadata
      const supervised = Option.getOrUndefined(yield* supervisor.read(uid))
      const state = Option.getOrUndefined(supervised?.state ?? Option.none())
      if (supervised?.spec.desired.state !== "run" || state === undefined || !isSteady(state)) return undefined
      const lease = yield* sandbox.findAddress(uid)
      const sources = yield* PodSources.read(client, tokens, withoutClaims(pod), remembered)
      return [
        uid,
        resourceVersion,
        instance.metadata.uid,
        instance.metadata.resourceVersion,
        // The content of a file that did not change is the same object.
        supervised.spec,
        state,
        Option.match(lease, { onNone: () => "", onSome: (lease) => PodSandbox.addressesOf(lease).join() }),
        services.version(),
        ...versionsOf(sources.configMaps),
        ...versionsOf(sources.secrets),
        ...[...sources.tokens].flat(),
        ...[...sources.trustAnchors].flat()
      ]
    }).pipe(
      // Whoever passes finds out what is wrong, and tells.
      Effect.orElseSucceed(() => undefined)
    )

  return {
    passing: (pod, pass) =>
      Effect.gen(function*() {
        const { uid = "" } = pod.metadata
        known.delete(uid)
        const inputs = yield* inputsOf(pod)
        const outcome = yield* pass
        // Each has its turn at another time.
        if (inputs !== undefined && outcome._tag === "Settled" && upkeep.isUpToDate(pod)) known.set(uid, { inputs, left: yield* Random.nextIntBetween(mostSpared / 2, mostSpared + 1) })
        return outcome
      }),
    isSettled: (pod) =>
      Effect.suspend(() => {
        const before = known.get(pod.metadata.uid ?? "")
        if (before === undefined || before.left === 0) return Effect.succeed(false)
        return Effect.map(inputsOf(pod), (now) => {
          const same = now !== undefined && isSame(now, before.inputs)
          if (same) before.left -= 1
          return same
        })
      }),
    forget: (uid) => void known.delete(uid)
  }
}
