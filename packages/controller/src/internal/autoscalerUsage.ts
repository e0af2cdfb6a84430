/**
 * How many replicas a measured resource asks for. Pods that are not ready, or of which nothing is measured, never make the answer more
 * daring: towards more they count as idle, towards fewer as busy as they should be.
 */
import { type CoreV1, type MetricsV1beta1, PodPhase, Quantity, Timestamp } from "@reddwarf/api-types"
import * as Either from "effect/Either"

/** What one pod should use: a percentage of its request, or an amount in thousandths of the unit. */
export type Target =
  | { readonly type: "Utilization"; readonly percent: number }
  | { readonly type: "AverageValue"; readonly millis: number }

/** How far from 1 the ratio of usage to target may be without anything being done, in both directions. */
export interface Tolerance {
  readonly up: number
  readonly down: number
}

export interface Question {
  readonly current: number
  readonly resource: string
  /** Only this container of each pod counts. */
  readonly container: string | undefined
  readonly target: Target
  readonly tolerance: Tolerance
  readonly pods: ReadonlyArray<CoreV1.Pod>
  readonly metrics: ReadonlyArray<MetricsV1beta1.PodMetrics>
  /** Milliseconds since the epoch. */
  readonly now: number
}

export interface Answer {
  readonly replicas: number
  /** Percent of the requests, for a target of that kind. */
  readonly utilization: number | undefined
  /** Of the pods that were measured, in thousandths of the unit. */
  readonly average: number
}

/** Pods use much CPU while they start: for so long they count only when they are ready, in milliseconds. */
const initialization = 5 * 60_000

/** A pod that was not ready after this time had been ready before, in milliseconds. */
const initialReadiness = 30_000

/** Thousandths of the unit that each pod uses. Pods of which a container lacks the resource are left out. */
const usages = ({ container, metrics, resource }: Question): Map<string, number> => {
  const found = new Map<string, number>()
  for (const { containers, metadata } of metrics) {
    const chosen = container === undefined ? containers : containers.filter(({ name }) => name === container)
    const amounts = chosen.map(({ usage }) => usage[resource])
    if (amounts.length === 0 || amounts.includes(undefined)) continue
    found.set(metadata.name ?? "", amounts.reduce((sum, amount) => sum + Quantity.toMillis(Quantity.fromText(amount)), 0))
  }
  return found
}

interface Groups {
  readonly ready: number
  readonly unready: ReadonlyArray<string>
  readonly missing: ReadonlyArray<string>
  readonly ignored: ReadonlyArray<string>
}

const windowOf = (metric: MetricsV1beta1.PodMetrics | undefined): number => {
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:([\d.]+)s)?$/.exec(metric?.window ?? "")
  const [hours = 0, minutes = 0, seconds = 0] = (match?.slice(1) ?? []).map((part) => Number(part ?? 0))
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}

/** Whether the CPU that a pod uses says something about its load. */
const isSettled = (pod: CoreV1.Pod, metric: MetricsV1beta1.PodMetrics | undefined, now: number): boolean => {
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready")
  const startedAt = Timestamp.toMillis(pod.status?.startTime)
  if (ready === undefined || startedAt === undefined) return false
  const changedAt = Timestamp.toMillis(ready.lastTransitionTime) ?? 0
  return startedAt + initialization > now
    ? ready.status !== "False" && (Timestamp.toMillis(metric?.timestamp) ?? 0) >= changedAt + windowOf(metric)
    : ready.status !== "False" || startedAt + initialReadiness <= changedAt
}

const group = ({ metrics, now, pods, resource }: Question, used: ReadonlyMap<string, number>): Groups => {
  const byName = new Map(metrics.map((metric) => [metric.metadata.name ?? "", metric]))
  const groups = { ready: 0, unready: new Array<string>(), missing: new Array<string>(), ignored: new Array<string>() }
  for (const pod of pods) {
    const { name = "" } = pod.metadata
    if (PodPhase.isTerminating(pod) || pod.status?.phase === "Failed") groups.ignored.push(name)
    else if (pod.status?.phase === "Pending") groups.unready.push(name)
    else if (!used.has(name)) groups.missing.push(name)
    else if (resource === "cpu" && !isSettled(pod, byName.get(name), now)) groups.unready.push(name)
    else groups.ready++
  }
  return groups
}

/** Thousandths of the unit that each pod asks for; left is which container asks for nothing. */
const requestsOf = ({ container, pods, resource }: Question): Either.Either<ReadonlyMap<string, number>, string> => {
  const requests = new Map<string, number>()
  for (const pod of pods) {
    const { name = "" } = pod.metadata
    const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always")
    let sum = 0
    for (const one of [...(pod.spec?.containers ?? []), ...sidecars]) {
      if (container !== undefined && one.name !== container) continue
      const request = one.resources?.requests?.[resource]
      if (request === undefined) return Either.left(`missing request for ${resource} in container ${one.name} of Pod ${name}`)
      sum += Quantity.toMillis(Quantity.fromText(request))
    }
    requests.set(name, sum)
  }
  return Either.right(requests)
}

interface Measured {
  readonly ratio: number
  readonly utilization: number | undefined
  readonly average: number
}

const total = (values: Iterable<number>): number => [...values].reduce((sum, value) => sum + value, 0)

const measure = (target: Target, used: ReadonlyMap<string, number>, requests: ReadonlyMap<string, number>): Measured | undefined => {
  if (target.type === "AverageValue") {
    const average = total(used.values()) / used.size
    return { ratio: Math.floor(average) / target.millis, utilization: undefined, average: Math.floor(average) }
  }
  const known = [...used].flatMap(([pod, amount]) => {
    const request = requests.get(pod)
    return request === undefined ? [] : [{ amount, request }]
  })
  const requested = total(known.map(({ request }) => request))
  if (requested === 0) return undefined
  const sum = total(known.map(({ amount }) => amount))
  const utilization = Math.floor(sum * 100 / requested)
  return { ratio: utilization / target.percent, utilization, average: Math.floor(sum / known.length) }
}

const isWithin = ({ down, up }: Tolerance, ratio: number): boolean => ratio >= 1 - down && ratio <= 1 + up

/** What a pod of which nothing is measured is taken to use when that would lead to fewer. */
const asTargeted = (target: Target, pod: string, requests: ReadonlyMap<string, number>): number =>
  target.type === "AverageValue" ? target.millis : Math.floor((requests.get(pod) ?? 0) * Math.max(100, target.percent) / 100)

/** The replicas that are asked for, or why they cannot be told. */
export const replicasFor = (question: Question): Either.Either<Answer, string> => {
  const { current, pods, resource, target, tolerance } = question
  const used = usages(question)
  if (used.size === 0) return Either.left(`unable to get metrics for resource ${resource}: no metrics returned from resource metrics API`)
  if (pods.length === 0) return Either.left("no pods returned by selector while calculating replica count")
  const { ignored, missing, ready, unready } = group(question, used)
  for (const pod of [...ignored, ...unready]) used.delete(pod)
  if (used.size === 0) return Either.left("did not receive metrics for targeted pods (pods might be unready)")
  const requests = target.type === "Utilization" ? requestsOf(question) : Either.right(new Map<string, number>())
  if (Either.isLeft(requests)) return Either.left(requests.left)
  const first = measure(target, used, requests.right)
  if (first === undefined) return Either.left("no metrics returned matched known pods")
  const { average, ratio, utilization } = first
  const answer = (replicas: number) => Either.right({ replicas, utilization, average })
  const upWithUnready = unready.length > 0 && ratio > 1
  if (!upWithUnready && missing.length === 0) return answer(isWithin(tolerance, ratio) ? current : Math.ceil(ratio * ready))
  if (ratio < 1) for (const pod of missing) used.set(pod, asTargeted(target, pod, requests.right))
  if (ratio > 1) for (const pod of missing) used.set(pod, 0)
  if (upWithUnready) for (const pod of unready) used.set(pod, 0)
  const again = measure(target, used, requests.right)?.ratio ?? ratio
  // What is not known turned the direction round: then nothing is known.
  if (isWithin(tolerance, again) || (ratio < 1 && again > 1) || (ratio > 1 && again < 1)) return answer(current)
  const replicas = Math.ceil(again * used.size)
  return answer((again < 1 && replicas > current) || (again > 1 && replicas < current) ? current : replicas)
}
