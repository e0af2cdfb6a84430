/**
 * One concern of placement: a plain object with a function for each extension point it takes part in.
 *
 * A pod passes the points in this order: `preEnqueue`, `queueSort`; then, against one snapshot, `preFilter`, `filter`, `postFilter` (only when
 * no node is left), `preScore`, `score`, `normalizeScores`; then `reserve`, `permit`, `preBind`, `bind`, `postBind`. The points up to
 * `normalizeScores`, except `postFilter`, are plain synchronous functions because they run for each pod and node; they must be pure, but for
 * the cycle state. `permit` is synchronous, the others are effects.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { BindingFailure } from "./BindingFailure.js"
import type { Trigger } from "./ClusterEvent.js"
import type { CycleState } from "./CycleState.js"
import type { Diagnosis } from "./Diagnosis.js"
import type * as Listers from "./Listers.js"
import type { NodeInfo } from "./NodeInfo.js"
import type { PodInfo } from "./PodInfo.js"
import type { Rejection } from "./Rejection.js"
import type { SchedulerHandle } from "./SchedulerHandle.js"
import type { Snapshot } from "./Snapshot.js"

/**
 * Whether one pod, known from the preparation, may run on a node: `undefined` when it may.
 *
 * @category models
 */
export type NodeTest = (node: NodeInfo) => Rejection | undefined

/**
 * How well one pod, known from the preparation, would do on a node. Higher is better.
 *
 * @category models
 */
export type NodeScore = (node: NodeInfo) => number

/**
 * A copy of what a filter counts, in which pods may come to and go from nodes without anybody else seeing it. `node` is given as it is
 * with the pod (`addPod`) or without it (`removePod`). It is made for each node that is looked at, so it must be cheap to make: an overlay, no deep copy.
 *
 * @category models
 */
export interface WhatIf {
  readonly addPod: (pod: PodInfo, node: NodeInfo) => void
  readonly removePod: (pod: PodInfo, node: NodeInfo) => void
  readonly test: NodeTest
}

/**
 * What `preFilter` finds out about a pod. `Skip`: every node is fine, do not ask. `Filter`: ask `test` for each node, and only for those in
 * `nodeNames` when given. `Reject`: no node at all.
 *
 * A `test` that looks at nothing but the pod and the node info it is given needs no `whatIf`: it is asked with a node info that has other pods. One
 * that counts pods elsewhere has it.
 *
 * @category models
 */
export type PreFilterResult =
  | { readonly _tag: "Skip" }
  | { readonly _tag: "Filter"; readonly test: NodeTest; readonly nodeNames?: ReadonlySet<string>; readonly whatIf?: () => WhatIf }
  | { readonly _tag: "Reject"; readonly rejection: Rejection }

/**
 * A pod waiting in the queue. Times are milliseconds since the epoch.
 *
 * @category models
 */
export interface QueuedPod {
  readonly info: PodInfo
  /** Attempts to place it so far, the current one included. */
  readonly attempts: number
  /** When it entered the queue, or came back from its last failed attempt. */
  readonly queuedAt: number
  /** When it was first seen without a node. */
  readonly since: number
  /** Order of arrival: settles what the time does not. */
  readonly sequence: number
}

/**
 * All filters of one pod on one node in which pods may come and go: for preemption.
 *
 * @category models
 */
export interface Trial {
  /** The node as it is in the trial now. */
  readonly node: () => NodeInfo
  readonly addPod: (pod: PodInfo) => void
  /** Leaves the trial as it is when the pod is not on the node. */
  readonly removePod: (pod: PodInfo) => void
  /** Whether the pod fits now, counting the pods nominated to the node that go before it. */
  readonly test: () => Rejection | undefined
  /**
   * Whether its answers follow from the pod's `shape`, the node as it was given, and the pods that the snapshot has as nominated to it: then they are
   * the same for the next pod of the shape.
   */
  readonly isLocal: boolean
}

/**
 * One attempt to place one pod, as its plugins see it.
 *
 * @category models
 */
export interface Attempt {
  readonly state: CycleState
  readonly handle: SchedulerHandle
}

/**
 * What a `postFilter` may look at when no node was found.
 *
 * @category models
 */
export interface PostFilterContext {
  readonly pod: PodInfo
  readonly snapshot: Snapshot
  readonly diagnosis: Diagnosis
  /** All filters of this pod as one test, also for nodes that do not exist as such (see `NodeInfo.withPods`). */
  readonly test: NodeTest
  /** A trial on this node, as the snapshot has it. */
  readonly trial: (node: NodeInfo) => Trial
  /** The position of a random node, from which a search that may stop early begins. */
  readonly offset: number
  readonly state: CycleState
  /** Absent in what-if questions: nothing may be done then, only said. */
  readonly handle: SchedulerHandle | undefined
}

/**
 * What a `postFilter` found: words to append to the message for the user, and the node whose pods it makes leave. The scheduler writes the
 * nomination into the pod's status and counts it; `""` takes back an earlier one; absent leaves it as it is.
 *
 * @category models
 */
export interface PostFilterResult {
  readonly message?: string
  readonly nominatedNode?: string
}

/**
 * What `permit` says of a pod that has a node. `Wait`: until the plugin allows it through `SchedulerHandle.waiting`; when the time is over it is
 * rejected.
 *
 * @category models
 */
export type Permit =
  | { readonly _tag: "Allow" }
  | { readonly _tag: "Reject"; readonly reason: string }
  | { readonly _tag: "Wait"; readonly timeout: Duration.DurationInput }

/**
 * The extension points. All but the name are optional.
 *
 * @category models
 */
export interface SchedulerPlugin {
  /** Unique within a profile; weights and messages refer to it. */
  readonly name: string
  /**
   * The events after which a pod that this plugin rejected is worth another attempt. Absent: any event. See `ClusterEvent.when` for
   * triggers that look at the objects.
   */
  readonly requeueOn?: ReadonlyArray<Trigger>
  /** What the plugin looks up in the listers; the scheduler watches these kinds, and places nothing before it knows them. */
  readonly uses?: ReadonlyArray<Listers.Name>
  /**
   * Says that filter and score depend on nothing but the pod's `shape` and the node info given: not on the snapshot, other nodes, the
   * time or the cycle state. Then the answers for a node that did not change are kept for the next pod of the same shape.
   */
  readonly nodeLocal?: boolean
  /** Keeps a pod out of the queue until the pod itself changes. */
  readonly preEnqueue?: (pod: PodInfo) => Rejection | undefined
  /** Which pod goes first: negative for `a`. One plugin of a scheduler has it. */
  readonly queueSort?: (a: QueuedPod, b: QueuedPod) => number
  /** Prepares the filter once for each attempt. When it is there, `filter` is not called. */
  readonly preFilter?: (pod: PodInfo, snapshot: Snapshot, state: CycleState) => PreFilterResult
  /** The filter of a plugin that needs no preparation. */
  readonly filter?: (pod: PodInfo, node: NodeInfo) => Rejection | undefined
  /** Called when no node was found; the first result that nominates a node ends the round. */
  readonly postFilter?: (context: PostFilterContext) => Effect.Effect<PostFilterResult>
  /** Prepares the score once the feasible nodes are known; `undefined` leaves this plugin out for this pod. When it is there, `score` is not called. */
  readonly preScore?: (pod: PodInfo, feasible: ReadonlyArray<NodeInfo>, snapshot: Snapshot, state: CycleState) => NodeScore | undefined
  /** The score of a plugin that needs no preparation. */
  readonly score?: (pod: PodInfo, node: NodeInfo) => number
  /**
   * Brings the scores of all feasible nodes into 0 to 100, in place. Absent: they are in that range already. `feasible` has the node of each
   * score.
   */
  readonly normalizeScores?: (scores: Float64Array, pod: PodInfo, feasible: ReadonlyArray<NodeInfo>, state: CycleState) => void
  /** Claims what the plugin keeps elsewhere for the pod, before the next pod is looked at. */
  readonly reserve?: (pod: PodInfo, node: string, attempt: Attempt) => Effect.Effect<void, BindingFailure>
  /** Gives back what `reserve` claimed; called for every plugin when any later step fails. Must tolerate that nothing was claimed. */
  readonly unreserve?: (pod: PodInfo, node: string, attempt: Attempt) => Effect.Effect<void>
  /** Has the last word before the pod is bound, and may hold it back. */
  readonly permit?: (pod: PodInfo, node: string, attempt: Attempt) => Permit
  /**
   * Waits before the binding for something that may take long, within a time of its own; `undefined` when there is nothing to wait for. Unlike `preBind`
   * it takes no place among the bindings under way, so that others go on meanwhile. It comes before every `preBind`.
   */
  readonly preBindWait?: (pod: PodInfo, node: string, attempt: Attempt) => Effect.Effect<void, BindingFailure> | undefined
  /** Work that must be done before the pod is bound. */
  readonly preBind?: (pod: PodInfo, node: string, attempt: Attempt) => Effect.Effect<void, BindingFailure>
  /** Binds the pod in its own way; gives `false` to leave it to the next plugin and at last to the `binding` subresource. */
  readonly bind?: (pod: PodInfo, node: string, attempt: Attempt) => Effect.Effect<boolean, BindingFailure>
  /** Told after the pod was bound. */
  readonly postBind?: (pod: PodInfo, node: string, attempt: Attempt) => Effect.Effect<void>
}

/**
 * Nothing about this pod concerns the plugin.
 *
 * @category constructors
 */
export const skip: PreFilterResult = { _tag: "Skip" }

/**
 * Ask this test for each node; `nodeNames` narrows the nodes to look at, `whatIf` is for tests that count pods elsewhere.
 *
 * @category constructors
 */
export const filterBy = (test: NodeTest, nodeNames?: ReadonlySet<string>, whatIf?: () => WhatIf): PreFilterResult => ({
  _tag: "Filter",
  test,
  ...(nodeNames === undefined ? {} : { nodeNames }),
  ...(whatIf === undefined ? {} : { whatIf })
})

/**
 * No node can take the pod.
 *
 * @category constructors
 */
export const reject = (rejection: Rejection): PreFilterResult => ({ _tag: "Reject", rejection })

/**
 * The plugin has no objection to the binding.
 *
 * @category constructors
 */
export const allow: Permit = { _tag: "Allow" }

/** Every field of a plugin: the compiler sees to it that none is missing here. */
const fieldKinds: Readonly<Record<keyof SchedulerPlugin, "fact" | "extension point">> = {
  name: "fact",
  requeueOn: "fact",
  uses: "fact",
  nodeLocal: "fact",
  preEnqueue: "extension point",
  queueSort: "extension point",
  preFilter: "extension point",
  filter: "extension point",
  postFilter: "extension point",
  preScore: "extension point",
  score: "extension point",
  normalizeScores: "extension point",
  reserve: "extension point",
  unreserve: "extension point",
  permit: "extension point",
  preBindWait: "extension point",
  preBind: "extension point",
  bind: "extension point",
  postBind: "extension point"
}

const kindOf = new Map<string, string>(Object.entries(fieldKinds))

/**
 * Why a value that comes from outside, such as from a module that is loaded, is no plugin, in words that follow "it"; nothing when it is one, as far
 * as can be seen without calling it.
 *
 * @category combinators
 */
export const problemOf = (value: unknown): string | undefined => {
  if (typeof value !== "object" || value === null) return "is no object"
  const name: unknown = "name" in value ? value.name : undefined
  if (typeof name !== "string" || name === "") return "has no name"
  for (const [field, content] of Object.entries(value)) {
    const kind = kindOf.get(field)
    if (kind === undefined) return `${name}: there is no extension point ${field}`
    if (kind === "extension point" && typeof content !== "function") return `${name}: ${field} is no function`
  }
  return undefined
}

/**
 * Whether a value that comes from outside is a plugin, as far as can be seen without calling it.
 *
 * @category refinements
 */
export const isPlugin = (value: unknown): value is SchedulerPlugin => problemOf(value) === undefined
