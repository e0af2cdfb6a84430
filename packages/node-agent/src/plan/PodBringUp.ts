/**
 * Bringing one pod up, in steps: what each of them needs is worked out when the first one asks for it, and kept for the others. Every step
 * can be repeated, by another agent too.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ApiClient, ClientError } from "@reddwarf/client"
import type { Plan } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import * as ContainerEnvironment from "../container/ContainerEnvironment.js"
import * as EnvironmentSources from "../container/EnvironmentSources.js"
import type * as ContainerImages from "../container/ContainerImages.js"
import type * as FieldValues from "../container/FieldValues.js"
import type { ContainerConfigError, ImageUnavailable, VolumeSetupError } from "../pod/PodError.js"
import * as PodBrand from "../pod/PodBrand.js"
import * as PodEvents from "../pod/PodEvents.js"
import * as PodSandbox from "../pod/PodSandbox.js"
import type * as SandboxSteps from "../pod/SandboxSteps.js"
import { sharedDirectory } from "../internal/sharedDirectory.js"
import * as RootBeginnings from "../supervisor/RootBeginnings.js"
import type { SupervisorFileFailed } from "../supervisor/SupervisorError.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type * as Files from "../supervisor/SupervisorFiles.js"
import * as BringUpSources from "../volume/BringUpSources.js"
import * as PodSources from "../volume/PodSources.js"
import type * as PodTokens from "../volume/PodTokens.js"
import * as PodVolumes from "../volume/PodVolumes.js"

/** What a step can fail with; all of it is tried again. @category errors */
export type BringUpError =
  | ClientError.ClientError
  | PodSandbox.SandboxError
  | ContainerConfigError
  | ImageUnavailable
  | VolumeSetupError
  | SupervisorFileFailed

/** @category models */
export interface Services {
  readonly dataDir: string
  readonly client: ApiClient.Service
  readonly sandbox: PodSandbox.PodSandbox["Type"]
  readonly supervisor: SupervisorClient.SupervisorClient["Type"]
  readonly images: Effect.Effect.Success<ReturnType<typeof ContainerImages.resolver>>
  readonly tokens: PodTokens.PodTokens
  /** What is remembered of ConfigMaps and Secrets. */
  readonly remembered: PodSources.Reader
  readonly factsOf: (addresses: ReadonlyArray<string>) => FieldValues.PodFacts
  /** The specification of a pod with these processes, as it is first handed over. */
  readonly specOf: (pod: CoreV1.Pod, containers: ReadonlyArray<Files.ContainerSpec>) => Files.PodSpec
  readonly emit: (pod: CoreV1.Pod, events: ReadonlyArray<PodEvents.PodEvent>) => Effect.Effect<void>
}

/** @category models */
export interface PodBringUp {
  /** Its images are on this host. Where images are not used there is nothing to bring. */
  readonly images: Effect.Effect<ContainerImages.Resolved | undefined, BringUpError>
  /** Its volumes are on this host. */
  readonly volumes: Effect.Effect<void, BringUpError>
  /** It has an address. */
  readonly address: Effect.Effect<void, BringUpError>
  /** The zone as it shall be. Nothing is done to it yet. */
  readonly zone: Effect.Effect<SandboxSteps.Bringing<PodSandbox.SandboxError>, BringUpError>
  readonly step: (name: SandboxSteps.StepName) => Effect.Effect<void, BringUpError>
  /** Its processes, as its specification and its images say now. */
  readonly processes: Effect.Effect<ReadonlyArray<Files.ContainerSpec>, BringUpError>
  /** Hash over what their environments are taken from beside the pod. */
  readonly environment: Effect.Effect<string, BringUpError>
  /** Hands it over to the supervisor for the first time. */
  readonly handOver: Effect.Effect<void, BringUpError>
}

/** Worked out once; what failed is worked out again. */
const once = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  let known: { readonly value: A } | undefined
  return Effect.suspend(() =>
    known !== undefined ? Effect.succeed(known.value) : Effect.tap(effect, (value) => Effect.sync(() => void (known = { value }))))
}

/** What there is of a pod already. @category models */
export interface Present {
  /** Nothing of it was handed over yet. */
  readonly isNew: boolean
  /** The images, by container, that its containers shall have, where those are not the ones that the pod names by now. */
  readonly images?: Plan.Digests | undefined
}

/**
 * The steps for one pod as it is now.
 *
 * @category constructors
 */
export const make = (services: Services): Effect.Effect<(pod: CoreV1.Pod, present: Present) => PodBringUp, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => (pod, { images: kept, isNew }) => {
    const { client, dataDir, emit, factsOf, sandbox, supervisor, tokens } = services
    const reader = BringUpSources.reader(client, services.remembered)
    const { uid } = PodSandbox.identityOf(pod)
    const address = once(sandbox.address(pod))
    const images = once(Effect.gen(function*() {
      const handler = yield* PodBrand.handlerOf(client, pod)
      const asked = pod.metadata.annotations?.[PodBrand.annotation] ?? handler
      return { handler, pulled: yield* services.images.resolve(pod, asked, isNew) }
    }))
    const inputs = once(Effect.gen(function*() {
      const sources = yield* PodSources.read(client, tokens, pod, reader)
      const { pulled } = yield* images
      return { pod, facts: factsOf(PodSandbox.addressesOf(yield* address)), sources, images: pulled?.containers }
    }))
    const volumes = once(Effect.flatMap(inputs, (inputs) => PodVolumes.prepare(dataDir, inputs)).pipe(Effect.provideService(FileSystem.FileSystem, fs)))
    const zone = once(Effect.gen(function*() {
      const lease = yield* address
      const { handler, pulled } = yield* images
      const mounted = yield* volumes
      const shared = yield* supervisor.prepare(uid)
      const roots = pulled === undefined || kept === undefined
        ? pulled?.facts.roots
        : yield* sandbox.roots.ofImages(PodSandbox.identityOf(pod), pulled.facts.roots, kept)
      const bringing = yield* sandbox.bringing(pod, lease, [sharedDirectory(shared), ...mounted], {
        handler,
        ...pulled?.facts,
        roots,
        remember: (beginnings) => RootBeginnings.write(dataDir, uid, beginnings).pipe(Effect.provideService(FileSystem.FileSystem, fs))
      })
      yield* emit(pod, bringing.events)
      return bringing
    }))
    const processes = Effect.flatMap(inputs, (inputs) => ContainerEnvironment.processes(inputs))
    const environment = Effect.map(inputs, ({ sources }) => EnvironmentSources.hashOf(pod, sources))
    return {
      images: Effect.map(images, ({ pulled }) => pulled),
      volumes: Effect.asVoid(volumes),
      address: Effect.asVoid(address),
      zone,
      step: (name) => Effect.flatMap(zone, ({ step }) => step(name)),
      processes,
      environment,
      handOver: Effect.gen(function*() {
        const containers = yield* processes
        yield* emit(pod, PodEvents.invalidVariables(pod, yield* inputs))
        yield* supervisor.submit({ ...services.specOf(pod, containers), environment: yield* environment })
      })
    }
  })
