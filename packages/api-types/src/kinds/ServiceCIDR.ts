/** ServiceCIDR: a network that addresses of services are taken from. */
import { invalid, required } from "../FieldError.js"
import type * as NetworkingV1 from "../generated/NetworkingV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import { network } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import { validateImmutable } from "../validation/MetadataValidation.js"

/** @category constructors */
export const serviceCidr: Kind.Kind<NetworkingV1.ServiceCIDR> = Kind.make<NetworkingV1.ServiceCIDR>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  namespaced: false,
  schema: "io.k8s.api.networking.v1.ServiceCIDR",
  subresources: [{ name: "status", kind: "ServiceCIDR", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? {} }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: ({ spec }) => {
    const cidrs = spec?.cidrs ?? []
    if (cidrs.length === 0) return [required("spec.cidrs", "at least one CIDR required")]
    return cidrs.length > 2
      ? [invalid("spec", spec, "may only hold up to 2 values")]
      : cidrs.flatMap((cidr, index) => network(`spec.cidrs[${index}]`, cidr))
  },
  validateContentUpdate: (next, old) => validateImmutable("spec.cidrs", next.spec?.cidrs, old.spec?.cidrs),
  columns: [name, text("CIDRs", "The networks, one to a family."), age],
  cells: (object, now) => [object.metadata.name ?? "", (object.spec?.cidrs ?? []).join(","), ageCell(object, now)]
})
