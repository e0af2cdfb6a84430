/** Eviction: asks for the deletion of a pod as far as disruption budgets allow it; never stored. */
import type * as PolicyV1 from "../generated/PolicyV1.js"
import * as Kind from "../Kind.js"

/** @category constructors */
export const eviction: Kind.Kind<PolicyV1.Eviction> = Kind.make<PolicyV1.Eviction>({
  group: "policy",
  version: "v1",
  kind: "Eviction",
  plural: "evictions",
  namespaced: true,
  schema: "io.k8s.api.policy.v1.Eviction",
  verbs: []
})
