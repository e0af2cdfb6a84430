/** Service: a name for a set of pods. Addresses and node ports are allocated by the server that stores it. */
import type * as CoreV1 from "../generated/CoreV1.js"
import { serviceDefaults } from "../defaults/ServiceDefaults.js"
import { serviceUpdateDefaults } from "../defaults/ServiceUpdateDefaults.js"
import { age, name, text, wide } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { serviceCells } from "../printing/ServiceCells.js"
import { validateService, validateServiceUpdate } from "../validation/ServiceValidation.js"

/** @category constructors */
export const service: Kind.Kind<CoreV1.Service> = Kind.make<CoreV1.Service>({
  version: "v1",
  kind: "Service",
  plural: "services",
  shortNames: ["svc"],
  categories: ["all"],
  namespaced: true,
  schema: "io.k8s.api.core.v1.Service",
  subresources: [
    { name: "proxy", kind: "ServiceProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] },
    { name: "status", kind: "Service", verbs: ["get", "patch", "update"] }
  ],
  allowCreateOnUpdate: true,
  nameRule: Names.isDns1123Label,
  defaults: serviceDefaults,
  prepareForCreate: (object) => ({ ...object, status: { loadBalancer: {} } }),
  prepareForUpdate: (next, old) => ({
    ...next,
    spec: serviceUpdateDefaults(next.spec ?? {}, old.spec ?? {}),
    status: old.status ?? { loadBalancer: {} }
  }),
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
