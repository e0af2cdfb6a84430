/** Rules of admission webhooks. */
import { duplicate, forbidden, invalid, notSupported, required } from "../FieldError.js"
import type * as AdmissionregistrationV1 from "../generated/AdmissionregistrationV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, nonNegative, optionalOneOf, present, uniqueNames } from "../internal/fieldRules.js"
import * as Names from "../Names.js"
import { validateLabelSelector } from "./SchedulingValidation.js"
import { validateWebhookClient } from "./WebhookClientValidation.js"

const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"]
const scopes = ["*", "Cluster", "Namespaced"]

const stars = (path: string, values: ReadonlyArray<string>): Errors =>
  values.length > 1 && values.includes("*")
    ? [invalid(path, values, `if '*' is present, must not specify other ${path.replace(/^.*\./, "")}`)]
    : []

/** Which requests a webhook or policy is asked about. @category combinators */
export const validateRule = (path: string, rule: AdmissionregistrationV1.RuleWithOperations): Errors => {
  const { apiGroups = [], apiVersions = [], operations: verbs = [], resources = [], scope } = rule
  return [
    ...(verbs.length === 0 ? [required(`${path}.operations`)] : []),
    ...(verbs.length > 1 && verbs.includes("*")
      ? [invalid(`${path}.operations`, verbs, "if '*' is present, must not specify other operations")]
      : []),
    ...verbs.flatMap((verb, index) => (operations.includes(verb) ? [] : [notSupported(`${path}.operations[${index}]`, verb, operations)])),
    ...(apiGroups.length === 0 ? [required(`${path}.apiGroups`)] : stars(`${path}.apiGroups`, apiGroups)),
    ...(apiVersions.length === 0 ? [required(`${path}.apiVersions`)] : stars(`${path}.apiVersions`, apiVersions)),
    ...(resources.length === 0 ? [required(`${path}.resources`)] : []),
    ...optionalOneOf(`${path}.scope`, scope, scopes)
  ]
}

/** Conditions in CEL: named once each, and not empty. @category combinators */
export const validateMatchConditions = (path: string, conditions: ReadonlyArray<AdmissionregistrationV1.MatchCondition>): Errors => [
  ...conditions.flatMap(({ expression, name }, index) => [
    ...(name === "" ? [required(`${path}[${index}].name`)] : named(`${path}[${index}].name`, name, Names.isQualifiedName)),
    ...present(`${path}[${index}].expression`, expression.trim())
  ]),
  ...uniqueNames(conditions.map(({ name }) => name), (index) => `${path}[${index}].name`, duplicate)
]

const mostSeconds = 30
const known: ReadonlySet<string> = new Set(["v1", "v1beta1"])

type Webhook = AdmissionregistrationV1.ValidatingWebhook & Pick<AdmissionregistrationV1.MutatingWebhook, "reinvocationPolicy">

const validateWebhook = (path: string, webhook: Webhook): Errors => {
  const { admissionReviewVersions: versions, timeoutSeconds = 10 } = webhook
  return [
    ...(webhook.name.split(".").length < 3
      ? [invalid(`${path}.name`, webhook.name, "should be a domain with at least three segments separated by dots")]
      : named(`${path}.name`, webhook.name, Names.isDns1123Subdomain)),
    ...validateLabelSelector(`${path}.namespaceSelector`, webhook.namespaceSelector),
    ...validateLabelSelector(`${path}.objectSelector`, webhook.objectSelector),
    ...(webhook.rules ?? []).flatMap((rule, index) => validateRule(`${path}.rules[${index}]`, rule)),
    ...optionalOneOf(`${path}.failurePolicy`, webhook.failurePolicy, ["Fail", "Ignore"]),
    ...optionalOneOf(`${path}.matchPolicy`, webhook.matchPolicy, ["Equivalent", "Exact"]),
    ...(["None", "NoneOnDryRun"].includes(webhook.sideEffects)
      ? []
      : (webhook.sideEffects ?? "") === "" ? [required(`${path}.sideEffects`, "must specify one of None, NoneOnDryRun")] : [notSupported(`${path}.sideEffects`, webhook.sideEffects, ["None", "NoneOnDryRun"])]),
    ...(timeoutSeconds < 1 || timeoutSeconds > mostSeconds
      ? [invalid(`${path}.timeoutSeconds`, timeoutSeconds, "the timeout value must be between 1 and 30 seconds")]
      : nonNegative(`${path}.timeoutSeconds`, timeoutSeconds)),
    ...validateWebhookClient(`${path}.clientConfig`, webhook.clientConfig),
    ...optionalOneOf(`${path}.reinvocationPolicy`, webhook.reinvocationPolicy, ["IfNeeded", "Never"]),
    ...((versions ?? []).length === 0
      ? [required(`${path}.admissionReviewVersions`, "must specify one of v1, v1beta1")]
      : versions.some((version) => known.has(version))
        ? []
        : [invalid(`${path}.admissionReviewVersions`, versions, "must include at least one of v1, v1beta1")]),
    ...validateMatchConditions(`${path}.matchConditions`, webhook.matchConditions ?? [])
  ]
}

/** The webhooks of a configuration, each under a name of its own. @category combinators */
export const validateWebhooks = (webhooks: ReadonlyArray<Webhook>): Errors => [
  ...webhooks.flatMap((webhook, index) => validateWebhook(`webhooks[${index}]`, webhook)),
  ...uniqueNames(webhooks.map(({ name }) => name), (index) => `webhooks[${index}].name`, duplicate)
]

const validateParam = (path: string, reference: AdmissionregistrationV1.ParamRef | undefined): Errors => {
  if (reference === undefined) return []
  const { name = "", parameterNotFoundAction, selector } = reference
  return [
    ...(name !== "" && selector !== undefined ? [forbidden(`${path}.name`, "name and selector are mutually exclusive")] : []),
    ...(name === "" && selector === undefined ? [required(path, "one of name or selector must be specified")] : []),
    ...validateLabelSelector(`${path}.selector`, selector),
    ...(parameterNotFoundAction === undefined
      ? [required(`${path}.parameterNotFoundAction`)]
      : optionalOneOf(`${path}.parameterNotFoundAction`, parameterNotFoundAction, ["Allow", "Deny"]))
  ]
}

/** What a policy or a binding of one is about. @category combinators */
export const validateMatchResources = (path: string, match: AdmissionregistrationV1.MatchResources | undefined): Errors =>
  match === undefined
    ? []
    : [
        ...validateLabelSelector(`${path}.namespaceSelector`, match.namespaceSelector),
        ...validateLabelSelector(`${path}.objectSelector`, match.objectSelector),
        ...(match.resourceRules ?? []).flatMap((rule, index) => validateRule(`${path}.resourceRules[${index}]`, rule)),
        ...(match.excludeResourceRules ?? []).flatMap((rule, index) => validateRule(`${path}.excludeResourceRules[${index}]`, rule)),
        ...optionalOneOf(`${path}.matchPolicy`, match.matchPolicy, ["Equivalent", "Exact"])
      ]

/** A binding names a policy, and perhaps parameters. @category combinators */
export const validatePolicyBinding = (spec: AdmissionregistrationV1.MutatingAdmissionPolicyBindingSpec | undefined): Errors => [
  ...present("spec.policyName", spec?.policyName),
  ...validateParam("spec.paramRef", spec?.paramRef),
  ...validateMatchResources("spec.matchResources", spec?.matchResources)
]

type PolicySpec = Pick<AdmissionregistrationV1.MutatingAdmissionPolicySpec, "failurePolicy" | "matchConditions" | "matchConstraints" | "paramKind" | "variables">

/** What policies that refuse and policies that change have in common. @category combinators */
export const validatePolicy = (spec: PolicySpec | undefined): Errors => {
  const { failurePolicy, matchConditions = [], matchConstraints, paramKind, variables = [] } = spec ?? {}
  return [
    ...optionalOneOf("spec.failurePolicy", failurePolicy, ["Fail", "Ignore"]),
    ...(paramKind === undefined
      ? []
      : [...present("spec.paramKind.apiVersion", paramKind.apiVersion), ...present("spec.paramKind.kind", paramKind.kind)]),
    ...(matchConstraints === undefined
      ? [required("spec.matchConstraints")]
      : (matchConstraints.resourceRules ?? []).length === 0
        ? [required("spec.matchConstraints.resourceRules")]
        : validateMatchResources("spec.matchConstraints", matchConstraints)),
    ...validateMatchConditions("spec.matchConditions", matchConditions),
    ...variables.flatMap(({ expression, name }, index) => [
      ...present(`spec.variables[${index}].name`, name, "name is not specified"),
      ...present(`spec.variables[${index}].expression`, expression.trim(), "expression is not specified")
    ]),
    ...uniqueNames(variables.map(({ name }) => name), (index) => `spec.variables[${index}].name`, duplicate)
  ]
}
