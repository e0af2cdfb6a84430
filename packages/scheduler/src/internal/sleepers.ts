/**
 * Pods that wait for something to happen, in groups of those that the same plugins keep back: an event that these do not care for costs one
 * look at the group, however many pods there are in it.
 */
export interface Sleepers<A extends Sleeper> {
  readonly add: (pod: A) => void
  readonly remove: (pod: A) => void
  /** Those that are in the groups which pass, in no particular order. Pods may be removed meanwhile. */
  readonly inGroups: (passes: (group: Sleeper) => boolean) => Iterable<A>
}

export interface Sleeper {
  readonly profile: string
  readonly rejectedBy: ReadonlySet<string>
}

interface Group<A> {
  readonly like: Sleeper
  readonly members: Set<A>
}

export const make = <A extends Sleeper>(): Sleepers<A> => {
  const groups = new Map<string, Group<A>>()
  const groupOf = new Map<A, string>()
  /** Most sets are one of few values, met again and again. */
  const nameOf = (pod: Sleeper): string => `${pod.profile}/${[...pod.rejectedBy].toSorted().join("/")}`

  return {
    add: (pod) => {
      const name = nameOf(pod)
      const group = groups.get(name)
      if (group === undefined) groups.set(name, { like: { profile: pod.profile, rejectedBy: pod.rejectedBy }, members: new Set([pod]) })
      else group.members.add(pod)
      groupOf.set(pod, name)
    },
    remove: (pod) => {
      const name = groupOf.get(pod)
      if (name === undefined) return
      groupOf.delete(pod)
      const group = groups.get(name)
      group?.members.delete(pod)
      if (group?.members.size === 0) groups.delete(name)
    },
    inGroups: function*(passes) {
      for (const { like, members } of groups.values()) if (passes(like)) yield* members
    }
  }
}
