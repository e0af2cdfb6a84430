/** Ingress: how services are reached by HTTP from outside. Stored and shown; what serves it is not part of the control plane. */
import type * as NetworkingV1 from "../generated/NetworkingV1.js"
import { age, name, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { ingressCells } from "../printing/IngressCells.js"
import { validateIngress } from "../validation/IngressValidation.js"

const emptyStatus: NetworkingV1.IngressStatus = { loadBalancer: {} }

/** @category constructors */
export const ingress: Kind.Kind<NetworkingV1.Ingress> = Kind.make<NetworkingV1.Ingress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  shortNames: ["ing"],
  namespaced: true,
  schema: "io.k8s.api.networking.v1.Ingress",
  subresources: [{ name: "status", kind: "Ingress", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  prepareForCreate: (object) => ({ ...object, status: emptyStatus }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? emptyStatus }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: validateIngress,
  validateContentUpdate: validateIngress,
  columns: [
    name,
    text("Class", "The class of controllers that serves it."),
    text("Hosts", "The names it answers to."),
    text("Address", "Where it is reached."),
    text("Ports", "The ports it listens on."),
    age
  ],
  cells: ingressCells
})
