/** Prefers nodes on which the pod makes the use of the resources more even, so that none runs out while much of another one is left. */
import * as Schema from "effect/Schema"
import * as ResourceScore from "../internal/resourceScore.js"
import type { NodeInfo } from "../NodeInfo.js"
import type { PodInfo } from "../PodInfo.js"
import * as PluginFactory from "../PluginFactory.js"
import * as Scores from "../Scores.js"
import type { SchedulerPlugin } from "../SchedulerPlugin.js"

const used = (total: number, amount: number): number => Math.min(1, amount / total)

/** 100 × (1 − standard deviation), for any number of shares. */
const evenness = (shares: ReadonlyArray<number>): number => {
  const [a = 0, b = a] = shares
  // The deviation of two values is half their distance.
  if (shares.length <= 2) return Math.trunc((1 - Math.abs(a - b) / 2) * Scores.max)
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  const squares = shares.reduce((sum, share) => sum + (share - mean) * (share - mean), 0)
  return Math.trunc((1 - Math.sqrt(squares / shares.length)) * Scores.max)
}

/** From 50, what was even becomes as uneven as can be, to 100, the other way round; 75 when the pod changes nothing. */
const improvement = (before: number, after: number): number => Scores.max / 2 + Math.trunc((Scores.max / 2 + after - before) / 2)

const even = (cpu: number, memory: number): number => Math.trunc((1 - Math.abs(cpu - memory) / 2) * Scores.max)

/**
 * How much more even, or less, the use of CPU and memory gets with the pod on the node: 50 to 100, 75 for no change.
 *
 * @category combinators
 */
export const balance = ({ requests }: PodInfo, { allocatable, requested }: NodeInfo): number => {
  const { cpuMillis, memoryBytes } = allocatable
  if (cpuMillis <= 0 || memoryBytes <= 0) return improvement(Scores.max, Scores.max)
  return improvement(
    even(used(cpuMillis, requested.cpuMillis), used(memoryBytes, requested.memoryBytes)),
    even(used(cpuMillis, requested.cpuMillis + requests.cpuMillis), used(memoryBytes, requested.memoryBytes + requests.memoryBytes))
  )
}

const balanceOf = (resources: ReadonlyArray<ResourceScore.ResourceSpec>) => (pod: PodInfo, node: NodeInfo): number => {
  const before: Array<number> = []
  const after: Array<number> = []
  for (const { name } of resources) {
    const use = ResourceScore.asked(name, pod, node)
    if (use === undefined) continue
    before.push(used(use.capacity, use.before))
    after.push(used(use.capacity, use.after))
  }
  return improvement(evenness(before), evenness(after))
}

const asksFor = (name: string, { requests }: PodInfo): boolean =>
  name === "cpu" ? requests.cpuMillis > 0
  : name === "memory" ? requests.memoryBytes > 0
  : name === "ephemeral-storage" ? requests.ephemeralStorageBytes > 0
  : (requests.scalars.get(name) ?? 0) > 0

const Resource = Schema.Struct({ name: Schema.NonEmptyString, weight: Schema.optionalWith(Schema.Literal(1), { default: () => 1 as const }) })

/**
 * The resources whose use is to be even: CPU and memory unless given. All count the same.
 *
 * @category schemas
 */
export const Args = Schema.Struct({ resources: Schema.optionalWith(Schema.NonEmptyArray(Resource), { exact: true }) })

/**
 * The arguments, complete.
 *
 * @category models
 */
export type Args = typeof Args.Type

/**
 * Scores balance. Pods that ask for none of the resources do not change it, so they are left out.
 *
 * @category constructors
 */
export const make = ({ resources }: Args): SchedulerPlugin => {
  const counted = resources ?? ResourceScore.cpuAndMemory
  const score = resources === undefined ? balance : balanceOf(resources)
  return {
    name: "NodeResourcesBalancedAllocation",
    nodeLocal: true,
    requeueOn: [],
    preScore: (pod) => counted.some(({ name }) => asksFor(name, pod)) ? (node) => score(pod, node) : undefined
  }
}

/**
 * How a configuration makes it.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({ name: "NodeResourcesBalancedAllocation", args: Args, make })

/**
 * Balances CPU and memory.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = make({})
