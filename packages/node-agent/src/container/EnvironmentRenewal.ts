/**
 * Keeps what the next attempts of the containers of running pods are started with up to date: a container that is started again has the variables
 * that ConfigMaps, Secrets, Services and the pod itself have for it by then. What runs keeps what it was started with.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { sameJson } from "../internal/sameJson.js"
import * as PodEvents from "../pod/PodEvents.js"
import * as Environments from "../supervisor/Environments.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as PodSources from "../volume/PodSources.js"
import type { PodTokens } from "../volume/PodTokens.js"
import type * as SourceCache from "../volume/SourceCache.js"
import * as ContainerEnvironment from "./ContainerEnvironment.js"
import * as EnvironmentSources from "./EnvironmentSources.js"
import type * as FieldValues from "./FieldValues.js"

/** @category models */
export interface Services {
  readonly client: Pick<ApiClient.Service, "get" | "list">
  readonly tokens: Pick<PodTokens, "obtain">
  /** What is remembered of ConfigMaps and Secrets. */
  readonly remembered: SourceCache.SourceCache
  readonly dataDir: string
  readonly emit: (pod: CoreV1.Pod, events: ReadonlyArray<PodEvents.PodEvent>) => Effect.Effect<void>
}

/** When a container is started next: because this agent is about to ask for it, after some waiting, or who knows when. @category models */
export type Next = "now" | "soon" | "someday"

/** How a pod is looked at. @category models */
export interface Look {
  readonly addresses: ReadonlyArray<string>
  readonly facts: () => FieldValues.PodFacts
  /** Another one whenever the Services may have changed. */
  readonly services: number
  /** How soon one of the containers may be started. */
  readonly next: Next
}

/** @category models */
export interface EnvironmentRenewal {
  /**
   * Looks at a pod that was handed over, as it is with the amounts it was granted. What cannot be read or written is told in the log, and tried
   * again by a later pass: until then what was known last holds.
   */
  readonly renew: (pod: CoreV1.Pod, spec: Files.PodSpec, look: Look) => Effect.Effect<void>
  /** Whether the last `renew` of a pod had nothing left to write. */
  readonly isWritten: (uid: string) => boolean
  readonly forget: (uid: string) => void
}

/** How old what is remembered may be where containers wait to be started: just so old that many of them do not ask for the same. */
const soonAge = "1 second"

/** When a container of a pod is started next, as far as its supervisor tells. @category combinators */
export const nextOf = ({ state }: Pick<SupervisorClient.SupervisedPod, "state">): Next =>
  Option.exists(state, ({ containers, restarting }) =>
    restarting !== undefined || containers.some(({ attempt, phase, problem }) => phase === "backOff" || (phase === "waiting" && (attempt >= 0 || problem !== undefined)))) ? "soon" : "someday"

/** So long before a container is started again its sources are looked at once more, in ms. */
const headStart = 500

/**
 * When to look at a pod once more because a container is about to be started again, in ms from now; undefined where none waits, or none of its
 * variables comes from objects that change without a word.
 *
 * @category combinators
 */
export const dueIn = (pod: CoreV1.Pod, { state }: Pick<SupervisorClient.SupervisedPod, "state">, now: number): number | undefined => {
  if (!EnvironmentSources.concerns(onlyContainers(pod))) return undefined
  const waiting = Option.match(state, { onNone: () => [], onSome: ({ containers }) => containers.filter(({ phase }) => phase === "backOff") })
  const due = waiting.map(({ backOffUntil = 0 }) => backOffUntil - headStart - now).filter((delay) => delay > 0)
  return due.length === 0 ? undefined : Math.min(...due)
}

const containersOf = ({ spec }: CoreV1.Pod): ReadonlyArray<CoreV1.Container> => [...spec?.initContainers ?? [], ...spec?.containers ?? []]

/** The pod without what its variables are not taken from, so that nothing else is read for it. */
const onlyContainers = (pod: CoreV1.Pod): CoreV1.Pod => ({ ...pod, spec: { containers: [...containersOf(pod)] } })

/** Whether its process can be put together again: an agent before this one may have left out what the image says. */
const isRenewable = ({ image, imageID }: Files.ContainerSpec): boolean => imageID === undefined || image !== undefined

const isSame = (a: ContainerEnvironment.Command, b: ContainerEnvironment.Command): boolean => {
  const sorted = (env: ContainerEnvironment.Command["env"]) => env.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return sameJson([a.argv, sorted(a.env), a.late], [b.argv, sorted(b.env), b.late])
}

/**
 * What differs from what was handed over; undefined where nothing does. Pure.
 *
 * @category combinators
 */
export const differences = (inputs: Omit<ContainerEnvironment.Inputs, "images">, spec: Files.PodSpec): Environments.Environments | undefined => {
  const containers = containersOf(inputs.pod).flatMap((container): ReadonlyArray<Environments.RenewedProcess> => {
    const { name } = container
    const handed = spec.containers.find((other) => other.name === name)
    if (handed === undefined || !isRenewable(handed)) return []
    const command = ContainerEnvironment.renewed(inputs, handed, container)
    if (Either.isLeft(command)) return [{ type: "missing", name, message: command.left.message }]
    return isSame(command.right, handed) ? [] : [{ type: "started", name, ...command.right }]
  })
  const environment = EnvironmentSources.hashOf(inputs.pod, inputs.sources)
  const { generation } = spec
  return containers.length === 0 && (spec.environment === undefined || environment === spec.environment)
    ? undefined
    : { schema: 1, ...(generation === undefined ? {} : { generation }), environment, containers }
}

/** What the last look at a pod was about; while all of it stays the same there is nothing to do. */
interface Seen {
  readonly pod: CoreV1.Pod
  readonly spec: Files.PodSpec
  readonly rest: string
  /** What is on disk. */
  readonly text: string
}

const restOf = ({ configMaps, secrets }: PodSources.PodSources, { addresses, services }: Look): string => {
  const versions = (objects: ReadonlyMap<string, { readonly metadata: { readonly uid?: string; readonly resourceVersion?: string } }>) =>
    [...objects].map(([name, { metadata: { resourceVersion, uid } }]) => [name, uid, resourceVersion])
  return JSON.stringify([versions(configMaps), versions(secrets), addresses, services])
}

/** @category constructors */
export const make = ({ client, dataDir, emit, remembered, tokens }: Services): Effect.Effect<EnvironmentRenewal, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => {
    const readers: Readonly<Record<Next, PodSources.Reader>> = { now: remembered.within(0), soon: remembered.within(soonAge), someday: remembered }
    const seen = new Map<string, Seen>()
    const textOf = (found: Environments.Environments | undefined): string => found === undefined ? "" : Environments.encode(found)

    const renew = (pod: CoreV1.Pod, spec: Files.PodSpec, look: Look) =>
      Effect.gen(function*() {
        const { uid } = spec.pod
        const before = seen.get(uid)
        const asked = onlyContainers(pod)
        const sources = EnvironmentSources.concerns(asked)
          ? yield* PodSources.read(client, tokens, asked, readers[look.next])
          : PodSources.empty
        const rest = restOf(sources, look)
        if (before?.pod === pod && before.spec === spec && before.rest === rest) return
        const inputs = { pod, facts: look.facts(), sources }
        const wanted = differences(inputs, spec)
        const text = textOf(wanted)
        // What an earlier agent has left is found out once.
        const found = before?.text ?? textOf(Option.getOrUndefined(yield* Effect.orElseSucceed(Environments.read(dataDir, uid), () => Option.none())))
        if (text !== found) {
          seen.delete(uid)
          yield* Environments.write(dataDir, uid, wanted)
          if (wanted !== undefined) yield* emit(pod, PodEvents.invalidVariables(pod, inputs))
        }
        seen.set(uid, { pod, spec, rest, text })
      }).pipe(
        Effect.catchAll((error) => Effect.logWarning("what the containers of a pod are started with next was not brought up to date; this is tried again", error)),
        Effect.provideService(FileSystem.FileSystem, fs)
      )

    return { renew, isWritten: (uid) => seen.has(uid), forget: (uid) => void seen.delete(uid) }
  })
