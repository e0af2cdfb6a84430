/** What the probes of a container mean for its pod. Pure. */
import { type CoreV1, PodPhase, PodResources, Timestamp } from "@reddwarf/api-types"
import { Probe, type ProbeManager, ProbeOutcome, type ProbeSnapshot } from "@reddwarf/probes"
import type * as Files from "../supervisor/SupervisorFiles.js"
import type * as RestartRequest from "../supervisor/RestartRequest.js"
import type { PodEvent } from "./PodEvents.js"

/** What the probes of a container that is up say about it. @category models */
export interface Verdict {
  readonly started: boolean
  readonly ready: boolean
}

/** The containers of a pod that may have probes. @category combinators */
export const probed = ({ spec }: CoreV1.Pod): ReadonlyArray<CoreV1.Container> =>
  [...(spec?.initContainers ?? []).filter(PodResources.isSidecar), ...spec?.containers ?? []].filter((container) =>
    container.livenessProbe !== undefined || container.readinessProbe !== undefined || container.startupProbe !== undefined)

/** The probes to run now: of a pod that is asked to stop, only those that decide whether it still gets requests. @category combinators */
export const probesOf = (pod: CoreV1.Pod, container: CoreV1.Container, address: string): ReadonlyArray<Probe.Probe> => {
  const all = Probe.all(container, address)
  return PodPhase.isTerminating(pod) ? all.filter(({ kind }) => kind === "readiness") : all
}

/** Whether a container has been started with everything that belongs to it, so that probing can begin. @category combinators */
export const isUp = (state: Files.ContainerState | undefined): state is Files.ContainerState =>
  state?.phase === "running" && (state.hooks?.postStart ?? "done") === "done"

/** @category combinators */
export const verdict = ({ readiness = "Success", startup = "Success" }: Partial<ProbeManager.ProbeResults>): Verdict => {
  const started = startup === "Success"
  return { started, ready: started && readiness === "Success" }
}

/**
 * What the status of a container says about its probes, for when the record of them is lost: who was ready stays ready until its probes say
 * otherwise. Undefined when it speaks of another run of the container.
 *
 * @category combinators
 */
export const shown = (pod: CoreV1.Pod, name: string, state: Files.ContainerState): ProbeSnapshot.ProbeSnapshot | undefined => {
  const { status } = pod
  const before = [...status?.containerStatuses ?? [], ...status?.initContainerStatuses ?? []].find((other) => other.name === name)
  if (before?.ready !== true || before.containerID?.endsWith(`/${name}/${state.attempt}`) !== true || before.state?.running === undefined) return undefined
  return {
    instance: String(state.attempt),
    readiness: { result: "Success", last: "Success", run: 1, held: false },
    startup: { result: "Success", last: "Success", run: 1, held: true }
  }
}

const titles: Readonly<Record<Probe.ProbeKind, string>> = { liveness: "Liveness", readiness: "Readiness", startup: "Startup" }

/** An event's message is no longer than this. */
const longestMessage = 1024

/** What users are told of an attempt; nothing of one that went well. @category combinators */
export const eventOf = (container: string, kind: Probe.ProbeKind, outcome: ProbeOutcome.ProbeOutcome): PodEvent | undefined => {
  const warning = (reason: string, message: string): PodEvent => ({ type: "Warning", reason, message: message.slice(0, longestMessage), container })
  const title = titles[kind]
  return ProbeOutcome.ProbeOutcome.$match(outcome, {
    Success: ({ warning: told }) => told === undefined ? undefined : warning("ProbeWarning", `${title} probe warning: ${told}`),
    Failure: ({ message }) => warning("Unhealthy", `${title} probe failed: ${message}`),
    Unknown: ({ message }) => warning("Unhealthy", `${title} probe errored and resulted in unknown state: ${message}`)
  })
}

/** The probe that says that the container must be restarted, if one does. @category combinators */
export const failed = ({ liveness, startup }: Partial<ProbeManager.ProbeResults>): "liveness" | "startup" | undefined =>
  liveness === "Failure" ? "liveness" : startup === "Failure" ? "startup" : undefined

/** The request to restart a container. @category constructors */
export const restartRequest = (
  pod: CoreV1.Pod,
  container: CoreV1.Container,
  { attempt }: Files.ContainerState,
  kind: "liveness" | "startup",
  now: number
): RestartRequest.RestartRequest => ({
  requestId: `${container.name}/${attempt}/${kind}`,
  container: container.name,
  attempt,
  requestedAt: now,
  graceSeconds: Probe.graceSeconds(container, kind) ?? pod.spec?.terminationGracePeriodSeconds ?? 30
})

/** What users are told when a container is ended because of a probe. @category constructors */
export const killing = (pod: CoreV1.Pod, container: CoreV1.Container, kind: "liveness" | "startup"): PodEvent => {
  const isSidecar = PodResources.isSidecar(container)
  const restarts = isSidecar || (container.restartPolicy ?? pod.spec?.restartPolicy) !== "Never"
  const what = isSidecar ? "Init container" : "Container"
  return {
    type: "Normal",
    reason: "Killing",
    message: `${what} ${container.name} failed ${kind} probe${restarts ? ", will be restarted" : ""}`,
    container: container.name
  }
}

/** When a run of a container began, in milliseconds since the epoch. @category combinators */
export const startOf = (pod: CoreV1.Pod, { startedAt }: Files.ContainerState): number =>
  startedAt ?? Timestamp.toMillis(pod.status?.startTime) ?? 0
