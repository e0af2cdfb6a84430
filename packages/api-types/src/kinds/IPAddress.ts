/** IPAddress: an address that is taken by another object. */
import { isIP } from "node:net"
import { required } from "../FieldError.js"
import type * as NetworkingV1 from "../generated/NetworkingV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import { present } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import { validateImmutable } from "../validation/MetadataValidation.js"

const nobody: NetworkingV1.ParentReference = { resource: "", name: "" }

// Go leaves an empty reference out, although the schema asks for one.
const parentOf = (spec: Partial<NetworkingV1.IPAddressSpec> | undefined): NetworkingV1.ParentReference => ({ ...nobody, ...spec?.parentRef })

/** @category constructors */
export const ipAddress: Kind.Kind<NetworkingV1.IPAddress> = Kind.make<NetworkingV1.IPAddress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
  shortNames: ["ip"],
  namespaced: false,
  schema: "io.k8s.api.networking.v1.IPAddress",
  tracksGeneration: true,
  // The name is the address; IPv6 ones hold colons.
  nameRule: (value) => (isIP(value) === 0 ? ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"] : []),
  validateContent: ({ spec }) => {
    const { name: parent, resource } = parentOf(spec)
    return resource === "" && parent === ""
      ? [required("spec.parentRef")]
      : [...present("spec.parentRef.resource", resource), ...present("spec.parentRef.name", parent)]
  },
  validateContentUpdate: (next, old) => validateImmutable("spec.parentRef", parentOf(next.spec), parentOf(old.spec)),
  columns: [name, text("ParentRef", "The object that has taken it."), age],
  cells: (object, now) => {
    const { group = "", name: parent, namespace = "", resource } = parentOf(object.spec)
    const kind = group === "" ? resource : `${resource}.${group}`
    return [object.metadata.name ?? "", `${kind}/${namespace === "" ? "" : `${namespace}/`}${parent}`, ageCell(object, now)]
  }
})
