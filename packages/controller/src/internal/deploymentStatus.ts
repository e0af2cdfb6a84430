/** What a Deployment says of its pods and of its progress. Pure; times are milliseconds since the epoch. */
import { type AppsV1, Timestamp } from "@reddwarf/api-types"
import * as revisions from "./deploymentRevisions.js"
import * as sizes from "./deploymentSizes.js"

type Condition = AppsV1.DeploymentCondition
type Status = AppsV1.DeploymentStatus

/** The largest number of seconds: a deadline that never passes. */
const never = 2 ** 31 - 1

export const hasDeadline = ({ spec }: AppsV1.Deployment): boolean =>
  spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== never

export const progressing = (status: Status | undefined): Condition | undefined => status?.conditions?.find(({ type }) => type === "Progressing")

const conditionAt = (type: string, status: string, reason: string, message: string, now: number): Condition => {
  const time = Timestamp.secondsFromMillis(now)
  return { type, status, lastUpdateTime: time, lastTransitionTime: time, reason, message }
}

export const progress = (status: string, reason: string, message: string, now: number): Condition => conditionAt("Progressing", status, reason, message, now)

const without = (conditions: ReadonlyArray<Condition>, type: string): ReadonlyArray<Condition> => conditions.filter((each) => each.type !== type)

/** The conditions with this one, which moves to the end. One of the same status and reason stays as it is, message included. */
export const withCondition = (conditions: ReadonlyArray<Condition>, condition: Condition): ReadonlyArray<Condition> => {
  const old = conditions.find(({ type }) => type === condition.type)
  if (old !== undefined && old.status === condition.status && old.reason === condition.reason) return conditions
  const { lastTransitionTime } = old?.status === condition.status ? old : condition
  return [...without(conditions, condition.type), { ...condition, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }]
}

const count = (sets: ReadonlyArray<AppsV1.ReplicaSet>, of: (status: AppsV1.ReplicaSetStatus) => number | undefined): number =>
  sets.reduce((total, { status }) => total + (status === undefined ? 0 : of(status) ?? 0), 0)

/** The numbers, and the condition `Available`. */
export const describe = (deployment: AppsV1.Deployment, sets: revisions.Sets, now: number): Status => {
  const all = revisions.all(sets)
  const replicas = count(all, (status) => status.replicas)
  const availableReplicas = count(all, (status) => status.availableReplicas)
  const { collisionCount, conditions = [] } = deployment.status ?? {}
  const available = availableReplicas >= sizes.desired(deployment) - sizes.maxUnavailable(deployment)
    ? conditionAt("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
    : conditionAt("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now)
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas,
    updatedReplicas: sets.current?.status?.replicas ?? 0,
    readyReplicas: count(all, (status) => status.readyReplicas),
    availableReplicas,
    // Those that could not even be made are missing as well.
    unavailableReplicas: Math.max(0, sizes.total(all) - availableReplicas),
    terminatingReplicas: count(all, (status) => status.terminatingReplicas),
    conditions: withCondition(conditions, available),
    ...(collisionCount === undefined ? {} : { collisionCount })
  }
}

/** Everything is as asked for: all pods are of the current template and available, and no old one runs. */
export const isComplete = (deployment: AppsV1.Deployment, status: Status | undefined): boolean => {
  const replicas = sizes.desired(deployment)
  return (status?.updatedReplicas ?? 0) === replicas && (status?.replicas ?? 0) === replicas && (status?.availableReplicas ?? 0) === replicas &&
    (status?.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
}

const oldReplicas = ({ replicas = 0, updatedReplicas = 0 }: Status): number => replicas - updatedReplicas

const hasProgressed = (old: Status, next: Status): boolean =>
  (next.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) || oldReplicas(next) < oldReplicas(old) ||
  (next.readyReplicas ?? 0) > (old.readyReplicas ?? 0) || (next.availableReplicas ?? 0) > (old.availableReplicas ?? 0)

const deadline = (deployment: AppsV1.Deployment, condition: Condition): number =>
  (Timestamp.toMillis(condition.lastUpdateTime) ?? 0) + 1000 * (deployment.spec?.progressDeadlineSeconds ?? 0)

const hasTimedOut = (deployment: AppsV1.Deployment, condition: Condition | undefined, now: number): boolean => {
  if (condition === undefined || condition.reason === "NewReplicaSetAvailable") return false
  return condition.reason === "ProgressDeadlineExceeded" || deadline(deployment, condition) < now
}

const failureOf = ({ current, old }: revisions.Sets): Condition | undefined => {
  const found = (current === undefined ? old : [current, ...old]).flatMap(({ status }) => status?.conditions ?? []).find(({ type }) => type === "ReplicaFailure")
  if (found === undefined) return undefined
  const { lastTransitionTime, ...rest } = found
  return { ...rest, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime, lastUpdateTime: lastTransitionTime }) }
}

const progressOf = (deployment: AppsV1.Deployment, next: Status, sets: revisions.Sets, now: number): ReadonlyArray<Condition> => {
  const conditions = next.conditions ?? []
  const condition = progressing(deployment.status)
  const who = sets.current === undefined ? `Deployment "${deployment.metadata.name ?? ""}"` : `ReplicaSet "${sets.current.metadata.name ?? ""}"`
  if (isComplete(deployment, next)) return withCondition(conditions, progress("True", "NewReplicaSetAvailable", `${who} has successfully progressed.`, now))
  if (hasProgressed(deployment.status ?? {}, next)) {
    const fresh = progress("True", "ReplicaSetUpdated", `${who} is progressing.`, now)
    const since = condition?.status === "True" ? condition.lastTransitionTime : undefined
    // Even with the same reason: the time of the last progress is what the deadline counts from.
    return [...without(conditions, "Progressing"), { ...fresh, ...(since === undefined ? {} : { lastTransitionTime: since }) }]
  }
  return hasTimedOut(deployment, condition, now)
    ? withCondition(conditions, progress("False", "ProgressDeadlineExceeded", `${who} has timed out progressing.`, now))
    : conditions
}

/** `describe`, with how the update goes. */
export const describeProgress = (deployment: AppsV1.Deployment, sets: revisions.Sets, now: number): Status => {
  const next = describe(deployment, sets, now)
  const before = progressing(deployment.status)
  const wasComplete = next.replicas === next.updatedReplicas && before?.reason === "NewReplicaSetAvailable"
  const progressed = !hasDeadline(deployment) ? without(next.conditions ?? [], "Progressing") : wasComplete ? next.conditions ?? [] : progressOf(deployment, next, sets, now)
  const failure = failureOf(sets)
  return { ...next, conditions: failure === undefined ? without(progressed, "ReplicaFailure") : withCondition(progressed, failure) }
}

/** Milliseconds until the deadline has to be looked at; undefined if there is none to miss. */
export const untilDeadline = (deployment: AppsV1.Deployment, status: Status, now: number): number | undefined => {
  const condition = progressing(status)
  if (!hasDeadline(deployment) || condition === undefined || deployment.spec?.paused === true) return undefined
  if (isComplete(deployment, status) || condition.reason === "ProgressDeadlineExceeded" || condition.reason === "NewReplicaSetAvailable") return undefined
  return Math.max(0, deadline(deployment, condition) - now) + 1000
}

const numbers = [
  "observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount"
] as const

/** Whether two statuses say the same; numbers that are 0 may be left out. */
export const isSame = (a: Status | undefined, b: Status): boolean =>
  numbers.every((name) => (a?.[name] ?? 0) === (b[name] ?? 0)) && JSON.stringify(a?.conditions ?? []) === JSON.stringify(b.conditions ?? [])
