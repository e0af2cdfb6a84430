import type * as Kind from "../../Kind.js"
import { nodeMetrics } from "../NodeMetrics.js"
import { podMetrics } from "../PodMetrics.js"

export { nodeMetrics, podMetrics }

/**
 * The kinds of `metrics.k8s.io`, in the order of discovery. They are not among `all`: only servers that collect metrics offer them.
 *
 * @category constructors
 */
export const metrics: ReadonlyArray<Kind.Kind> = [nodeMetrics, podMetrics]
