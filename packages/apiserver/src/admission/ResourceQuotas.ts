/**
 * Admission: what the objects of a namespace use together stays within its ResourceQuotas.
 *
 * Usage is counted from the stored objects themselves and from the writes under way, so that creates at the same time cannot exceed a quota
 * together, and a status that lags does not matter.
 */
import { ApiError, type CoreV1, type Kind, Kinds, type KubeObject, Quantity, QuotaUsage, Status } from "@reddwarf/api-types"
import * as Effect from "effect/Effect"
import type { Attributes, ClusterView, Plugin } from "./Admission.js"

const isQuota = (object: KubeObject.KubeObject): object is CoreV1.ResourceQuota => object.kind === "ResourceQuota"
const isPod = (object: KubeObject.KubeObject): object is CoreV1.Pod => object.kind === "Pod"

/** A write that was let through and has not ended yet. */
interface Pending {
  readonly kind: Kind.Kind
  readonly namespace: string
  readonly name: string
  readonly old: KubeObject.KubeObject | undefined
  readonly next: KubeObject.KubeObject
  readonly until: number
}

/** What nobody lets go of counts for a minute. */
const holdMillis = 60_000

const print = (amounts: ReadonlyMap<string, Quantity.Quantity>): string =>
  [...amounts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, amount]) => `${name}=${Quantity.toCanonical(amount)}`).join(",")

/** Kinds of which an update can use more than before. */
const growing: ReadonlySet<Kind.Kind> = new Set<Kind.Kind>([Kinds.service, Kinds.persistentVolumeClaim])

const isChecked = ({ kind, namespace, operation, subresource }: Attributes): boolean => {
  if (namespace === undefined || !kind.namespaced) return false
  if (operation === "CREATE") return subresource === undefined && kind !== Kinds.event
  if (operation !== "UPDATE") return false
  return subresource === undefined ? growing.has(kind) : kind === Kinds.pod && subresource === "resize"
}

/** The plugin. `now` is milliseconds since the epoch. @category constructors */
export const make = (now: () => number): Plugin => {
  const pending = new Map<string, Set<Pending>>()
  // Stored objects do not change: what one uses has to be worked out once.
  const known = new WeakMap<KubeObject.KubeObject, QuotaUsage.Usage>()

  const usageOf = (kind: Kind.Kind, object: KubeObject.KubeObject): QuotaUsage.Usage => {
    // A pod that is being deleted stops counting at some time.
    if (object.metadata.deletionTimestamp !== undefined) return QuotaUsage.ofObject(kind, object, now())
    const found = known.get(object) ?? QuotaUsage.ofObject(kind, object, now())
    known.set(object, found)
    return found
  }

  /** The writes under way that the stored objects do not show yet. */
  const underWay = (namespace: string, view: ClusterView): ReadonlyArray<Pending> => {
    const all = pending.get(namespace) ?? new Set<Pending>()
    for (const write of all) {
      const stored = view.get(write.kind, namespace, write.name)
      const isShown = write.old === undefined ? stored !== undefined : stored !== write.old
      if (isShown || write.until <= now()) all.delete(write)
    }
    if (all.size === 0) pending.delete(namespace)
    return [...all]
  }

  const hold = (write: Pending): () => void => {
    const all = pending.get(write.namespace) ?? new Set<Pending>()
    all.add(write)
    pending.set(write.namespace, all)
    return () => {
      all.delete(write)
      if (all.size === 0 && pending.get(write.namespace) === all) pending.delete(write.namespace)
    }
  }

  /** What is used now of `names`. */
  const usedOf = (quota: CoreV1.ResourceQuota, kind: Kind.Kind, namespace: string, names: ReadonlySet<string>, view: ClusterView) => {
    const sum = new Map<string, Quantity.Quantity>()
    const replaced = new Map<KubeObject.KubeObject, KubeObject.KubeObject>()
    const created: Array<KubeObject.KubeObject> = []
    for (const write of underWay(namespace, view)) {
      if (write.kind !== kind) continue
      if (write.old === undefined) created.push(write.next)
      else replaced.set(write.old, write.next)
    }
    for (const object of [...view.list(kind, namespace), ...created]) {
      const current = replaced.get(object) ?? object
      if (QuotaUsage.isInScope(quota, current)) QuotaUsage.addInto(sum, usageOf(kind, current), names)
    }
    return sum
  }

  const problemOf = (quota: CoreV1.ResourceQuota, next: KubeObject.KubeObject, attributes: Attributes, view: ClusterView): string | undefined => {
    const { kind, namespace = "", old, operation } = attributes
    const hard = Object.entries(quota.spec?.hard ?? {}).filter(([name]) => QuotaUsage.concerns(kind, name))
    if (hard.length === 0 || !QuotaUsage.isInScope(quota, next)) return undefined
    const name = quota.metadata.name ?? ""
    if (isPod(next) && operation === "CREATE") {
      const missing = QuotaUsage.unspecified(next, hard.map(([resource]) => resource))
      if (missing.size > 0) {
        return `failed quota: ${name}: must specify ${[...missing].map(([resource, containers]) => `${resource} for: ${containers.join(",")}`).join("; ")}`
      }
    }
    const limits = new Map(hard.map(([resource, text]) => [resource, Quantity.fromText(text)]))
    const before = old === undefined || !QuotaUsage.isInScope(quota, old) ? undefined : usageOf(kind, old)
    const requested = new Map<string, Quantity.Quantity>()
    for (const [resource, amount] of QuotaUsage.ofObject(kind, next, now())) {
      const more = Quantity.subtract(amount, before?.get(resource) ?? Quantity.zero)
      if (limits.has(resource) && more.nanos > 0n) requested.set(resource, more)
    }
    if (requested.size === 0) return undefined
    const used = usedOf(quota, kind, namespace, new Set(requested.keys()), view)
    const exceeded = [...requested].filter(([resource, amount]) =>
      Quantity.compare(Quantity.add(used.get(resource) ?? Quantity.zero, amount), limits.get(resource) ?? Quantity.zero) > 0)
    if (exceeded.length === 0) return undefined
    const those = (amounts: ReadonlyMap<string, Quantity.Quantity>) =>
      print(new Map(exceeded.map(([resource]) => [resource, amounts.get(resource) ?? Quantity.zero])))
    return `exceeded quota: ${name}, requested: ${those(requested)}, used: ${those(used)}, limited: ${those(limits)}`
  }

  return {
    name: "ResourceQuotas",
    // After whoever else may refuse: what is held here nobody else gets, and webhooks take their time.
    review: (next, attributes, view) => {
      if (next === undefined || !isChecked(attributes)) return Effect.void
      const { dryRun, kind, name, namespace = "", old, onSettled } = attributes
      // Most namespaces have none: without an effect the write goes on at once.
      if (view.list(Kinds.resourceQuota, namespace).length === 0) return Effect.void
      return Effect.suspend(() => {
        const quotas = view.list(Kinds.resourceQuota, namespace).filter(isQuota)
        for (const quota of quotas) {
          const problem = problemOf(quota, next, attributes, view)
          if (problem !== undefined) return ApiError.fail(Status.forbidden(kind, name, problem))
        }
        // Nothing runs between the check above and this, so no other write can pass on the same room.
        if (!dryRun) {
          const release = hold({ kind, namespace, name, old, next, until: now() + holdMillis })
          onSettled?.(release)
        }
        return Effect.void
      })
    }
  }
}
