/** ResourceQuota: how much the objects of a namespace may use together. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { validateResourceQuota, validateResourceQuotaUpdate } from "../validation/ResourceQuotaValidation.js"

/** `cpu: 1/4, pods: 3/10`, used of allowed. */
const usage = ({ status = {} }: CoreV1.ResourceQuota, isShown: (resource: string) => boolean): string =>
  Object.entries(status.hard ?? {})
    .filter(([resource]) => isShown(resource))
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([resource, hard]) => `${resource}: ${status.used?.[resource] ?? "0"}/${hard}`)
    .join(", ")

const isLimit = (resource: string): boolean => resource.startsWith("limits")

/** @category constructors */
export const resourceQuota: Kind.Kind<CoreV1.ResourceQuota> = Kind.make<CoreV1.ResourceQuota>({
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  shortNames: ["quota"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.ResourceQuota",
  subresources: [{ name: "status", kind: "ResourceQuota", verbs: ["get", "patch", "update"] }],
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? {} }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: validateResourceQuota,
  validateContentUpdate: validateResourceQuotaUpdate,
  columns: [name, text("Request", "Requests and counts, used of allowed."), text("Limit", "Limits, used of allowed."), age],
  cells: (object, now) => [
    object.metadata.name ?? "",
    usage(object, (resource) => !isLimit(resource)),
    usage(object, isLimit),
    ageCell(object, now)
  ]
})
