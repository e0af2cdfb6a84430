/** A pod may ask for the brand of its zone; only nodes that can make such zones take it. */
import type { CoreV1 } from "@reddwarf/api-types"
import * as Rejection from "../Rejection.js"
import * as SchedulerPlugin from "../SchedulerPlugin.js"

/**
 * Pod annotation with the brand, such as `lx`. `spec.runtimeClassName` means the same.
 *
 * @category constructors
 */
export const annotation = "reddwarf.io/zone-brand"

/**
 * Node label with the brands that the node supports, joined by `.` because a label value cannot hold commas.
 *
 * @category constructors
 */
export const label = "reddwarf.io/zone-brands"

/**
 * The brands a pod asks for. More than one only when annotation and runtime class disagree; then no zone is both, and none fits.
 *
 * @category constructors
 */
export const requestedBrands = (pod: CoreV1.Pod): ReadonlySet<string> =>
  new Set([pod.metadata.annotations?.[annotation] ?? "", pod.spec?.runtimeClassName ?? ""].filter((brand) => brand !== ""))

const rejection = Rejection.unresolvable("node(s) didn't support the requested zone brand")
const contradiction = Rejection.unresolvable(`pod asks for different zone brands in annotation ${annotation} and runtimeClassName`)

/**
 * Rejects nodes that do not support the brand the pod asks for.
 *
 * @category constructors
 */
export const plugin: SchedulerPlugin.SchedulerPlugin = {
  name: "ZoneBrand",
  nodeLocal: true,
  requeueOn: ["NodeAdd", "NodeUpdateLabels", "PodUpdateOther"],
  preFilter: ({ pod }) => {
    const [brand, another] = requestedBrands(pod)
    if (brand === undefined) return SchedulerPlugin.skip
    if (another !== undefined) return SchedulerPlugin.reject(contradiction)
    return SchedulerPlugin.filterBy(({ node }) =>
      node.metadata.labels?.[label]?.split(".").includes(brand) === true ? undefined : rejection
    )
  }
}
