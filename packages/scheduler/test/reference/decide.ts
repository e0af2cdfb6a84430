/** All rules together: which nodes can take a pod, which are the best, why not the others. */
import type { CoreV1 } from "@reddwarf/api-types"
import { filters, refusals, restrictions } from "./filters.js"
import { scores } from "./scores.js"
import { nameOf, unresolvable, type Verdict, type World } from "./world.js"

/** Why a node cannot take a pod, and who says so first; `undefined` when it can. `plugins` are in the order of the profile. */
export const blame = (
  world: World,
  pod: CoreV1.Pod,
  node: CoreV1.Node,
  plugins: ReadonlyArray<string>
): { readonly plugin: string; readonly verdict: Verdict } | undefined => {
  for (const plugin of plugins) {
    const verdict = filters[plugin]?.(world, pod, node)
    if (verdict !== undefined) return { plugin, verdict }
  }
  return undefined
}

/** What refuses the pod whatever the nodes are. */
export const refusal = (world: World, pod: CoreV1.Pod, plugins: ReadonlyArray<string>): Verdict | undefined => {
  for (const plugin of plugins) {
    const verdict = refusals[plugin]?.(world, pod)
    if (verdict !== undefined) return verdict
  }
  return undefined
}

/** One verdict for each node, in their order. */
export const verdicts = (world: World, pod: CoreV1.Pod, plugins: ReadonlyArray<string>): ReadonlyArray<Verdict | undefined> => {
  const refused = refusal(world, pod, plugins)
  const narrowing = plugins.filter((plugin) => restrictions[plugin]?.(world, pod) !== undefined)
  return world.nodes.map((node) => {
    if (refused !== undefined) return refused
    const isLeftOut = narrowing.some((plugin) => restrictions[plugin]?.(world, pod)?.includes(nameOf(node)) === false)
    return isLeftOut ? unresolvable(`node(s) didn't satisfy plugin(s) [${narrowing.toSorted().join(" ")}]`) : blame(world, pod, node, plugins)?.verdict
  })
}

export const feasible = (world: World, pod: CoreV1.Pod, plugins: ReadonlyArray<string>): ReadonlyArray<CoreV1.Node> => {
  const all = verdicts(world, pod, plugins)
  return world.nodes.filter((_, i) => all[i] === undefined)
}

/** The weighted sum for each of these nodes. */
export const totals = (
  world: World,
  pod: CoreV1.Pod,
  nodes: ReadonlyArray<CoreV1.Node>,
  plugins: ReadonlyArray<string>,
  weights: ReadonlyMap<string, number>
): ReadonlyArray<number> =>
  plugins.reduce<ReadonlyArray<number>>((sums, plugin) => {
    const added = scores[plugin]?.(world, pod, nodes)
    return added === undefined ? sums : sums.map((sum, i) => sum + (weights.get(plugin) ?? 1) * (added[i] ?? 0))
  }, nodes.map(() => 0))

/** The sentence for the user, without what preemption adds. */
export const message = (world: World, pod: CoreV1.Pod, plugins: ReadonlyArray<string>): string => {
  if (world.nodes.length === 0) return "no nodes available to schedule pods"
  const refused = refusal(world, pod, plugins)
  const reasons = verdicts(world, pod, plugins).flatMap((verdict) => verdict?.reasons ?? [])
  const counted = [...new Set(reasons)].map((reason) => `${reasons.filter((each) => each === reason).length} ${reason}`).sort().join(", ")
  return `0/${world.nodes.length} nodes are available: ${refused === undefined ? counted : refused.reasons.join(", ")}.`
}
