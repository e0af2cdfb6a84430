/** LimitRange: bounds and defaults for the resources of single pods, containers and claims of a namespace. */
import type * as CoreV1 from "../generated/CoreV1.js"
import * as Kind from "../Kind.js"
import { validateLimitRange } from "../validation/LimitRangeValidation.js"

// The default limit is the maximum, the default request the default limit, or else the minimum.
const itemDefaults = (item: CoreV1.LimitRangeItem): CoreV1.LimitRangeItem => {
  if (item.type !== "Container") return item
  const usual = { ...item.max, ...item.default }
  const request = { ...item.min, ...usual, ...item.defaultRequest }
  return {
    ...item,
    ...(Object.keys(usual).length === 0 ? {} : { default: usual }),
    ...(Object.keys(request).length === 0 ? {} : { defaultRequest: request })
  }
}

/** @category constructors */
export const limitRange: Kind.Kind<CoreV1.LimitRange> = Kind.make<CoreV1.LimitRange>({
  version: "v1",
  kind: "LimitRange",
  plural: "limitranges",
  shortNames: ["limits"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.LimitRange",
  allowCreateOnUpdate: true,
  defaults: (object) =>
    object.spec === undefined ? object : { ...object, spec: { ...object.spec, limits: object.spec.limits.map(itemDefaults) } },
  validateContent: validateLimitRange,
  validateContentUpdate: validateLimitRange
})
