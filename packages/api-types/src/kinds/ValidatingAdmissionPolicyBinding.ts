/** ValidatingAdmissionPolicyBinding: puts an admission policy into effect. Stored and shown; the server evaluates no policies. */
import { bindingSpecDefaults } from "../defaults/WebhookDefaults.js"
import type * as AdmissionregistrationV1 from "../generated/AdmissionregistrationV1.js"
import { duplicate, required } from "../FieldError.js"
import { optionalOneOf, uniqueNames } from "../internal/fieldRules.js"
import type { Errors } from "../internal/fieldRules.js"
import { age, ageCell, name, orNone, text } from "../internal/columns.js"
import * as Kind from "../Kind.js"
import { validatePolicyBinding } from "../validation/WebhookValidation.js"

type Binding = AdmissionregistrationV1.ValidatingAdmissionPolicyBinding

const actions = ["Audit", "Deny", "Warn"]

const validate = ({ spec }: Binding): Errors => {
  const given = spec?.validationActions ?? []
  return [
    ...validatePolicyBinding(spec),
    ...(given.length === 0 ? [required("spec.validationActions")] : []),
    ...given.flatMap((action, index) => optionalOneOf(`spec.validationActions[${index}]`, action, actions)),
    ...uniqueNames(given, (index) => `spec.validationActions[${index}]`, duplicate)
  ]
}

const paramOf = ({ spec }: Binding): string => {
  const { name: param = "", namespace = "", selector } = spec?.paramRef ?? {}
  if (selector !== undefined) return "<selector>"
  return namespace === "" ? param : `${namespace}/${param}`
}

/** @category constructors */
export const validatingAdmissionPolicyBinding: Kind.Kind<Binding> = Kind.make<Binding>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  plural: "validatingadmissionpolicybindings",
  categories: ["api-extensions"],
  namespaced: false,
  schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
  tracksGeneration: true,
  allowUnconditionalUpdate: false,
  defaults: (object) => object.spec === undefined ? object : { ...object, spec: bindingSpecDefaults(object.spec) },
  validateContent: validate,
  validateContentUpdate: validate,
  columns: [name, text("PolicyName", "The policy."), text("ParamRef", "Its parameters."), age],
  cells: (object, now) => [object.metadata.name ?? "", object.spec?.policyName ?? "", orNone(paramOf(object)), ageCell(object, now)]
})
