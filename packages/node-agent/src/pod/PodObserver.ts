/** What is seen of a pod on this host, put together from the records of its zone, its address, its probes and its supervisor. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as SupervisorClient from "../supervisor/SupervisorClient.js"
import type * as ContainerStatus from "./ContainerStatus.js"
import * as PodAdmission from "./PodAdmission.js"
import type * as PodProbes from "./PodProbes.js"
import * as PodSandbox from "./PodSandbox.js"
import type * as PodStatus from "./PodStatus.js"

/** @category models */
export interface Services {
  readonly nodeAddress: string
  readonly probes: Pick<PodProbes.PodProbes["Type"], "look">
  readonly sandbox: Pick<PodSandbox.PodSandbox["Type"], "findAddress">
}

/** Puts together what is seen. @category models */
export type PodObserver = (
  pod: CoreV1.Pod,
  supervised: Option.Option<SupervisorClient.SupervisedPod>,
  /** Whether its zone runs. */
  sandboxReady: boolean,
  /** Why containers wait that were not started. */
  waiting?: ContainerStatus.WaitingReason,
  /** Why there is no zone. */
  sandboxProblem?: ContainerStatus.WaitingReason
) => Effect.Effect<PodStatus.Observation>

/** @category constructors */
export const make = ({ nodeAddress, probes, sandbox }: Services): PodObserver => (pod, supervised, sandboxReady, waiting, sandboxProblem) =>
  Effect.gen(function*() {
    const lease = yield* sandbox.findAddress(pod.metadata.uid ?? "")
    const podIPs = Option.getOrUndefined(Option.map(lease, PodSandbox.addressesOf))
    const handed = Option.getOrUndefined(Option.map(supervised, ({ spec }) => spec))
    const processes = handed === undefined ? undefined : [...handed.containers, ...handed.ephemeralContainers ?? []]
    return {
      zone: PodSandbox.namesOf(PodSandbox.identityOf(pod)).zone,
      sandboxReady,
      hostIP: nodeAddress,
      podIPs,
      state: Option.getOrUndefined(Option.flatMap(supervised, ({ state }) => state)),
      waiting,
      processes: processes && new Map(processes.map((process) => [process.name, process])),
      imageIDs: processes && new Map(processes.map(({ imageID = "", name }) => [name, imageID])),
      sandboxProblem,
      verdict: handed?.desired.state === "stop" ? handed.desired.verdict : undefined,
      rejected: PodAdmission.rejection(pod),
      probes: yield* probes.look(pod, supervised, sandboxReady ? podIPs?.[0] : undefined)
    }
  })
