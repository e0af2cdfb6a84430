/** Which pods of lower priority would have to leave, and on which node it does the least harm. */
import type { CoreV1 } from "@reddwarf/api-types"
import { blame, verdicts } from "./decide.js"
import { selects } from "./matching.js"
import { labelsOf, nameOf, podsOn, priorityOf, type World } from "./world.js"

/** The pods that would leave a node. */
export interface Candidate {
  readonly node: string
  readonly victims: ReadonlyArray<CoreV1.Pod>
  /** Those of them whose leaving a disruption budget does not allow. */
  readonly violations: number
}

const without = (world: World, leaving: ReadonlyArray<CoreV1.Pod>): World => ({ ...world, leaving, pods: world.pods.filter((pod) => !leaving.includes(pod)) })
const startOf = (pod: CoreV1.Pod): number => Date.parse(pod.status?.startTime ?? "9999-12-31T23:59:59Z")

/** The more important first: higher priority, then longer running. */
const byImportance = (a: CoreV1.Pod, b: CoreV1.Pod): number => priorityOf(b) - priorityOf(a) || startOf(a) - startOf(b)

/** Those whose leaving a budget does not allow, when they leave in this order. */
export const violating = (world: World, pods: ReadonlyArray<CoreV1.Pod>): ReadonlyArray<CoreV1.Pod> => {
  const left = new Map(world.budgets.map((budget) => [budget, budget.status?.disruptionsAllowed ?? 0]))
  return pods.filter((pod) => {
    const mine = world.budgets.filter((budget) =>
      budget.metadata.namespace === pod.metadata.namespace && selects(budget.spec?.selector, labelsOf(pod)) && Object.keys(labelsOf(pod)).length > 0 &&
      budget.status?.disruptedPods?.[nameOf(pod)] === undefined
    )
    for (const budget of mine) left.set(budget, (left.get(budget) ?? 0) - 1)
    return mine.some((budget) => (left.get(budget) ?? 0) < 0)
  })
}

/** Who has to leave a node; undefined when nobody's leaving makes room. */
export const candidate = (world: World, pod: CoreV1.Pod, node: CoreV1.Node, plugins: ReadonlyArray<string>): Candidate | undefined => {
  if (verdicts(world, pod, plugins)[world.nodes.indexOf(node)]?.code !== "Unschedulable") return undefined
  const lower = podsOn(world, node).filter((other) => priorityOf(other) < priorityOf(pod)).toSorted(byImportance)
  const fits = (leaving: ReadonlyArray<CoreV1.Pod>): boolean => blame(without(world, leaving), pod, node, plugins) === undefined
  if (lower.length === 0 || !fits(lower)) return undefined
  const guarded = violating(world, lower)
  let leaving: ReadonlyArray<CoreV1.Pod> = lower
  let violations = 0
  for (const other of [...guarded, ...lower.filter((each) => !guarded.includes(each))]) {
    const rest = leaving.filter((each) => each !== other)
    if (fits(rest)) leaving = rest
    else if (guarded.includes(other)) violations += 1
  }
  return { node: nameOf(node), victims: leaving.toSorted(byImportance), violations }
}

/** What decides between nodes, the first difference first: fewer is better. */
const harm = ({ victims, violations }: Candidate): ReadonlyArray<number> => {
  const highest = Math.max(...victims.map(priorityOf))
  const offset = 2 ** 31
  return [
    violations,
    highest,
    victims.reduce((sum, victim) => sum + priorityOf(victim) + offset, 0),
    victims.length,
    -Math.min(...victims.filter((victim) => priorityOf(victim) === highest).map(startOf))
  ]
}

const compare = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  const at = a.findIndex((each, i) => each !== b[i])
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

/** All nodes on which room can be made, and those among them on which it does the least harm. */
export const candidates = (world: World, pod: CoreV1.Pod, plugins: ReadonlyArray<string>) => {
  const all = world.nodes.flatMap((node) => candidate(world, pod, node, plugins) ?? [])
  const best = all.filter((one) => all.every((other) => compare(harm(one), harm(other)) <= 0))
  return { all, best }
}
