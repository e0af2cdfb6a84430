/** What of a pod that runs is kept up to date with what it is made from: the files of its volumes, and what its containers are started with next. */
import type * as FileSystem from "@effect/platform/FileSystem"
import type { CoreV1 } from "@reddwarf/api-types"
import type { ApiClient } from "@reddwarf/client"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EnvironmentRenewal from "../container/EnvironmentRenewal.js"
import type * as FieldValues from "../container/FieldValues.js"
import type { ServiceWatch } from "../container/ServiceWatch.js"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type { PodTokens } from "../volume/PodTokens.js"
import * as VolumeRefresh from "../volume/VolumeRefresh.js"
import * as PodResize from "./PodResize.js"
import * as PodSandbox from "./PodSandbox.js"

/** @category models */
export interface Services extends Pick<EnvironmentRenewal.Services, "dataDir" | "emit" | "remembered"> {
  readonly client: ApiClient.Service
  readonly tokens: PodTokens
  readonly sandbox: Pick<PodSandbox.PodSandbox["Type"], "findAddress">
  readonly services: Pick<ServiceWatch, "version">
  readonly factsOf: (addresses: ReadonlyArray<string>) => FieldValues.PodFacts
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  readonly allocatable: PodResize.Capacity
}

/** @category models */
export interface PodUpkeep {
  /** Brings the files of a running pod up to date. */
  readonly volumes: (pod: CoreV1.Pod) => Effect.Effect<void>
  /**
   * Brings what the containers of a pod are started with next up to date. `isUrgent`: one of them is about to start, so that nothing is told from
   * memory. Nothing is done before the Services are known.
   */
  readonly environments: (pod: CoreV1.Pod, known: Option.Option<SupervisorClient.SupervisedPod>, isUrgent: boolean) => Effect.Effect<void>
  /** When to look once more because a container is about to be started again; undefined when none is, as far as is known. */
  readonly due: (pod: CoreV1.Pod, known: Option.Option<SupervisorClient.SupervisedPod>) => Effect.Effect<Duration.Duration | undefined>
  /** Whether the last looks at both had nothing left to write. */
  readonly isUpToDate: (pod: CoreV1.Pod) => boolean
  readonly forget: (uid: string) => void
}

/** @category constructors */
export const make = (services: Services): Effect.Effect<PodUpkeep, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const { client, dataDir, factsOf, remembered, sandbox, tokens } = services
    const refresher = yield* VolumeRefresh.make(client, tokens, dataDir, remembered)
    const renewal = yield* EnvironmentRenewal.make(services)

    const addressesOf = (pod: CoreV1.Pod) =>
      Effect.map(
        sandbox.findAddress(pod.metadata.uid ?? ""),
        Option.match({ onNone: () => PodSandbox.shownAddresses(pod), onSome: PodSandbox.addressesOf })
      )

    return {
      volumes: (pod) =>
        refresher.concerns(pod) ? Effect.flatMap(addressesOf(pod), (addresses) => refresher.refresh(pod, factsOf(addresses))) : Effect.void,
      due: (pod, known) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const delay = Option.isNone(known) ? undefined : EnvironmentRenewal.dueIn(pod, known.value, now)
          return delay === undefined ? undefined : Duration.millis(delay)
        }),
      environments: (pod, known, isUrgent) =>
        Effect.gen(function*() {
          const version = services.services.version()
          if (version === undefined || Option.isNone(known) || known.value.spec.desired.state === "stop") return
          const addresses = yield* addressesOf(pod)
          yield* renewal.renew(PodResize.granted(pod, services.pods, services.allocatable), known.value.spec, {
            addresses,
            facts: () => factsOf(addresses),
            services: version,
            next: isUrgent ? "now" : EnvironmentRenewal.nextOf(known.value)
          })
        }),
      isUpToDate: (pod) => {
        const { uid = "" } = pod.metadata
        return renewal.isWritten(uid) && (!refresher.concerns(pod) || refresher.isWritten(uid))
      },
      forget: (uid) => {
        refresher.forget(uid)
        renewal.forget(uid)
      }
    }
  })
