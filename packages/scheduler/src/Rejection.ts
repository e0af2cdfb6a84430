/** Why a plugin does not let a pod onto a node. */

/**
 * `Unschedulable`: removing other pods from the node could help. `Unresolvable`: it could not; the node or the pod has to change.
 * The reasons are phrases such as `Insufficient cpu`, counted over all nodes in the message for the user.
 *
 * @category models
 */
export interface Rejection {
  readonly code: "Unschedulable" | "Unresolvable"
  readonly reasons: ReadonlyArray<string>
}

/**
 * Not now, but it could fit if pods left. Make it once, at module level, where its reasons do not depend on the node: it is given for
 * every node that does not fit.
 *
 * @category constructors
 */
export const unschedulable = (...reasons: ReadonlyArray<string>): Rejection => ({ code: "Unschedulable", reasons })

/**
 * Not on this node as it is, whatever other pods do.
 *
 * @category constructors
 */
export const unresolvable = (...reasons: ReadonlyArray<string>): Rejection => ({ code: "Unresolvable", reasons })
