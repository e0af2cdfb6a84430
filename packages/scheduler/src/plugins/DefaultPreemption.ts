/**
 * Makes room for a pod that fits nowhere: pods of lower priority leave a node on which it would fit without them. The pod is nominated to that node
 * and gets it when they are gone; they end gracefully.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Diagnosis from "../Diagnosis.js"
import * as GroupContest from "../groups/GroupContest.js"
import * as Filters from "../internal/podFilters.js"
import type { NodeInfo } from "../NodeInfo.js"
import * as PluginFactory from "../PluginFactory.js"
import * as Candidates from "../preemption/Candidates.js"
import * as DisruptionBudgets from "../preemption/DisruptionBudgets.js"
import * as Removal from "../preemption/Removal.js"
import * as VictimMemory from "../preemption/VictimMemory.js"
import * as Victims from "../preemption/Victims.js"
import * as Rejection from "../Rejection.js"
import type { SchedulerHandle } from "../SchedulerHandle.js"
import * as SchedulerMetrics from "../SchedulerMetrics.js"
import type { PostFilterContext, PostFilterResult, SchedulerPlugin } from "../SchedulerPlugin.js"
import * as Snapshot from "../Snapshot.js"

/**
 * How many nodes are looked at for victims: a share of those where it may help, in percent, but at least an absolute number.
 *
 * @category models
 */
export const Args = Schema.Struct({
  minCandidateNodesPercentage: Schema.optionalWith(Schema.Int.pipe(Schema.between(0, 100)), { default: () => 10 }),
  minCandidateNodesAbsolute: Schema.optionalWith(Schema.Int.pipe(Schema.positive()), { default: () => 100 })
})

/**
 * @category models
 */
export type Args = typeof Args.Type

/**
 * The arguments of a scheduler that does not configure them.
 *
 * @category constants
 */
export const usual: Args = { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 }

const name = "DefaultPreemption"
const notHelpful = Rejection.unresolvable("Preemption is not helpful for scheduling")

/**
 * Why a pod may not make others leave now, if so: it does not want to, or those it made leave are still on their way out; then `roomIsComing`.
 *
 * @category combinators
 */
export const ineligible = (
  { diagnosis, pod, snapshot }: Pick<PostFilterContext, "diagnosis" | "pod" | "snapshot">
): { readonly why: string; readonly roomIsComing: boolean } | undefined => {
  if (pod.pod.spec?.preemptionPolicy === "Never") return { why: "not eligible due to preemptionPolicy=Never.", roomIsComing: false }
  const nominated = pod.pod.status?.nominatedNodeName ?? ""
  const position = snapshot.positions.get(nominated)
  const node = Snapshot.get(snapshot, nominated)
  if (position === undefined || node === undefined || diagnosis.rejections[position]?.code === "Unresolvable") return undefined
  return node.pods.some((other) => other.priority < pod.priority && Removal.isLeaving(other))
    ? { why: "not eligible due to a terminating pod on the nominated node.", roomIsComing: true }
    : undefined
}

/** The positions of the nodes whose rejection says that pods leaving may help. */
const hopefulPositions = ({ rejections }: Diagnosis.Diagnosis): Int32Array => {
  const positions = new Int32Array(rejections.length)
  let count = 0
  for (let position = 0; position < rejections.length; position++) {
    if (rejections[position]?.code === "Unschedulable") positions[count++] = position
  }
  return positions.subarray(0, count)
}

/**
 * The nodes that the pod could have, with the pods that would have to leave them; or the words for why there are none, node by node.
 *
 * Only nodes whose rejection says that pods leaving may help are tried, from a random one on, until there are enough candidates and one among them
 * violates no budget.
 *
 * @category combinators
 */
export const candidates = (
  context: Pick<PostFilterContext, "diagnosis" | "offset" | "pod" | "snapshot" | "trial">,
  args: Args,
  memory: VictimMemory.VictimMemory = VictimMemory.none
): { readonly found: ReadonlyArray<Candidates.Candidate>; readonly rejections: ReadonlyArray<Rejection.Rejection> } => {
  const { diagnosis, offset, pod, snapshot, trial } = context
  const hopeful = hopefulPositions(diagnosis)
  const budgets = DisruptionBudgets.make(snapshot.listers.podDisruptionBudgets.list())
  const wanted = Candidates.enough(hopeful.length, args.minCandidateNodesPercentage, args.minCandidateNodesAbsolute)
  const found: Array<Candidates.Candidate> = []
  const tried = new Map<number, Rejection.Rejection>()
  let harmless = false
  // Budgets change without their nodes.
  const known = budgets.byNamespace.size === 0 ? memory.of(pod.shape) : undefined
  const remembered = (position: number, node: NodeInfo): Victims.Victims | Rejection.Rejection | undefined => {
    if (known === undefined) return undefined
    const nominated = snapshot.nominated.get(node.name)
    const outcome = known.get(position, node, nominated)
    // Its own nomination counts against others only.
    return outcome === undefined || (nominated !== undefined && Filters.includes(nominated, pod)) ? undefined : outcome
  }
  const select = (position: number, node: NodeInfo): Victims.Victims | Rejection.Rejection => {
    const { addPod, isLocal, removePod, test } = trial(node)
    const outcome = Victims.select(pod, { pods: node.pods, add: addPod, remove: removePod, test }, budgets)
    if (isLocal) known?.set(position, node, snapshot.nominated.get(node.name), outcome)
    return outcome
  }
  for (let i = 0; i < hopeful.length && !(harmless && found.length >= wanted); i++) {
    const position = hopeful[(offset + i) % hopeful.length]
    const node = position === undefined ? undefined : snapshot.nodes[position]
    if (position === undefined || node === undefined) continue
    const outcome = remembered(position, node) ?? select(position, node)
    if (!Victims.isVictims(outcome)) tried.set(position, outcome)
    else if (outcome.pods.length > 0) {
      found.push({ node: node.name, victims: outcome })
      if (outcome.violations === 0) harmless = true
    }
  }
  return {
    found,
    // Whoever has a candidate asks for none of them.
    get rejections() {
      return snapshot.nodes.map((_, position) => tried.get(position) ?? notHelpful)
    }
  }
}

/**
 * What preemption can do for a pod: a node and the pods that have to leave it, or the words for the user when there is none. `roomIsComing`: pods
 * are leaving for it already. `clear`: an earlier nomination is of no use any more.
 *
 * @category models
 */
export type Outlook =
  | { readonly _tag: "Possible"; readonly candidate: Candidates.Candidate }
  | { readonly _tag: "Impossible"; readonly message: string; readonly roomIsComing: boolean; readonly clear: boolean }

const said = (why: string): string => `preemption: ${why}`

/**
 * Finds out what preemption can do, and does nothing.
 *
 * @category combinators
 */
export const outlook = (
  context: Pick<PostFilterContext, "diagnosis" | "offset" | "pod" | "snapshot" | "trial">,
  args: Args,
  memory: VictimMemory.VictimMemory = VictimMemory.none
): Outlook => {
  const refusal = ineligible(context)
  if (refusal !== undefined) return { _tag: "Impossible", message: said(refusal.why), roomIsComing: refusal.roomIsComing, clear: false }
  const tried = candidates(context, args, memory)
  const candidate = Candidates.choose(tried.found)
  return candidate === undefined
    ? { _tag: "Impossible", message: said(Diagnosis.message({ rejections: tried.rejections, rejectedBy: new Set() })), roomIsComing: false, clear: true }
    : { _tag: "Possible", candidate }
}

/**
 * The plugin with these arguments.
 *
 * @category constructors
 */
export const make = (args: Args): SchedulerPlugin => {
  /** Pods whose victims are being told to leave, for each scheduler. */
  const underWay = new WeakMap<SchedulerHandle, Set<string>>()
  const memory = VictimMemory.make()

  const begin = (handle: SchedulerHandle, { pod, snapshot }: PostFilterContext, candidate: Candidates.Candidate): Effect.Effect<void> => {
    const busy = underWay.get(handle) ?? new Set<string>()
    underWay.set(handle, busy.add(pod.id))
    SchedulerMetrics.preempted(candidate.victims.pods.length)
    return handle.fork(
      Removal.run(handle, pod, candidate, snapshot.nominated.get(candidate.node) ?? []).pipe(
        Effect.ensuring(Effect.sync(() => busy.delete(pod.id))),
        // Nothing may happen after a failure that would wake the pod. The pause is for a server that refuses everything.
        Effect.tapError(() => Effect.delay(Effect.sync(() => handle.activate([pod.id])), "1 second"))
      )
    )
  }

  const postFilter = (context: PostFilterContext): Effect.Effect<PostFilterResult> =>
    Effect.suspend(() => {
      const { handle, pod, snapshot, state } = context
      // A group that comes later gives its room first: it has not begun to run.
      if (snapshot.nodes.length === 0 || (handle !== undefined && GroupContest.loser(handle, pod) !== undefined)) return Effect.succeed({})
      if (handle !== undefined && underWay.get(handle)?.has(pod.id) === true) {
        GroupContest.roomIsComing.set(state, true)
        return Effect.succeed({ message: said("waiting for the preemption for this pod to be finished.") })
      }
      const found = outlook(context, args, memory)
      if (found._tag === "Impossible") {
        GroupContest.roomIsComing.set(state, found.roomIsComing)
        return Effect.succeed({ message: found.message, ...(found.clear ? { nominatedNode: "" } : {}) })
      }
      const nomination = { nominatedNode: found.candidate.node }
      return handle === undefined ? Effect.succeed(nomination) : Effect.as(begin(handle, context, found.candidate), nomination)
    })

  return { name, requeueOn: [], uses: ["podDisruptionBudgets"], postFilter }
}

/**
 * The plugin with the usual arguments.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin = make(usual)

/**
 * The plugin as configurations name it.
 *
 * @category constructors
 */
export const factory: PluginFactory.PluginFactory = PluginFactory.make({ name, args: Args, make })
