/**
 * Admission: nobody grants what they do not have. Who writes a role must hold each of its rules, or the verb `escalate` on it;
 * who writes a binding must hold the rules of its role, or the verb `bind` on it.
 */
import { ApiError, Kinds, type KubeObject, type RbacV1, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, Plugin } from "../admission/Admission.js"
import type * as Authorizer from "./Authorizer.js"
import { missingRole } from "../internal/rbacGrants.js"
import { equals } from "../internal/jsonValue.js"
import type { Rules } from "../internal/rbacIndex.js"
import * as PolicyRules from "./PolicyRules.js"

/** What the check asks the policy. @category models */
export interface Policy {
  readonly authorize: (attributes: Authorizer.Attributes) => Authorizer.Decision
  readonly rulesFor: (user: Attributes["user"], namespace: string | undefined) => Authorizer.UserRules
  readonly rulesOf: (ref: RbacV1.RoleRef, namespace: string | undefined) => Rules
}

const fullAuthority: ReadonlyArray<RbacV1.PolicyRule> = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] }
]

const quoted = (values: ReadonlyArray<string>): string => `[${values.map((value) => JSON.stringify(value)).join(" ")}]`

/** Why a user may not grant these rules; undefined when they may. */
const shortfall = (
  policy: Policy,
  { namespace, user }: Attributes,
  wanted: ReadonlyArray<RbacV1.PolicyRule>
): string | undefined => {
  const { problems, rules } = policy.rulesFor(user, namespace)
  const missing = PolicyRules.uncovered(rules, wanted)
  if (missing.length === 0) return undefined
  const lines = [...new Set(PolicyRules.compact(missing).map(PolicyRules.format))].sort()
  const who = `user ${JSON.stringify(user.name)} (groups=${quoted(user.groups)})`
  const because = problems.length === 0 ? "" : `; resolution errors: [${problems.join(", ")}]`
  return `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join("\n")}${because}`
}

const may = (policy: Policy, { namespace, user }: Attributes, verb: string, resource: string, name: string | undefined): boolean =>
  policy.authorize({
    user,
    verb,
    isResource: true,
    group: Kinds.role.group,
    version: Kinds.role.version,
    resource,
    subresource: undefined,
    namespace,
    name,
    path: ""
  }).allowed

const unmarked = (object: KubeObject.KubeObject): object => {
  const { finalizers: _, managedFields: __, ownerReferences: ___, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** Whether a change touches only what the garbage collector changes. */
const onlyMarks = (object: KubeObject.KubeObject, old: KubeObject.KubeObject | undefined): boolean => {
  if (old === undefined) return false
  return equals(unmarked(object), unmarked(old))
}

// The plugin is only asked about objects that were decoded for the kind in question.
const isRole = (object: KubeObject.KubeObject, { kind }: Attributes): object is RbacV1.ClusterRole =>
  kind === Kinds.role || kind === Kinds.clusterRole

const isBinding = (object: KubeObject.KubeObject, { kind }: Attributes): object is RbacV1.ClusterRoleBinding =>
  kind === Kinds.roleBinding || kind === Kinds.clusterRoleBinding

const checkRole = (policy: Policy, role: RbacV1.ClusterRole, attributes: Attributes): string | undefined => {
  if (may(policy, attributes, "escalate", attributes.kind.plural, role.metadata.name)) return undefined
  const before = attributes.old !== undefined && isRole(attributes.old, attributes) ? attributes.old.aggregationRule : undefined
  const wants = role.aggregationRule !== undefined && !equals(role.aggregationRule, before) ? fullAuthority : []
  return shortfall(policy, attributes, [...role.rules ?? [], ...wants])
}

const checkBinding = (
  policy: Policy,
  { roleRef }: RbacV1.ClusterRoleBinding,
  attributes: Attributes
): Effect.Effect<string | undefined, ApiError.ApiError> => {
  const resource = roleRef.kind === "Role" ? Kinds.role.plural : Kinds.clusterRole.plural
  if (may(policy, attributes, "bind", resource, roleRef.name)) return Effect.succeed(undefined)
  const rules = policy.rulesOf(roleRef, attributes.namespace)
  if (rules !== undefined) return Effect.succeed(shortfall(policy, attributes, rules))
  const kind = roleRef.kind === "Role" ? Kinds.role : Kinds.clusterRole
  return ApiError.fail({ ...Status.notFound(kind, roleRef.name), message: missingRole(roleRef) })
}

/** The check over a policy; members of `system:masters` pass. @category constructors */
export const make = (policy: Policy): Plugin => ({
  name: "RbacEscalation",
  validate: (object, attributes) => {
    if (object === undefined || attributes.kind.group !== Kinds.role.group) return Effect.void
    if (attributes.user.groups.includes("system:masters") || onlyMarks(object, attributes.old)) return Effect.void
    const checked = isRole(object, attributes)
      ? Effect.succeed(checkRole(policy, object, attributes))
      : isBinding(object, attributes)
      ? checkBinding(policy, object, attributes)
      : Effect.succeed(undefined)
    return Effect.flatMap(checked, (why) =>
      why === undefined ? Effect.void : ApiError.fail(Status.forbidden(attributes.kind, attributes.name, why)))
  }
})
