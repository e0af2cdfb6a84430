/** ValidatingAdmissionPolicy: rules in CEL that writes must keep. Stored and shown; the server evaluates no policies. */
import { policySpecDefaults } from "../defaults/WebhookDefaults.js"
import { notSupported, required } from "../FieldError.js"
import type * as AdmissionregistrationV1 from "../generated/AdmissionregistrationV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { present } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import { validatePolicy } from "../validation/WebhookValidation.js"

type Policy = AdmissionregistrationV1.ValidatingAdmissionPolicy

const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized"]

const validate = ({ spec }: Policy): Errors => {
  const { auditAnnotations = [], validations = [] } = spec ?? {}
  return [
    ...validatePolicy(spec),
    ...(validations.length === 0 && auditAnnotations.length === 0
      ? [required("spec.validations", "validations or auditAnnotations must be non-empty")]
      : []),
    ...validations.flatMap(({ expression, reason }, index) => [
      ...present(`spec.validations[${index}].expression`, expression.trim(), "expression is not specified"),
      ...(reason === undefined || reasons.includes(reason) ? [] : [notSupported(`spec.validations[${index}].reason`, reason, reasons)])
    ])
  ]
}

const paramKindOf = ({ spec }: Policy): string =>
  spec?.paramKind === undefined ? "<unset>" : `${spec.paramKind.apiVersion ?? ""}/${spec.paramKind.kind ?? ""}`

/** @category constructors */
export const validatingAdmissionPolicy: Kind.Kind<Policy> = Kind.make<Policy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  plural: "validatingadmissionpolicies",
  categories: ["api-extensions"],
  namespaced: false,
  schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
  subresources: [{ name: "status", kind: "ValidatingAdmissionPolicy", verbs: ["get", "patch", "update"] }],
  tracksGeneration: true,
  allowUnconditionalUpdate: false,
  defaults: (object) => ({ ...object, spec: policySpecDefaults(object.spec ?? {}) }),
  prepareForCreate: (object) => ({ ...object, status: {} }),
  prepareForUpdate: (next, old) => ({ ...next, status: old.status ?? {} }),
  prepareForStatusUpdate: (next, old) => ({ ...next, spec: old.spec ?? {} }),
  validateContent: validate,
  validateContentUpdate: validate,
  columns: [
    name,
    { name: "Validations", type: "integer", description: "How many rules there are.", priority: 0 },
    text("ParamKind", "The kind of its parameters."),
    age
  ],
  cells: (object, now) => [object.metadata.name ?? "", (object.spec?.validations ?? []).length, paramKindOf(object), ageCell(object, now)]
})
