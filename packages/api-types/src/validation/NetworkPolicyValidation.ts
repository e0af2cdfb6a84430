/** Rules of a NetworkPolicy. */
import { forbidden, invalid, notSupported, required } from "../FieldError.js"
import type * as NetworkingV1 from "../generated/NetworkingV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { network, optionalOneOf, portNumberOrName } from "../internal/fieldRules.js"
import { validateLabelSelector } from "./SchedulingValidation.js"

const validatePort = (path: string, { endPort, port, protocol }: NetworkingV1.NetworkPolicyPort): Errors => [
  ...optionalOneOf(`${path}.protocol`, protocol, ["SCTP", "TCP", "UDP"]),
  ...(port === undefined ? [] : portNumberOrName(`${path}.port`, port)),
  ...(endPort === undefined
    ? []
    : port === undefined
      ? [required(`${path}.port`, "must be specified")]
      : typeof port === "string"
        ? [invalid(`${path}.endPort`, endPort, "may not be specified when `port` is non-numeric")]
        : endPort < port
          ? [invalid(`${path}.endPort`, endPort, "must be greater than or equal to `port`")]
          : [])
]

const validateBlock = (path: string, { cidr, except = [] }: NetworkingV1.IPBlock): Errors => [
  ...(cidr === "" ? [required(`${path}.cidr`)] : network(`${path}.cidr`, cidr)),
  ...except.flatMap((part, index) => network(`${path}.except[${index}]`, part))
]

const validatePeer = (path: string, { ipBlock, namespaceSelector, podSelector }: NetworkingV1.NetworkPolicyPeer): Errors => {
  const count = [ipBlock, namespaceSelector, podSelector].filter((each) => each !== undefined).length
  return [
    ...validateLabelSelector(`${path}.podSelector`, podSelector),
    ...validateLabelSelector(`${path}.namespaceSelector`, namespaceSelector),
    ...(ipBlock === undefined ? [] : validateBlock(`${path}.ipBlock`, ipBlock)),
    ...(count === 0 ? [required(path, "must specify a peer")] : []),
    ...(count > 1 && ipBlock !== undefined ? [forbidden(path, "may not specify both ipBlock and another peer")] : [])
  ]
}

/** Which pods, which way, and who may be reached. @category combinators */
export const validateNetworkPolicy = ({ spec = {} }: NetworkingV1.NetworkPolicy): Errors => {
  const { egress = [], ingress = [], podSelector, policyTypes = [] } = spec
  return [
    ...validateLabelSelector("spec.podSelector", podSelector),
    ...ingress.flatMap(({ from = [], ports = [] }, index) => [
      ...ports.flatMap((port, each) => validatePort(`spec.ingress[${index}].ports[${each}]`, port)),
      ...from.flatMap((peer, each) => validatePeer(`spec.ingress[${index}].from[${each}]`, peer))
    ]),
    ...egress.flatMap(({ ports = [], to = [] }, index) => [
      ...ports.flatMap((port, each) => validatePort(`spec.egress[${index}].ports[${each}]`, port)),
      ...to.flatMap((peer, each) => validatePeer(`spec.egress[${index}].to[${each}]`, peer))
    ]),
    ...(policyTypes.length > 2 ? [invalid("spec.policyTypes", policyTypes, "may not specify more than two policyTypes")] : []),
    ...policyTypes.flatMap((type, index) =>
      type === "Ingress" || type === "Egress" ? [] : [notSupported(`spec.policyTypes[${index}]`, type, ["Egress", "Ingress"])])
  ]
}
