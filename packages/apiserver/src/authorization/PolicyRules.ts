/** What the rules of roles allow. */
import type { RbacV1 } from "@reddwarf/api-types"
import type { Attributes } from "./Authorizer.js"

const none: ReadonlyArray<string> = []

const includes = (values: ReadonlyArray<string> | undefined, value: string): boolean =>
  values !== undefined && (values.includes(value) || values.includes("*"))

const coversResource = (rule: RbacV1.PolicyRule, resource: string, subresource: string | undefined): boolean => {
  const { resources = none } = rule
  if (resources.includes("*")) return true
  if (subresource === undefined) return resources.includes(resource)
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`)
}

/** Whether a path is one of these: equal, or below one that ends in a star. */
const coversPath = (patterns: ReadonlyArray<string> | undefined, path: string): boolean =>
  patterns !== undefined &&
  patterns.some((pattern) =>
    pattern === "*" || pattern === path || pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1)))

/** Whether a rule allows a request. @category combinators */
export const allows = (rule: RbacV1.PolicyRule, attributes: Attributes): boolean => {
  if (!includes(rule.verbs, attributes.verb)) return false
  if (!attributes.isResource) return coversPath(rule.nonResourceURLs, attributes.path)
  const { resourceNames = none } = rule
  return includes(rule.apiGroups, attributes.group) &&
    coversResource(rule, attributes.resource, attributes.subresource) &&
    (resourceNames.length === 0 || attributes.name !== undefined && resourceNames.includes(attributes.name))
}

/** A rule for one verb on one resource (perhaps by one name) of one group, or on one path. */
const parts = (rule: RbacV1.PolicyRule): ReadonlyArray<RbacV1.PolicyRule> => {
  const { apiGroups = none, nonResourceURLs = none, resourceNames = none, resources = none, verbs } = rule
  const byGroup = apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb): ReadonlyArray<RbacV1.PolicyRule> => {
        const part = { verbs: [verb], apiGroups: [group], resources: [resource] }
        return resourceNames.length === 0 ? [part] : resourceNames.map((name) => ({ ...part, resourceNames: [name] }))
      })
    )
  )
  const byPath = nonResourceURLs.flatMap((url) => verbs.map((verb) => ({ verbs: [verb], nonResourceURLs: [url] })))
  return [...byGroup, ...byPath]
}

const coversPart = (owned: RbacV1.PolicyRule, part: RbacV1.PolicyRule): boolean => {
  const [verb = ""] = part.verbs
  if (!includes(owned.verbs, verb)) return false
  const [url] = part.nonResourceURLs ?? none
  if (url !== undefined) return coversPath(owned.nonResourceURLs, url)
  const [group = ""] = part.apiGroups ?? none
  const [resource = ""] = part.resources ?? none
  const [main = "", below] = resource.split("/")
  const names = owned.resourceNames ?? none
  const [name] = part.resourceNames ?? none
  return includes(owned.apiGroups, group) && coversResource(owned, main, below) &&
    (names.length === 0 || name !== undefined && names.includes(name))
}

/** The parts of the wanted rules that the owned ones do not cover. @category combinators */
export const uncovered = (
  owned: ReadonlyArray<RbacV1.PolicyRule>,
  wanted: ReadonlyArray<RbacV1.PolicyRule>
): ReadonlyArray<RbacV1.PolicyRule> => wanted.flatMap(parts).filter((part) => !owned.some((rule) => coversPart(rule, part)))

/** Joins rules that differ in their verbs only. @category combinators */
export const compact = (rules: ReadonlyArray<RbacV1.PolicyRule>): ReadonlyArray<RbacV1.PolicyRule> => {
  const joined = new Map<string, RbacV1.PolicyRule>()
  const others: Array<RbacV1.PolicyRule> = []
  for (const rule of rules) {
    const { apiGroups = none, nonResourceURLs = none, resourceNames = none, resources = none } = rule
    if (apiGroups.length !== 1 || resources.length !== 1 || resourceNames.length > 0 || nonResourceURLs.length > 0) {
      others.push(rule)
      continue
    }
    const key = `${apiGroups[0] ?? ""} ${resources[0] ?? ""}`
    const known = joined.get(key)
    joined.set(key, known === undefined ? rule : { ...known, verbs: [...new Set([...known.verbs, ...rule.verbs])] })
  }
  return [...others, ...joined.values()]
}

const quoted = (name: string, values: ReadonlyArray<string> | undefined): ReadonlyArray<string> =>
  values === undefined || values.length === 0 ? [] : [`${name}:[${values.map((value) => JSON.stringify(value)).join(" ")}]`]

/** A rule as messages show it. @category combinators */
export const format = (rule: RbacV1.PolicyRule): string => {
  const shown = [
    ...quoted("APIGroups", rule.apiGroups),
    ...quoted("Resources", rule.resources),
    ...quoted("NonResourceURLs", rule.nonResourceURLs),
    ...quoted("ResourceNames", rule.resourceNames),
    ...quoted("Verbs", rule.verbs)
  ]
  return `{${shown.join(", ")}}`
}
