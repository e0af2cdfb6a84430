/** How good each feasible node is to each plugin that scores, 0 to 100. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as affinity from "./affinity.js"
import { allocatable, request, scoringRequest, scoringUsed, used } from "./amounts.js"
import { termMatches, toleratesTaint } from "./matching.js"
import * as spread from "./spread.js"
import * as storage from "./storage.js"
import type { World } from "./world.js"

type Score = (world: World, pod: CoreV1.Pod, feasible: ReadonlyArray<CoreV1.Node>) => ReadonlyArray<number>

const fit = ["cpu", "memory"]

const mean = (numbers: ReadonlyArray<number>): number => numbers.length === 0 ? 0 : numbers.reduce((sum, each) => sum + each, 0) / numbers.length

const leastAllocated: Score = (world, pod, feasible) =>
  feasible.map((node) =>
    Math.trunc(mean(fit.filter((resource) => allocatable(node, resource) > 0).map((resource) => {
      const total = allocatable(node, resource)
      const wanted = scoringUsed(world, node, resource) + scoringRequest(pod, resource)
      return wanted > total ? 0 : Math.trunc(((total - wanted) * 100) / total)
    })))
  )

/** 100 when CPU and memory are used to the same degree, 50 when one is used up and the other not at all. */
const evenness = (world: World, node: CoreV1.Node, more: (resource: string) => number): number => {
  const shares = fit.filter((resource) => allocatable(node, resource) > 0).map((resource) =>
    Math.min(1, (used(world, node, resource) + more(resource)) / allocatable(node, resource))
  )
  const [cpu = 0, memory = cpu] = shares
  return shares.length < 2 ? 100 : Math.trunc((1 - Math.abs((cpu - memory) / 2)) * 100)
}

/** Half of what the pod does to evenness, so that no change is 75. */
const balance: Score = (world, pod, feasible) =>
  feasible.map((node) => 50 + Math.trunc((50 + evenness(world, node, (resource) => request(pod, resource)) - evenness(world, node, () => 0)) / 2))

const asksForNothing = (pod: CoreV1.Pod): boolean => fit.every((resource) => request(pod, resource) === 0)

const unwelcome: Score = (_, pod, feasible) => {
  const counts = feasible.map((node) =>
    (node.spec?.taints ?? []).filter((taint) => taint.effect === "PreferNoSchedule" && !toleratesTaint(pod, taint)).length
  )
  const most = Math.max(...counts)
  return counts.map((count) => most === 0 ? 100 : 100 - Math.trunc((100 * count) / most))
}

const nodeAffinity: Score = (_, pod, feasible) => {
  const terms = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  const sums = feasible.map((node) => terms.filter(({ preference }) => termMatches(preference, node)).reduce((sum, { weight }) => sum + weight, 0))
  const most = Math.max(...sums)
  return sums.map((sum) => most === 0 ? 0 : Math.trunc((100 * sum) / most))
}

const mebibyte = 2 ** 20
const tagged = (image: string): string => image.lastIndexOf(":") > image.lastIndexOf("/") ? image : `${image}:latest`
const imageOn = (node: CoreV1.Node, name: string): CoreV1.ContainerImage | undefined => node.status?.images?.find((image) => image.names?.includes(name))

const imageLocality: Score = (world, pod, feasible) => {
  const images = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map((container) => tagged(container.image ?? ""))
  const least = 23 * mebibyte
  const most = 1000 * mebibyte * images.length
  return feasible.map((node) => {
    const sum = images.reduce((total, name) => {
      const share = world.nodes.filter((each) => imageOn(each, name) !== undefined).length / world.nodes.length
      return total + Math.trunc((imageOn(node, name)?.sizeBytes ?? 0) * share)
    }, 0)
    return Math.trunc((100 * (Math.min(Math.max(sum, least), most) - least)) / (most - least))
  })
}

/** By the name of the plugin. */
export const scores: Readonly<Record<string, Score>> = {
  TaintToleration: unwelcome,
  NodeAffinity: nodeAffinity,
  NodeResourcesFit: leastAllocated,
  PodTopologySpread: (world, pod, feasible) => spread.scores(world, pod, feasible) ?? feasible.map(() => 0),
  InterPodAffinity: (world, pod, feasible) => affinity.normalized(feasible.map((node) => affinity.raw(world, pod, node))),
  NodeResourcesBalancedAllocation: (world, pod, feasible) => asksForNothing(pod) ? feasible.map(() => 0) : balance(world, pod, feasible),
  ImageLocality: imageLocality,
  ZfsCapacity: (world, pod, feasible) => feasible.map((node) => storage.score(world, pod, node))
}
