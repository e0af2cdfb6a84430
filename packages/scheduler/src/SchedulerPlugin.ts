/**
 * One concern of placement: a plain object with a function for each extension point it takes part in.
 *
 * A pod passes the points in this order: `preEnqueue`, `queueSort`; then, against one snapshot, `preFilter`, `filter`, `postFilter` (only when
 * no node is left), `preScore`, `score`, `normalizeScores`; then `reserve`, `preBind`, `bind`, `postBind`. The points up to `normalizeScores`, except
 * `postFilter`, are plain synchronous functions because they run for each pod and node; they must be pure. The others are effects.
 */
import type * as Effect from "effect/Effect"
import type { BindingFailure } from "./BindingFailure.js"
import type { ClusterEvent } from "./ClusterEvent.js"
import type { Diagnosis } from "./Diagnosis.js"
import type { NodeInfo } from "./NodeInfo.js"
import type { PodInfo } from "./PodInfo.js"
import type { Rejection } from "./Rejection.js"
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
 * What `preFilter` finds out about a pod. `Skip`: every node is fine, do not ask. `Filter`: ask `test` for each node, and only for those in
 * `nodeNames` when given. `Reject`: no node at all.
 *
 * @category models
 */
export type PreFilterResult =
  | { readonly _tag: "Skip" }
  | { readonly _tag: "Filter"; readonly test: NodeTest; readonly nodeNames?: ReadonlySet<string> }
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
  /** Order of arrival: settles what the time does not. */
  readonly sequence: number
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
}

/**
 * What a `postFilter` found: words to append to the message for the user, and the node whose pods it makes leave, if it does.
 *
 * @category models
 */
export interface PostFilterResult {
  readonly message?: string
  readonly nominatedNode?: string
}

/**
 * The extension points. All but the name are optional.
 *
 * @category models
 */
export interface SchedulerPlugin {
  /** Unique within a profile; weights and messages refer to it. */
  readonly name: string
  /** The events after which a pod that this plugin rejected is worth another attempt. Absent: any event. */
  readonly requeueOn?: ReadonlyArray<ClusterEvent>
  /** Keeps a pod out of the queue until the pod itself changes. */
  readonly preEnqueue?: (pod: PodInfo) => Rejection | undefined
  /** Which pod goes first: negative for `a`. One plugin of a scheduler has it. */
  readonly queueSort?: (a: QueuedPod, b: QueuedPod) => number
  /** Prepares the filter once for each attempt. When it is there, `filter` is not called. */
  readonly preFilter?: (pod: PodInfo, snapshot: Snapshot) => PreFilterResult
  /** The filter of a plugin that needs no preparation. */
  readonly filter?: (pod: PodInfo, node: NodeInfo) => Rejection | undefined
  /** Called when no node was found; the first result that nominates a node ends the round. */
  readonly postFilter?: (context: PostFilterContext) => Effect.Effect<PostFilterResult>
  /** Prepares the score once the feasible nodes are known; `undefined` leaves this plugin out for this pod. When it is there, `score` is not called. */
  readonly preScore?: (pod: PodInfo, feasible: ReadonlyArray<NodeInfo>, snapshot: Snapshot) => NodeScore | undefined
  /** The score of a plugin that needs no preparation. */
  readonly score?: (pod: PodInfo, node: NodeInfo) => number
  /** Brings the scores of all feasible nodes into 0 to 100, in place. Absent: they are in that range already. */
  readonly normalizeScores?: (scores: Float64Array) => void
  /** Claims what the plugin keeps elsewhere for the pod, before the next pod is looked at. */
  readonly reserve?: (pod: PodInfo, node: string) => Effect.Effect<void, BindingFailure>
  /** Gives back what `reserve` claimed; called for every plugin when any later step fails. Must tolerate that nothing was claimed. */
  readonly unreserve?: (pod: PodInfo, node: string) => Effect.Effect<void>
  /** Work that must be done before the pod is bound. */
  readonly preBind?: (pod: PodInfo, node: string) => Effect.Effect<void, BindingFailure>
  /** Binds the pod in its own way; gives `false` to leave it to the next plugin and at last to the `binding` subresource. */
  readonly bind?: (pod: PodInfo, node: string) => Effect.Effect<boolean, BindingFailure>
  /** Told after the pod was bound. */
  readonly postBind?: (pod: PodInfo, node: string) => Effect.Effect<void>
}

/**
 * Nothing about this pod concerns the plugin.
 *
 * @category constructors
 */
export const skip: PreFilterResult = { _tag: "Skip" }

/**
 * Ask this test for each node; `nodeNames` narrows the nodes to look at.
 *
 * @category constructors
 */
export const filterBy = (test: NodeTest, nodeNames?: ReadonlySet<string>): PreFilterResult =>
  nodeNames === undefined ? { _tag: "Filter", test } : { _tag: "Filter", test, nodeNames }

/**
 * No node can take the pod.
 *
 * @category constructors
 */
export const reject = (rejection: Rejection): PreFilterResult => ({ _tag: "Reject", rejection })
