/** NetworkPolicy: who may talk to a set of pods. Stored and shown; enforcing it is not part of the control plane. */
import * as Either from "effect/Either"
import type * as NetworkingV1 from "../generated/NetworkingV1.js"
import { age, ageCell, name, none, orNone, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import * as LabelSelector from "../LabelSelector.js"
import { validateNetworkPolicy } from "../validation/NetworkPolicyValidation.js"

const withProtocols = <A extends { readonly ports?: ReadonlyArray<NetworkingV1.NetworkPolicyPort> }>(rule: A): A =>
  rule.ports === undefined ? rule : { ...rule, ports: rule.ports.map((port) => ({ protocol: "TCP", ...port })) }

const defaults = (object: NetworkingV1.NetworkPolicy): NetworkingV1.NetworkPolicy => {
  const spec = object.spec ?? {}
  const { egress, ingress, policyTypes = [] } = spec
  return {
    ...object,
    spec: {
      ...spec,
      podSelector: spec.podSelector ?? {},
      ...(ingress === undefined ? {} : { ingress: ingress.map(withProtocols) }),
      ...(egress === undefined ? {} : { egress: egress.map(withProtocols) }),
      policyTypes: policyTypes.length > 0 ? policyTypes : (egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"]
    }
  }
}

const selectorCell = ({ spec }: NetworkingV1.NetworkPolicy): string =>
  Either.match(LabelSelector.fromObject(spec?.podSelector ?? {}), {
    onLeft: () => "<error>",
    onRight: (selector) => (LabelSelector.isEverything(selector) ? none : orNone(LabelSelector.format(selector)))
  })

/** @category constructors */
export const networkPolicy: Kind.Kind<NetworkingV1.NetworkPolicy> = Kind.make<NetworkingV1.NetworkPolicy>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  shortNames: ["netpol"],
  namespaced: true,
  schema: "io.k8s.api.networking.v1.NetworkPolicy",
  tracksGeneration: true,
  defaults,
  validateContent: validateNetworkPolicy,
  validateContentUpdate: validateNetworkPolicy,
  columns: [name, text("Pod-Selector", "The pods it is about."), age],
  cells: (object, now) => [object.metadata.name ?? "", selectorCell(object), ageCell(object, now)]
})
