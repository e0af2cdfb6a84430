/** Gives ClusterRoles with an aggregation rule the rules of all roles that it selects. */
import { isDeepStrictEqual } from "node:util"
import { Kinds, LabelSelector, type RbacV1 } from "@reddwarf/api-types"
import { ApiClient, type ClientError, Informer, ObjectRef } from "@reddwarf/client"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Controller from "./Controller.js"
import { isRoutine } from "./internal/routine.js"
import { Outcome } from "./Reconciler.js"

/**
 * How often all roles are visited.
 *
 * @category models
 */
export interface Options {
  /** Time between visits of all aggregated roles: 30 seconds unless given. */
  readonly resync?: Duration.DurationInput
}

/**
 * Starts the controller, which then runs as long as the scope. Waits for its informer.
 *
 * @category constructors
 */
export const run = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<void, never, ApiClient.ApiClient | Scope.Scope> {
  const client = yield* ApiClient.ApiClient
  const roles = yield* Informer.make({ kind: Kinds.clusterRole })

  const isAggregated = ({ aggregationRule }: RbacV1.ClusterRole): boolean => aggregationRule !== undefined

  const rulesOf = (role: RbacV1.ClusterRole): ReadonlyArray<RbacV1.PolicyRule> => {
    const others = [...roles.list()].sort((a, b) => ((a.metadata.name ?? "") < (b.metadata.name ?? "") ? -1 : 1))
    const rules: Array<RbacV1.PolicyRule> = []
    for (const selected of role.aggregationRule?.clusterRoleSelectors ?? []) {
      const selector = Either.getOrElse(LabelSelector.fromObject(selected), () => LabelSelector.nothing)
      for (const other of others) {
        if (other.metadata.uid === role.metadata.uid || !LabelSelector.matches(selector, other.metadata.labels)) continue
        for (const rule of other.rules ?? []) if (!rules.some((known) => isDeepStrictEqual(known, rule))) rules.push(rule)
      }
    }
    return rules
  }

  const reconcile = (key: string): Effect.Effect<Outcome, ClientError.ClientError> => {
    const role = roles.get(key)
    if (role === undefined || !isAggregated(role)) return Effect.succeed(Outcome.Settled())
    const rules = rulesOf(role)
    const isSame = isDeepStrictEqual(role.rules ?? [], rules)
    return Effect.as(isSame ? Effect.void : client.update(Kinds.clusterRole, { ...role, rules }), Outcome.Settled())
  }

  yield* Controller.run({
    name: "cluster-role-aggregation",
    resync: options.resync ?? "30 seconds",
    isRoutine,
    sources: [
      Controller.source(roles, (role) => (isAggregated(role) ? [ObjectRef.keyOf(role)] : [])),
      // Any role may be part of any aggregated one.
      Controller.dependents(roles, () => roles.list().filter(isAggregated).map(ObjectRef.keyOf))
    ],
    reconcile
  })
})
