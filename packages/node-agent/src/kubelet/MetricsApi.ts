/**
 * `/metrics` of the kubelet API: what the agent counts, with Kubernetes' own names where it has one.
 *
 * Source: https://kubernetes.io/docs/reference/instrumenting/metrics/
 */
import { type CoreV1, PodPhase } from "@reddwarf/api-types"
import { PlanMetrics, type ZoneReconciler } from "@reddwarf/plans"
import { ProcessMetrics, PrometheusText } from "@reddwarf/telemetry"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import type { PodSandbox } from "../pod/PodSandbox.js"
import type { SupervisorClient } from "../supervisor/SupervisorClient.js"
import type { Answer } from "./StatsApi.js"

const nodeName = Metric.gauge("kubelet_node_name", { description: "1, with the node's name as a label" })
const desiredPods = Metric.gauge("kubelet_desired_pods", { description: "Pods of this node that are not over" })
const runningPods = Metric.gauge("kubelet_running_pods", { description: "Pods of which a container runs" })
const runningContainers = Metric.gauge("kubelet_running_containers", { description: "Containers, by where they are" })
const restarts = Metric.gauge("reddwarf_container_restarts", { description: "Restarts of the containers that are here" })
const zonesByState = Metric.gauge("reddwarf_zones", { description: "Zones of the host, by state" })

/** As the kubelet calls what the supervisor knows. */
const containerStates = { waiting: "created", starting: "created", running: "running", backOff: "exited", finished: "exited" } as const

const zoneStates = ["configured", "incomplete", "installed", "ready", "mounted", "running", "shutting_down", "down"] as const

/** @category models */
export interface Options {
  readonly nodeName: string
  /** The pods of this node. */
  readonly pods: () => ReadonlyArray<CoreV1.Pod>
  readonly supervisor: SupervisorClient["Type"]
  readonly sandbox: Pick<PodSandbox["Type"], "zoneStates">
  /** What is to be counted about single zones and their plans now. */
  readonly series: ZoneReconciler.ZoneReconciler["series"]
}

const setAll = (metric: Metric.Metric.Gauge<number>, label: string, counts: ReadonlyMap<string, number>): Effect.Effect<void> =>
  Effect.forEach(counts, ([value, count]) => Metric.set(Metric.tagged(metric, label, value), count), { discard: true })

/** How many there are of each; those of which there are none are counted as well, so that no old value stays. */
const tally = (all: ReadonlyArray<string>, found: Iterable<string>): ReadonlyMap<string, number> => {
  const counts = new Map(all.map((one) => [one, 0]))
  for (const one of found) counts.set(one, (counts.get(one) ?? 0) + 1)
  return counts
}

/**
 * Reads what is there now into the metrics and gives the text. What cannot be read keeps its last value.
 *
 * @category constructors
 */
export const make = ({ nodeName: name, pods, sandbox, series, supervisor }: Options): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    yield* ProcessMetrics.refresh
    yield* Metric.set(Metric.tagged(nodeName, "node", name), 1)
    yield* Metric.set(desiredPods, pods().filter((pod) => !PodPhase.isTerminal(pod)).length)
    const uids = yield* Effect.orElseSucceed(supervisor.list, (): ReadonlyArray<string> => [])
    const read = yield* Effect.forEach(uids, (uid) => Effect.orElseSucceed(supervisor.read(uid), () => Option.none()), { concurrency: 8 })
    const states = read.flatMap((found) => Option.toArray(Option.flatMap(found, ({ state }) => state)))
    const containers = states.flatMap((state) => state.containers)
    yield* setAll(runningContainers, "container_state", tally(["created", "running", "exited"], containers.map(({ phase }) => containerStates[phase])))
    yield* Metric.set(runningPods, states.filter((state) => state.containers.some(({ phase }) => phase === "running")).length)
    yield* Metric.set(restarts, containers.reduce((sum, { attempt }) => sum + Math.max(0, attempt), 0))
    const zones = yield* Effect.option(sandbox.zoneStates)
    if (Option.isSome(zones)) yield* setAll(zonesByState, "state", tally(zoneStates, zones.value.values()))
    const plans = PrometheusText.gauges(yield* series, PlanMetrics.seriesHelp)
    return { status: 200, contentType: PrometheusText.contentType, body: `${yield* PrometheusText.current}${plans}` }
  })
