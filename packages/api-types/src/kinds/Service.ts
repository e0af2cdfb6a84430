/** Service: a name for a set of pods. Stored and shown; addresses are not allocated. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { serviceDefaults } from "../defaults/ServiceDefaults.js"
import { age, name, text, wide } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { serviceCells } from "../printing/ServiceCells.js"
import { validateService, validateServiceUpdate } from "../validation/ServiceValidation.js"

// An update that leaves the allocated fields out means to keep them.
const withAllocated = (next: CoreV1.Service, old: CoreV1.Service): CoreV1.Service => {
  const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, type } = old.spec ?? {}
  if (next.spec?.type === "ExternalName" || type === "ExternalName") return next
  if ((next.spec?.clusterIP ?? "") !== "" || (next.spec?.clusterIPs ?? []).length > 0) return next
  return {
    ...next,
    spec: {
      ...next.spec,
      ...(clusterIP === undefined ? {} : { clusterIP }),
      ...(clusterIPs === undefined ? {} : { clusterIPs }),
      ...(ipFamilies === undefined ? {} : { ipFamilies }),
      ...(ipFamilyPolicy === undefined ? {} : { ipFamilyPolicy })
    }
  }
}

/** @category constructors */
export const service: Kind.Kind<CoreV1.Service> = Kind.make<CoreV1.Service>({
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.Service",
  subresources: [{ name: "status", kind: "Service", verbs: ["get", "patch", "update"] }],
  allowCreateOnUpdate: true,
  nameRule: Names.isDns1123Label,
  defaults: serviceDefaults,
  prepareForCreate: (object) => ({ ...object, status: { loadBalancer: {} } }),
  prepareForUpdate: (next, old) => ({ ...withAllocated(next, old), status: old.status ?? { loadBalancer: {} } }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: validateService,
  validateContentUpdate: validateServiceUpdate,
  selectableFields: {
    "spec.clusterIP": (object) => object.spec?.clusterIP ?? "",
    "spec.type": (object) => object.spec?.type ?? ""
  },
  columns: [
    name,
    text("Type", "How the service is reached."),
    text("Cluster-IP", "Address inside the cluster."),
    text("External-IP", "Addresses or name outside the cluster."),
    text("Port(s)", "Ports, with node ports and protocol."),
    age,
    wide("Selector", "Labels of the pods behind the service.")
  ],
  cells: serviceCells
})
