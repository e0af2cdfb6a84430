/** Rules of roles and of their bindings to users, groups and service accounts. */
import { invalid, notSupported, required } from "../FieldError.js"
import type * as RbacV1 from "../generated/RbacV1.js"
import type { Errors } from "../internal/fieldRules.js"
import { named, requiredName } from "../internal/fieldRules.js"
import { equal } from "../internal/structure.js"
import * as Names from "../Names.js"
import { validateLabelSelector } from "./SchedulingValidation.js"

/** The API group of roles, users and groups. @category models */
export const group = "rbac.authorization.k8s.io"

const validateRule = (path: string, rule: RbacV1.PolicyRule, namespaced: boolean): Errors => {
  const { apiGroups = [], nonResourceURLs = [], resourceNames = [], resources = [], verbs } = rule
  const noVerbs = verbs.length === 0 ? [required(`${path}.verbs`, "verbs must contain at least one value")] : []
  if (nonResourceURLs.length > 0) {
    const at = `${path}.nonResourceURLs`
    return [
      ...noVerbs,
      ...(namespaced ? [invalid(at, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs")] : []),
      ...(apiGroups.length + resources.length + resourceNames.length > 0
        ? [invalid(at, nonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs")]
        : [])
    ]
  }
  return [
    ...noVerbs,
    ...(apiGroups.length === 0 ? [required(`${path}.apiGroups`, "resource rules must supply at least one api group")] : []),
    ...(resources.length === 0 ? [required(`${path}.resources`, "resource rules must supply at least one resource")] : [])
  ]
}

/** The rules of a role of one namespace. @category combinators */
export const validateRole = ({ rules = [] }: RbacV1.Role): Errors =>
  rules.flatMap((rule, index) => validateRule(`rules[${index}]`, rule, true))

/** The rules of a role of the cluster, and which roles it takes rules from. @category combinators */
export const validateClusterRole = ({ aggregationRule, rules = [] }: RbacV1.ClusterRole): Errors => {
  const path = "aggregationRule.clusterRoleSelectors"
  const selectors = aggregationRule?.clusterRoleSelectors ?? []
  return [
    ...rules.flatMap((rule, index) => validateRule(`rules[${index}]`, rule, false)),
    ...(aggregationRule !== undefined && selectors.length === 0
      ? [required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil")]
      : []),
    ...selectors.flatMap((selector, index) => validateLabelSelector(`${path}[${index}]`, selector))
  ]
}

const validateSubject = (path: string, subject: RbacV1.Subject, namespaced: boolean): Errors => {
  const { apiGroup = "", kind, name, namespace = "" } = subject
  const noName = name === "" ? [required(`${path}.name`)] : []
  switch (kind) {
    case "ServiceAccount":
      return [
        ...noName,
        ...(name === "" ? [] : named(`${path}.name`, name, Names.isDns1123Subdomain)),
        ...(apiGroup === "" ? [] : [notSupported(`${path}.apiGroup`, apiGroup, [""])]),
        ...(!namespaced && namespace === "" ? [required(`${path}.namespace`)] : [])
      ]
    case "User":
    case "Group":
      return [...noName, ...(apiGroup === group ? [] : [notSupported(`${path}.apiGroup`, apiGroup, [group])])]
    default:
      return [...noName, notSupported(`${path}.kind`, kind, ["ServiceAccount", "User", "Group"])]
  }
}

type Binding = Pick<RbacV1.RoleBinding, "roleRef" | "subjects">

/** A binding's role, one of `kinds`, and its subjects. @category combinators */
export const validateBinding = ({ roleRef, subjects = [] }: Binding, kinds: ReadonlyArray<string>): Errors => [
  ...(roleRef.apiGroup === group ? [] : [notSupported("roleRef.apiGroup", roleRef.apiGroup ?? "", [group])]),
  ...(kinds.includes(roleRef.kind) ? [] : [notSupported("roleRef.kind", roleRef.kind, kinds)]),
  ...requiredName("roleRef.name", roleRef.name, Names.isPathSegment),
  ...subjects.flatMap((subject, index) => validateSubject(`subjects[${index}]`, subject, kinds.length > 1))
]

/** A binding keeps its role: whoever wants another one deletes it, so that what was granted is seen to end. @category combinators */
export const validateRoleRefUpdate = (next: RbacV1.RoleRef, old: RbacV1.RoleRef): Errors =>
  equal(next, old)
    ? []
    : [invalid("roleRef", { APIGroup: next.apiGroup ?? "", Kind: next.kind, Name: next.name }, "cannot change roleRef")]
