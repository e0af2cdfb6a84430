/** What a look at the host says about a status, apart from plans. */
import { Timestamp } from "@reddwarf/api-types"
import * as Conditions from "../Conditions.js"
import type { Drift } from "../Drift.js"
import * as DriftDetector from "../DriftDetector.js"
import type { Digests } from "../Plan.js"
import * as PlanOutcome from "../PlanOutcome.js"
import * as PlanState from "../PlanState.js"
import * as Target from "../Target.js"
import type { Current, Status } from "../ZoneInstance.js"
import * as canonicalJson from "./canonicalJson.js"

/** How long a zone may stay mounted by an administrator before it is said to be stuck, in ms. */
const mountedLimit = 600_000

const withDigests = (current: Current, digests: Digests): Current => {
  const entries = Object.entries(digests)
  const before = current.containers ?? []
  const isSame = entries.length === before.length && before.every(({ digest, name }) => digests[name] === digest)
  return isSame ? current : { ...current, containers: entries.map(([name, digest]) => ({ name, digest })) }
}

const put = <K extends keyof Current>(current: Current, key: K, value: Current[K]): Current =>
  value === undefined || canonicalJson.same(current[key], value) ? current : { ...current, [key]: value }

/** What is seen now; nothing is exchanged that did not change. */
const current = ({ observation }: DriftDetector.Input, status: Status): Current => {
  let now: Current = status.current ?? {}
  if (observation.digests.known && Object.keys(observation.digests.value).length > 0) {
    const noted = Object.fromEntries((now.containers ?? []).map(({ digest, name }) => [name, digest]))
    now = withDigests(now, { ...noted, ...observation.digests.value })
  }
  if (observation.caps.known) now = put(now, "caps", observation.caps.value.live)
  now = put(now, "mounts", observation.mounts)
  if (observation.network.known) {
    now = put(now, "vnic", observation.network.value.vnic)
    now = put(now, "ip", observation.network.value.ip)
  }
  return now
}

const resize = (input: DriftDetector.Input, status: Status): Status => {
  const { instance: { metadata: { generation } }, now, observation: { caps } } = input
  if (!caps.known) return status
  const change = caps.value.change ?? "possible"
  return change === "possible" || DriftDetector.differentCaps(input).length === 0
    ? Conditions.clear(status, { type: "PodResizePending", reason: "Resized", message: "no change of caps waits" }, generation, now)
    : Conditions.set(
      status,
      change === "infeasible"
        ? { type: "PodResizePending", status: "True", reason: "Infeasible", message: "this host cannot change these caps of a running zone" }
        : { type: "PodResizePending", status: "True", reason: "Deferred", message: "there is no room now: the caps change when there is" },
      generation,
      now
    )
}

const resizing = ({ instance: { metadata: { generation } }, now }: DriftDetector.Input, status: Status): Status => {
  const { plan } = status
  if (plan?.type !== "caps-update" || plan.phase !== "Active") {
    return Conditions.clear(status, { type: "PodResizeInProgress", reason: "Resized", message: "no caps are being changed" }, generation, now)
  }
  const failing = plan.tasks.find(({ error, status }) => status !== "Complete" && error !== undefined)
  return Conditions.set(
    status,
    {
      type: "PodResizeInProgress",
      status: "True",
      reason: "InProgress",
      message: failing?.error ?? "the caps of the zone are being changed"
    },
    generation,
    now
  )
}

const stuck = (input: DriftDetector.Input, status: Status): Status => {
  const { instance: { metadata: { generation } }, now, observation: { zone }, transientSince } = input
  if (!zone.known) return status
  const since = transientSince === undefined ? 0 : now - transientSince
  const message = zone.value.state === "mounted" && since >= mountedLimit
    ? "the zone is mounted by an administrator's tool: it is left alone"
    : DriftDetector.isStuck(input) && status.lastPlan?.type === "restart" && status.lastPlan.outcome === "Failed"
    ? `the zone stays in state ${zone.value.state}, and halting it does not help: look at the zone on its node`
    : undefined
  return message === undefined
    ? Conditions.clear(status, { type: "ZoneStuck", reason: "Moved", message: "the zone is not stuck" }, generation, now)
    : Conditions.set(status, { type: "ZoneStuck", status: "True", reason: "Stuck", message }, generation, now)
}

/** The status with what was observed, before anything is decided. */
export const observed = (input: DriftDetector.Input, before: Status): Status => {
  const { instance, observation } = input
  let status = before
  const now = current(input, status)
  if (now !== (status.current ?? now)) status = { ...status, current: now }
  else if (status.current === undefined && Object.keys(now).length > 0) status = { ...status, current: now }
  if (observation.restarts !== undefined && observation.restarts !== (status.restarts ?? 0)) {
    status = { ...status, restarts: observation.restarts }
  }
  if (observation.zone.known && observation.zone.value.name !== undefined && observation.zone.value.name !== status.zoneName) {
    status = { ...status, zoneName: observation.zone.value.name }
  }
  const { generation } = instance.metadata
  if (generation !== undefined && generation !== status.observedGeneration) status = { ...status, observedGeneration: generation }
  // A zone that runs and that no plan of this ledger made: taken over as it is.
  const adopted = (status.phase === undefined || status.phase === "Pending") && status.plan === undefined && status.lastPlan === undefined &&
    observation.zone.known && observation.zone.value.state === "running"
  if (adopted) status = PlanState.setPhase(status, "Running", input.now)
  return stuck(input, resizing(input, resize(input, status)))
}

/** The status of a zone with which nothing is done now. */
export const settled = (input: DriftDetector.Input, before: Status, drifts: ReadonlyArray<Drift>): Status => {
  const { instance, now, observation } = input
  const runs = observation.zone.known && observation.zone.value.state === "running"
  let status = before
  if (!runs || drifts.length > 0) return status.healthySince === undefined ? status : { ...status, healthySince: undefined }
  if (status.phase === "Degraded") status = PlanState.setPhase(status, "Running", now)
  const at = status.current ?? {}
  // Roots without a digest are taken to be what is wanted, so that a newer agent does not replace a whole fleet.
  const unlabelled = Object.entries(Target.digests(instance, observation)).filter(([name]) =>
    DriftDetector.currentDigest(status, observation, name) === undefined
  )
  const noted = Object.fromEntries((at.containers ?? []).map(({ digest, name }) => [name, digest]))
  const labelled = unlabelled.length === 0 ? at : withDigests(at, { ...noted, ...Object.fromEntries(unlabelled) })
  const everythingSeen = observation.digests.known && observation.config.known && observation.caps.known && observation.network.known
  const failed = status.failedDigests !== undefined
  const reached = everythingSeen && !failed && labelled.specHash !== instance.spec.specHash
    ? { ...labelled, specHash: instance.spec.specHash }
    : labelled
  if (reached !== at) status = { ...status, current: reached }
  if (Object.keys(status.consecutiveFailures ?? {}).length === 0) return status
  const since = Timestamp.toMillis(status.healthySince)
  if (since === undefined) return { ...status, healthySince: Timestamp.microsFromMillis(now) }
  return now - since < PlanOutcome.healthyAfter
    ? status
    : { ...status, consecutiveFailures: undefined, healthySince: undefined, backoffTarget: undefined }
}
