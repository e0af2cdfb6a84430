/** Whether a PodDisruptionBudget lets a pod be evicted, and its status once it did. */
import { Kinds, type KubeObject, LabelSelector, type PolicyV1, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { type ApiContext, objectOf } from "./apiContext.js"
import { get, isArray } from "./jsonValue.js"
import { prefixOf } from "./keys.js"

const kind = Kinds.podDisruptionBudget

/** Evictions that the controller of budgets has not seen yet; more of them say that there is no such controller. */
const maxUnconfirmed = 2000

const isBudget = (object: KubeObject.KubeObject): object is PolicyV1.PodDisruptionBudget => object.kind === kind.kind

/** A budget and the version of it that was looked at. */
export interface Found {
  readonly key: string
  readonly revision: number
  readonly budget: PolicyV1.PodDisruptionBudget
}

/** The budgets that a pod counts for. */
export const budgetsOf = ({ cache }: ApiContext, pod: KubeObject.KubeObject): ReadonlyArray<Found> =>
  cache.list(prefixOf(kind, pod.metadata.namespace)).flatMap((entry) => {
    const budget = objectOf(entry)
    if (!isBudget(budget)) return []
    const selector = LabelSelector.fromObject(budget.spec?.selector)
    return Either.isRight(selector) && LabelSelector.matches(selector.right, pod.metadata.labels)
      ? [{ key: entry.key, revision: entry.revision, budget }]
      : []
  })

const refused = "Cannot evict pod as it would violate the pod's disruption budget."

const tooMany = (message: string, retryAfterSeconds = 0): Status.Status =>
  Status.tooManyRequests(refused, retryAfterSeconds, [{ reason: "DisruptionBudget", message }])

/** 500, as Kubernetes words it: it does not decide between several budgets. */
export const ambiguous = (): Status.Status =>
  Status.failure(
    500,
    "",
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
  )

const isReady = (pod: KubeObject.KubeObject): boolean => {
  const conditions = get(get(pod, "status"), "conditions")
  return isArray(conditions) && conditions.some((item) => get(item, "type") === "Ready" && get(item, "status") === "True")
}

/** Whether a pod that is not ready may go without counting: it is not one of those that the budget protects. */
export const sparesBudget = ({ spec, status }: PolicyV1.PodDisruptionBudget, pod: KubeObject.KubeObject): boolean => {
  if (isReady(pod)) return false
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true
  const desired = status?.desiredHealthy ?? 0
  return desired > 0 && (status?.currentHealthy ?? 0) >= desired
}

const zeroAllowed = (name: string, status: PolicyV1.PodDisruptionBudgetStatus): Status.Status => {
  const failed = status.conditions?.find(({ reason, status: value, type }) =>
    type === "DisruptionAllowed" && value === "False" && reason === "SyncFailed")
  return failed === undefined
    ? tooMany(`The disruption budget ${name} needs ${status.desiredHealthy ?? 0} healthy pods and has ${status.currentHealthy ?? 0} currently`)
    : tooMany(`The disruption budget ${name} does not allow evicting pods currently because it failed sync: ${failed.message}`)
}

/** The budget with one disruption less for the pod `name`. Left is the refusal. `time` is when. */
export const spend = (
  budget: PolicyV1.PodDisruptionBudget,
  name: string,
  time: string
): Either.Either<PolicyV1.PodDisruptionBudget, Status.Status> => {
  const own = budget.metadata.name ?? ""
  const status = budget.status ?? {}
  const { disruptionsAllowed = 0 } = status
  if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) {
    return Either.left(tooMany(`The disruption budget ${own} is still being processed by the server.`, 10))
  }
  const resource = { group: kind.group, plural: kind.singular }
  if (disruptionsAllowed < 0) return Either.left(Status.forbidden(resource, own, "pdb disruptions allowed is negative"))
  if (Object.keys(status.disruptedPods ?? {}).length > maxUnconfirmed) {
    return Either.left(
      Status.forbidden(resource, own, "DisruptedPods map too big - too many evictions not confirmed by PDB controller")
    )
  }
  if (disruptionsAllowed === 0) return Either.left(zeroAllowed(own, status))
  const allowed = disruptionsAllowed - 1
  const conditions = allowed > 0 || status.conditions === undefined
    ? status.conditions
    : status.conditions.map((condition) =>
      condition.type === "DisruptionAllowed"
        ? { ...condition, status: "False" as const, reason: "InsufficientPods", lastTransitionTime: time }
        : condition)
  return Either.right({
    ...budget,
    status: {
      ...status,
      disruptionsAllowed: allowed,
      disruptedPods: { ...status.disruptedPods, [name]: time },
      ...(conditions === undefined ? {} : { conditions })
    }
  })
}
