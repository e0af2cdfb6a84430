/** Which requests a webhook or a policy is asked about. */
import { type AdmissionregistrationV1, type Kind, Kinds, type KubeObject, LabelSelector, type MetaV1, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { Attributes, ClusterView } from "../admission/Admission.js"

type Rule = AdmissionregistrationV1.NamedRuleWithOperations

/** What rules and selectors say about a request. */
export interface Selectors {
  readonly matchPolicy?: string
  readonly namespaceSelector?: MetaV1.LabelSelector
  readonly objectSelector?: MetaV1.LabelSelector
}

/** A request with its object as it is now. */
export interface Subject {
  readonly attributes: Attributes
  readonly object: KubeObject.KubeObject | undefined
}

const listed = (values: ReadonlyArray<string> | undefined, value: string): boolean =>
  values?.some((one) => one === "*" || one === value) ?? false

const resourceMatches = (pattern: string, resource: string, subresource = ""): boolean => {
  const [main = "", ...rest] = pattern.split("/")
  const sub = rest.join("/")
  return (main === "*" || main === resource) && (sub === "*" || sub === subresource)
}

const scopeMatches = (scope: string | undefined, kind: Kind.Kind): boolean =>
  scope === undefined || scope === "*" || (scope === "Namespaced") === kind.namespaced

const ruleMatches = (rule: Rule, { operation, name, subresource }: Attributes, kind: Kind.Kind): boolean =>
  listed(rule.operations, operation) &&
  listed(rule.apiGroups, kind.group) &&
  listed(rule.apiVersions, kind.version) &&
  (rule.resources?.some((pattern) => resourceMatches(pattern, kind.plural, subresource)) ?? false) &&
  scopeMatches(rule.scope, kind) &&
  (rule.resourceNames === undefined || rule.resourceNames.length === 0 || rule.resourceNames.includes(name))

/**
 * The kind under which one of the rules names the resource: that of the request or, when equivalents count, another version of
 * it, the one that the earliest rule names. Undefined: no rule does.
 */
export const kindIn = (
  rules: ReadonlyArray<Rule>,
  attributes: Attributes,
  equivalents: ReadonlyArray<Kind.Kind>
): Kind.Kind | undefined => {
  if (rules.some((rule) => ruleMatches(rule, attributes, attributes.kind))) return attributes.kind
  for (const rule of rules) {
    const kind = equivalents.find((equivalent) => ruleMatches(rule, attributes, equivalent))
    if (kind !== undefined) return kind
  }
  return undefined
}

// Whoever could refuse changes of these could lock everybody out.
const exempt: ReadonlySet<string> = new Set(
  [
    Kinds.mutatingWebhookConfiguration,
    Kinds.validatingWebhookConfiguration,
    Kinds.validatingAdmissionPolicy,
    Kinds.validatingAdmissionPolicyBinding,
    Kinds.mutatingAdmissionPolicy,
    Kinds.mutatingAdmissionPolicyBinding
  ].map(({ kind }) => kind)
)

/** Kinds that nobody is asked about, whatever their version. */
export const isExempt = ({ kind: { group, kind } }: Attributes): boolean =>
  group === Kinds.validatingAdmissionPolicy.group && exempt.has(kind)

const selects = (selector: MetaV1.LabelSelector | undefined, labels: Readonly<Record<string, string>> | undefined): boolean => {
  if (selector === undefined) return true
  const read = LabelSelector.fromObject(selector)
  return Either.isRight(read) && LabelSelector.matches(read.right, labels)
}

const isEmpty = (selector: MetaV1.LabelSelector | undefined): boolean =>
  selector === undefined || Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions?.length ?? 0) === 0

const namespaceMatches = (
  selector: MetaV1.LabelSelector | undefined,
  { attributes, object }: Subject,
  view: ClusterView
): Either.Either<boolean, Status.Status> => {
  const { kind, namespace, old, subresource } = attributes
  if (isEmpty(selector)) return Either.right(true)
  if (kind === Kinds.namespace) {
    // A subresource changes no labels: those that are stored count.
    const judged = subresource === undefined ? object ?? old : old ?? object
    return Either.right(selects(selector, judged?.metadata.labels))
  }
  if (!kind.namespaced || namespace === undefined) return Either.right(true)
  const found = view.get(Kinds.namespace, undefined, namespace)
  return found === undefined
    ? Either.left(Status.notFound(Kinds.namespace, namespace))
    : Either.right(selects(selector, found.metadata.labels))
}

/** Whether the labels of object and namespace are those that are asked for. */
export const selected = (
  { namespaceSelector, objectSelector }: Selectors,
  subject: Subject,
  view: ClusterView
): Either.Either<boolean, Status.Status> => {
  const { attributes: { old }, object } = subject
  const objectMatches = isEmpty(objectSelector) || object !== undefined && selects(objectSelector, object.metadata.labels) ||
    old !== undefined && selects(objectSelector, old.metadata.labels)
  return objectMatches ? namespaceMatches(namespaceSelector, subject, view) : Either.right(false)
}

/** Whether equivalents of the resource count. */
export const takesEquivalents = ({ matchPolicy }: Selectors): boolean => matchPolicy !== "Exact"
