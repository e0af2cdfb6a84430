/** Defaults of admission webhooks and policies. */
import type * as AdmissionregistrationV1 from "../generated/AdmissionregistrationV1.js"

const withScope = <A extends AdmissionregistrationV1.RuleWithOperations>(rule: A): A => ({ ...rule, scope: rule.scope ?? "*" })

/** Fills a webhook: it fails closed, matches what is equivalent, and is given ten seconds. @category combinators */
export const webhookDefaults = <A extends AdmissionregistrationV1.ValidatingWebhook>(webhook: A): A => {
  const { service } = webhook.clientConfig
  return {
    ...webhook,
    failurePolicy: webhook.failurePolicy ?? "Fail",
    matchPolicy: webhook.matchPolicy ?? "Equivalent",
    namespaceSelector: webhook.namespaceSelector ?? {},
    objectSelector: webhook.objectSelector ?? {},
    timeoutSeconds: webhook.timeoutSeconds ?? 10,
    ...(webhook.rules === undefined ? {} : { rules: webhook.rules.map(withScope) }),
    clientConfig: service === undefined ? webhook.clientConfig : { ...webhook.clientConfig, service: { ...service, port: service.port ?? 443 } }
  }
}

/** Fills which objects a policy is about. @category combinators */
export const matchDefaults = (match: AdmissionregistrationV1.MatchResources): AdmissionregistrationV1.MatchResources => ({
  ...match,
  matchPolicy: match.matchPolicy ?? "Equivalent",
  namespaceSelector: match.namespaceSelector ?? {},
  objectSelector: match.objectSelector ?? {},
  ...(match.resourceRules === undefined ? {} : { resourceRules: match.resourceRules.map(withScope) }),
  ...(match.excludeResourceRules === undefined ? {} : { excludeResourceRules: match.excludeResourceRules.map(withScope) })
})

/** Fills the match of a spec that has one. @category combinators */
export const bindingSpecDefaults = <A extends { readonly matchResources?: AdmissionregistrationV1.MatchResources }>(spec: A): A =>
  spec.matchResources === undefined ? spec : { ...spec, matchResources: matchDefaults(spec.matchResources) }

/** Fills the spec of a policy: it fails closed. @category combinators */
export const policySpecDefaults = <
  A extends { readonly failurePolicy?: string; readonly matchConstraints?: AdmissionregistrationV1.MatchResources }
>(spec: A): A => ({
  ...spec,
  failurePolicy: spec.failurePolicy ?? "Fail",
  ...(spec.matchConstraints === undefined ? {} : { matchConstraints: matchDefaults(spec.matchConstraints) })
})
