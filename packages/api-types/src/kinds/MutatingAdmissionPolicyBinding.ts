/** MutatingAdmissionPolicyBinding: puts an admission policy into effect. Stored and shown; the server evaluates no policies. */
import { bindingSpecDefaults } from "../defaults/WebhookDefaults.js"
import type * as AdmissionregistrationV1 from "../generated/AdmissionregistrationV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { age, ageCell, name, orNone, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { validatePolicyBinding } from "../validation/WebhookValidation.js"

type Binding = AdmissionregistrationV1.MutatingAdmissionPolicyBinding

const validate = ({ spec }: Binding): Errors => validatePolicyBinding(spec)

const paramOf = ({ spec }: Binding): string => {
  const { name: param = "", namespace = "", selector } = spec?.paramRef ?? {}
  if (selector !== undefined) return "<selector>"
  return namespace === "" ? param : `${namespace}/${param}`
}

/** @category constructors */
export const mutatingAdmissionPolicyBinding: Kind.Kind<Binding> = Kind.make<Binding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicyBinding",
  plural: "mutatingadmissionpolicybindings",
  categories: ["api-extensions"],
  namespaced: false,
  schema: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding",
  tracksGeneration: true,
  allowUnconditionalUpdate: false,
  defaults: (object) => object.spec === undefined ? object : { ...object, spec: bindingSpecDefaults(object.spec) },
  validateContent: validate,
  validateContentUpdate: validate,
  columns: [name, text("PolicyName", "The policy."), text("ParamRef", "Its parameters."), age],
  cells: (object, now) => [object.metadata.name ?? "", object.spec?.policyName ?? "", orNone(paramOf(object)), ageCell(object, now)]
})
