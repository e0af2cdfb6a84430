/** What pods whose binding is under way have decided for claims that have no volume yet: others must decide the same, and take no volume twice. */

import type { Listers } from "../Listers.js"

/**
 * The node of the pods that use the claim, and its volume when that exists already.
 *
 * @category models
 */
export interface Decision {
  readonly node: string
  readonly volume?: string
}

/**
 * Decisions by `namespace/name` of the claim. They are held by pods, and end with the last of them.
 *
 * @category models
 */
export interface VolumeDecisions {
  readonly get: (claim: string) => Decision | undefined
  /** Whether a decision has taken this volume. */
  readonly isTaken: (volume: string) => boolean
  /** A pod, by its id, decides for claims, or joins those that have decided the same. */
  readonly hold: (pod: string, decisions: ReadonlyMap<string, Decision>) => void
  /** The pod is bound or has given up. */
  readonly release: (pod: string) => void
}

/**
 * No decisions. Memory is bounded by the pods whose binding is under way.
 *
 * @category constructors
 */
export const make = (): VolumeDecisions => {
  const decisions = new Map<string, { readonly decision: Decision; readonly pods: Set<string> }>()
  const taken = new Set<string>()
  const claims = new Map<string, ReadonlyArray<string>>()
  return {
    get: (claim) => decisions.get(claim)?.decision,
    isTaken: (volume) => taken.has(volume),
    hold: (pod, added) => {
      claims.set(pod, [...added.keys()])
      for (const [claim, decision] of added) {
        const known = decisions.get(claim)
        if (known !== undefined) known.pods.add(pod)
        else {
          decisions.set(claim, { decision, pods: new Set([pod]) })
          if (decision.volume !== undefined) taken.add(decision.volume)
        }
      }
    },
    release: (pod) => {
      for (const claim of claims.get(pod) ?? []) {
        const known = decisions.get(claim)
        known?.pods.delete(pod)
        if (known?.pods.size !== 0) continue
        decisions.delete(claim)
        if (known.decision.volume !== undefined) taken.delete(known.decision.volume)
      }
      claims.delete(pod)
    }
  }
}

const known = new WeakMap<Listers, VolumeDecisions>()

/**
 * The decisions of the scheduler that has these listers.
 *
 * @category constructors
 */
export const of = (listers: Listers): VolumeDecisions => {
  const found = known.get(listers) ?? make()
  known.set(listers, found)
  return found
}
