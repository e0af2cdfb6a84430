/** IngressClass: a controller that serves Ingresses. */
import type * as NetworkingV1 from "../generated/NetworkingV1.js"
import { age, ageCell, name, none, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { validateIngressClass, validateIngressClassUpdate } from "../validation/IngressValidation.js"

const withScope = (object: NetworkingV1.IngressClass): NetworkingV1.IngressClass =>
  object.spec?.parameters === undefined || object.spec.parameters.scope !== undefined
    ? object
    : { ...object, spec: { ...object.spec, parameters: { ...object.spec.parameters, scope: "Cluster" } } }

const parametersOf = ({ spec }: NetworkingV1.IngressClass): string => {
  if (spec?.parameters === undefined) return none
  const { apiGroup, kind, name: parameter } = spec.parameters
  return apiGroup === undefined ? `${kind}/${parameter}` : `${kind}.${apiGroup}/${parameter}`
}

/** @category constructors */
export const ingressClass: Kind.Kind<NetworkingV1.IngressClass> = Kind.make<NetworkingV1.IngressClass>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IngressClass",
  plural: "ingressclasses",
  namespaced: false,
  schema: "io.k8s.api.networking.v1.IngressClass",
  tracksGeneration: true,
  defaults: withScope,
  validateContent: validateIngressClass,
  validateContentUpdate: validateIngressClassUpdate,
  columns: [name, text("Controller", "The controller that serves this class."), text("Parameters", "Its settings."), age],
  cells: (object, now) => [object.metadata.name ?? "", object.spec?.controller ?? "", parametersOf(object), ageCell(object, now)]
})
