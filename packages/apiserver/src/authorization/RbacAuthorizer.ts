/** Role-based policy: the roles and bindings that are stored decide, after the built-in policy has had nothing to say. */
import type { RbacV1 } from "@reddwarf/api-types"
import { WatchCache } from "@reddwarf/event-bus"
import { ObjectStore } from "@reddwarf/store"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Authorizer from "./Authorizer.js"
import { ClusterIndexes, layer as clusterIndexes } from "../internal/clusterIndexes.js"
import * as decisionCache from "../internal/decisionCache.js"
import { describeGrant, resolve } from "../internal/rbacGrants.js"
import * as rbacIndex from "../internal/rbacIndex.js"
import * as NodeAuthorizer from "./NodeAuthorizer.js"
import * as PolicyRules from "./PolicyRules.js"
import * as RbacEscalation from "./RbacEscalation.js"
import type { UserInfo } from "../authentication/UserInfo.js"

/**
 * Evaluates the policy of an index: the first rule of a bound role that matches allows. What is wrong with bindings on the way
 * (a role that does not exist) becomes part of the refusal.
 */
const authorizeBy = (index: rbacIndex.RbacIndex) => (attributes: Authorizer.Attributes): Authorizer.Decision => {
  const { namespace, user } = attributes
  let problems: Array<string> | undefined
  for (const grant of index.grants(user, attributes.isResource ? namespace : undefined)) {
    const { problem, rules } = resolve(index, grant)
    if (problem !== undefined) (problems ??= []).push(problem)
    if (rules.some((rule) => PolicyRules.allows(rule, attributes))) {
      return { allowed: true, reason: `RBAC: allowed by ${describeGrant(grant)}` }
    }
  }
  if (problems === undefined) return Authorizer.deny
  const distinct = [...new Set(problems)]
  return { allowed: false, reason: `RBAC: ${distinct.length === 1 ? distinct.join() : `[${distinct.join(", ")}]`}` }
}

const rulesBy = (index: rbacIndex.RbacIndex) => (user: UserInfo, namespace: string | undefined): Authorizer.UserRules => {
  const rules: Array<RbacV1.PolicyRule> = []
  const problems = new Set<string>()
  for (const grant of index.grants(user, namespace)) {
    const found = resolve(index, grant)
    rules.push(...found.rules)
    if (found.problem !== undefined) problems.add(found.problem)
  }
  return { rules, problems: [...problems] }
}

/** What members of `system:masters` may do, whatever roles there are. */
const everything: ReadonlyArray<RbacV1.PolicyRule> = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] }
]

const make = Effect.gen(function*() {
  const store = yield* ObjectStore.ObjectStore
  const cache = yield* WatchCache.WatchCache
  const index = yield* rbacIndex.make(store, cache)
  const ofNodes = NodeAuthorizer.make(cache, (yield* ClusterIndexes).nodeEdges)
  const byRoles = decisionCache.make(authorizeBy(index), index.version)
  const rulesFor = rulesBy(index)
  const authorize = (attributes: Authorizer.Attributes): Authorizer.Decision => {
    const first = ofNodes(attributes) ?? Authorizer.authorizeStatic(attributes)
    if (first.allowed) return first
    const decision = byRoles(attributes)
    return decision.allowed || decision.reason !== undefined ? decision : first
  }
  return Authorizer.Authorizer.of({
    authorize,
    rulesFor: (user, namespace) => {
      const found = rulesFor(user, namespace)
      return user.groups.includes("system:masters") && found.rules.length === 0 ? { ...found, rules: everything } : found
    },
    plugins: [RbacEscalation.make({ authorize, rulesFor, rulesOf: index.rulesOf })]
  })
})

/**
 * The built-in policy (see `NodeAuthorizer` and `Authorizer.authorizeStatic`), then that of the Roles, ClusterRoles and bindings in the store.
 * A change of them counts from the moment its writer is answered.
 *
 * @category layers
 */
export const layer: Layer.Layer<Authorizer.Authorizer, never, ObjectStore.ObjectStore | WatchCache.WatchCache> = Layer.scoped(
  Authorizer.Authorizer,
  make
).pipe(Layer.provide(clusterIndexes))
