/** Pods that have a node and wait there, unbound, until every plugin that made them wait allows them: see `permit` of a plugin. */
import type { PodInfo } from "./PodInfo.js"

/**
 * One waiting pod. Its room is held for it.
 *
 * @category models
 */
export interface WaitingPod {
  readonly pod: PodInfo
  readonly node: string
  /** The plugins that have not allowed it yet. */
  readonly pending: () => ReadonlyArray<string>
  /** This plugin has no objection any more; when it was the last one, the pod is bound. */
  readonly allow: (plugin: string) => void
  /** The pod goes back to the queue as rejected by this plugin. The reason is shown to the user. */
  readonly reject: (plugin: string, reason: string) => void
}

/**
 * The waiting pods of a scheduler.
 *
 * @category models
 */
export interface WaitingPods {
  readonly list: () => ReadonlyArray<WaitingPod>
  /** By the id of the `PodInfo`. */
  readonly get: (id: string) => WaitingPod | undefined
}

/**
 * Nobody waits.
 *
 * @category constructors
 */
export const none: WaitingPods = { list: () => [], get: () => undefined }
