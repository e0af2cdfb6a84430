/** MutatingAdmissionPolicy: changes in CEL that are made to writes. Stored and shown; the server evaluates no policies. */
import { policySpecDefaults } from "../defaults/WebhookDefaults.js"
import { required } from "../FieldError.js"
import type * as AdmissionregistrationV1 from "../generated/AdmissionregistrationV1.js"
import { age, ageCell, name, text } from "../internal/columns.js"
import type { Errors } from "../internal/fieldRules.js"
import { oneOf } from "../internal/fieldRules.js"
import * as Kind from "../Kind.js"
import { validatePolicy } from "../validation/WebhookValidation.js"

type Policy = AdmissionregistrationV1.MutatingAdmissionPolicy

const validateMutation = (path: string, { applyConfiguration, jsonPatch, patchType }: AdmissionregistrationV1.Mutation): Errors => [
  ...oneOf(`${path}.patchType`, patchType, ["ApplyConfiguration", "JSONPatch"]),
  ...(patchType === "ApplyConfiguration" && applyConfiguration === undefined
    ? [required(`${path}.applyConfiguration`, "must be specified when patchType is ApplyConfiguration")]
    : []),
  ...(patchType === "JSONPatch" && jsonPatch === undefined
    ? [required(`${path}.jsonPatch`, "must be specified when patchType is JSONPatch")]
    : [])
]

const validate = ({ spec }: Policy): Errors => {
  const { mutations = [], reinvocationPolicy } = spec ?? {}
  return [
    ...validatePolicy(spec),
    ...(mutations.length === 0 ? [required("spec.mutations", "mutations must contain at least one item")] : []),
    ...mutations.flatMap((mutation, index) => validateMutation(`spec.mutations[${index}]`, mutation)),
    ...oneOf("spec.reinvocationPolicy", reinvocationPolicy, ["IfNeeded", "Never"])
  ]
}

const paramKindOf = ({ spec }: Policy): string =>
  spec?.paramKind === undefined ? "<unset>" : `${spec.paramKind.apiVersion ?? ""}/${spec.paramKind.kind ?? ""}`

/** @category constructors */
export const mutatingAdmissionPolicy: Kind.Kind<Policy> = Kind.make<Policy>({
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingAdmissionPolicy",
  plural: "mutatingadmissionpolicies",
  categories: ["api-extensions"],
  namespaced: false,
  schema: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy",
  tracksGeneration: true,
  allowUnconditionalUpdate: false,
  defaults: (object) => ({ ...object, spec: policySpecDefaults({ reinvocationPolicy: "Never", ...object.spec }) }),
  validateContent: validate,
  validateContentUpdate: validate,
  columns: [
    name,
    { name: "Mutations", type: "integer", description: "How many changes there are.", priority: 0 },
    text("ParamKind", "The kind of its parameters."),
    age
  ],
  cells: (object, now) => [object.metadata.name ?? "", (object.spec?.mutations ?? []).length, paramKindOf(object), ageCell(object, now)]
})
