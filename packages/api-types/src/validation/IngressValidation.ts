/** Rules of Ingress and IngressClass. */
import { isIP } from "node:net"
import { invalid, notSupported, required, tooLong } from "../FieldError.js"
import type * as NetworkingV1 from "../generated/NetworkingV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, oneOf, optionalName, requiredName } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import { validateImmutable } from "./MetadataValidation.js"

const wildcard = (value: string): Names.Problems =>
  value.startsWith("*.") && Names.isDns1123Subdomain(value.slice(2)).length === 0
    ? []
    : [
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
      ]

const host = (path: string, value: string): Errors => {
  if (value === "") return []
  if (isIP(value) !== 0) return [invalid(path, value, "must be a DNS name, not an IP address")]
  return named(path, value, value.includes("*") ? wildcard : Names.isDns1123Subdomain)
}

const validateService = (path: string, { name, port = {} }: NetworkingV1.IngressServiceBackend): Errors => {
  const { name: portName = "", number = 0 } = port
  return [
    ...requiredName(`${path}.service.name`, name, Names.isDns1035Label),
    ...(portName !== "" && number !== 0 ? [invalid(path, "", "cannot set both port name & port number")] : []),
    ...(portName === "" && number === 0 ? [required(path, "port name or number is required")] : []),
    ...optionalName(`${path}.service.port.name`, portName, Names.isPortName),
    ...(number === 0 ? [] : Names.isPortNumber(number).map((detail) => invalid(`${path}.service.port.number`, number, detail)))
  ]
}

const validateBackend = (path: string, { resource, service }: NetworkingV1.IngressBackend): Errors => {
  if (resource !== undefined && service !== undefined) return [invalid(path, "", "cannot set both resource and service backends")]
  if (service !== undefined) return validateService(path, service)
  if (resource === undefined) return [invalid(path, "", "resource or service backend is required")]
  return [
    ...((resource.apiGroup ?? "") === "" ? [] : named(`${path}.resource.apiGroup`, resource.apiGroup ?? "", Names.isDns1123Subdomain)),
    ...requiredName(`${path}.resource.kind`, resource.kind, Names.isPathSegment),
    ...requiredName(`${path}.resource.name`, resource.name, Names.isPathSegment)
  ]
}

const forbiddenParts = ["//", "/./", "/../", "%2f", "%2F"]
const forbiddenEnds = ["/..", "/."]

const absolute = (path: string, value: string): Errors => (value.startsWith("/") ? [] : [invalid(path, value, "must be an absolute path")])

const validatePath = (path: string, { backend, path: location = "", pathType }: NetworkingV1.HTTPIngressPath): Errors => {
  const errors: Array<Errors[number]> = []
  switch (pathType) {
    case undefined:
    case "":
      return [required(`${path}.pathType`, "pathType must be specified")]
    case "Exact":
    case "Prefix": {
      errors.push(...absolute(`${path}.path`, location))
      if (location === "") break
      for (const part of forbiddenParts) if (location.includes(part)) errors.push(invalid(`${path}.path`, location, `must not contain '${part}'`))
      for (const end of forbiddenEnds) if (location.endsWith(end)) errors.push(invalid(`${path}.path`, location, `cannot end with '${end}'`))
      break
    }
    case "ImplementationSpecific":
      if (location !== "") errors.push(...absolute(`${path}.path`, location))
      break
    default:
      errors.push(notSupported(`${path}.pathType`, pathType, ["Exact", "ImplementationSpecific", "Prefix"]))
  }
  return [...errors, ...validateBackend(`${path}.backend`, backend)]
}

/** Rules, backends, hosts and certificates. @category combinators */
export const validateIngress = ({ metadata, spec = {} }: NetworkingV1.Ingress): Errors => {
  const { defaultBackend, ingressClassName, rules = [], tls = [] } = spec
  const annotation = metadata.annotations?.["kubernetes.io/ingress.class"]
  return [
    ...(rules.length === 0 && defaultBackend === undefined
      ? [invalid("spec", null, "either `defaultBackend` or `rules` must be specified")]
      : []),
    ...(defaultBackend === undefined ? [] : validateBackend("spec.defaultBackend", defaultBackend)),
    ...rules.flatMap(({ host: name = "", http }, index) => [
      ...host(`spec.rules[${index}].host`, name),
      ...(http !== undefined && http.paths.length === 0 ? [required(`spec.rules[${index}].http.paths`)] : []),
      ...(http?.paths ?? []).flatMap((path, each) => validatePath(`spec.rules[${index}].http.paths[${each}]`, path))
    ]),
    ...tls.flatMap(({ hosts = [], secretName = "" }, index) => [
      ...hosts.flatMap((name, each) => host(`spec.tls[${index}].hosts[${each}]`, name)),
      ...optionalName(`spec.tls[${index}].secretName`, secretName, Names.isDns1123Subdomain)
    ]),
    ...(ingressClassName === undefined ? [] : named("spec.ingressClassName", ingressClassName, Names.isDns1123Subdomain)),
    ...(annotation !== undefined && ingressClassName !== undefined
      ? [invalid("metadata.annotations[kubernetes.io/ingress.class]", annotation, "can not be set when the class field is also set")]
      : [])
  ]
}

const longestController = 250

const domainPath = (value: string): Names.Problems => {
  const slash = value.indexOf("/")
  if (slash < 1 || slash === value.length - 1) return ["must be a domain-prefixed path (such as \"acme.io/foo\")"]
  return [...Names.isDns1123Subdomain(value.slice(0, slash)), ...(/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(value.slice(slash + 1)) ? [] : ["Invalid path"])]
}

const validateParameters = (path: string, parameters: NetworkingV1.IngressClassParametersReference): Errors => {
  const { apiGroup, kind, name, namespace, scope } = parameters
  return [
    ...(apiGroup === undefined ? [] : named(`${path}.apiGroup`, apiGroup, Names.isDns1123Subdomain)),
    ...requiredName(`${path}.kind`, kind, Names.isPathSegment),
    ...requiredName(`${path}.name`, name, Names.isPathSegment),
    ...oneOf(`${path}.scope`, scope, ["Cluster", "Namespace"]),
    ...(scope === "Namespace" && namespace === undefined ? [required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'")] : [])
  ]
}

/** Controller and parameters. @category combinators */
export const validateIngressClass = ({ spec = {} }: NetworkingV1.IngressClass): Errors => {
  const { controller = "", parameters } = spec
  return [
    ...(controller.length > longestController ? [tooLong("spec.controller", longestController)] : []),
    ...requiredName("spec.controller", controller, domainPath),
    ...(parameters === undefined ? [] : validateParameters("spec.parameters", parameters))
  ]
}

/** The controller of a class stays. @category combinators */
export const validateIngressClassUpdate = (next: NetworkingV1.IngressClass, old: NetworkingV1.IngressClass): Errors => [
  ...validateIngressClass(next),
  ...validateImmutable("spec.controller", next.spec?.controller, old.spec?.controller)
]
