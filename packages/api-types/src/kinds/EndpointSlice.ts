/** EndpointSlice: some of the addresses behind a service. */
import { isIP } from "node:net"
import { duplicate, invalid, notSupported, required, tooMany } from "../FieldError.js"
import type * as DiscoveryV1 from "../generated/DiscoveryV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, optionalName, uniqueNames } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import * as Names from "../Names.js"
import { validateImmutable } from "../validation/MetadataValidation.js"

const mostEndpoints = 1000
const mostAddresses = 100
const mostPorts = 20_000
const addressTypes = ["FQDN", "IPv4", "IPv6"]

const validateAddress = (path: string, value: string, type: string): Errors => {
  if (type === "FQDN") return named(path, value, Names.isDns1123Subdomain)
  if (type === "IPv4") return isIP(value) === 4 ? [] : [invalid(path, value, "must be a valid IPv4 address")]
  return type === "IPv6" && isIP(value) !== 6 ? [invalid(path, value, "must be a valid IPv6 address")] : []
}

const validateEndpoint = (path: string, { addresses, hostname }: DiscoveryV1.Endpoint, type: string): Errors => [
  ...(addresses.length === 0 ? [required(`${path}.addresses`, "must contain at least 1 address")] : []),
  ...(addresses.length > mostAddresses ? [tooMany(`${path}.addresses`, addresses.length, mostAddresses)] : []),
  ...addresses.flatMap((address, index) => validateAddress(`${path}.addresses[${index}]`, address, type)),
  ...(hostname === undefined ? [] : named(`${path}.hostname`, hostname, Names.isDns1123Label))
]

const validate = ({ addressType, endpoints = [], ports = [] }: DiscoveryV1.EndpointSlice): Errors => [
  ...(addressType === "" ? [required("addressType")] : addressTypes.includes(addressType) ? [] : [notSupported("addressType", addressType, addressTypes)]),
  ...(endpoints.length > mostEndpoints ? [tooMany("endpoints", endpoints.length, mostEndpoints)] : []),
  ...endpoints.flatMap((endpoint, index) => validateEndpoint(`endpoints[${index}]`, endpoint, addressType)),
  ...(ports.length > mostPorts ? [tooMany("ports", ports.length, mostPorts)] : []),
  ...ports.flatMap((port, index) => [
    ...optionalName(`ports[${index}].name`, port.name, Names.isDns1123Label),
    ...(["SCTP", "TCP", "UDP"].includes(port.protocol ?? "") ? [] : [notSupported(`ports[${index}].protocol`, port.protocol, ["SCTP", "TCP", "UDP"])])
  ]),
  ...uniqueNames(ports.map((port) => port.name ?? ""), (index) => `ports[${index}].name`, duplicate)
]

const mostShown = 3

const listed = (values: ReadonlyArray<string>): string =>
  values.length > mostShown ? `${values.slice(0, mostShown).join(",")} + ${values.length - mostShown} more...` : values.join(",")

/** @category constructors */
export const endpointSlice: Kind.Kind<DiscoveryV1.EndpointSlice> = Kind.make<DiscoveryV1.EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
  schema: "io.k8s.api.discovery.v1.EndpointSlice",
  tracksGeneration: true,
  generationContent: ({ addressType, endpoints, ports }) => ({ addressType, endpoints, ports }),
  defaults: (object) =>
    object.ports === undefined ? object : { ...object, ports: object.ports.map((port) => ({ name: "", protocol: "TCP", ...port })) },
  validateContent: validate,
  validateContentUpdate: (next, old) => [...validate(next), ...validateImmutable("addressType", next.addressType, old.addressType)],
  columns: [
    name,
    text("AddressType", "Family of the addresses."),
    text("Ports", "Ports of each address."),
    text("Endpoints", "The addresses."),
    age
  ],
  cells: (object, now) => {
    const ports = (object.ports ?? []).map(({ name: title = "", port }) => String(port ?? (title || "*")))
    const addresses = (object.endpoints ?? []).flatMap((endpoint) => endpoint.addresses)
    return [
      object.metadata.name ?? "",
      object.addressType,
      ports.length === 0 ? "<unset>" : listed(ports),
      addresses.length === 0 ? "<unset>" : listed(addresses),
      ageCell(object, now)
    ]
  }
})
