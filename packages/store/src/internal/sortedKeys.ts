import * as Key from "../Key.js"

/** Position of the first element for which `isBelow` is false; `isBelow` must be true for a head of the array only. */
export const partition = <A>(array: ReadonlyArray<A>, isBelow: (a: A) => boolean, from = 0): number => {
  let low = from
  let high = array.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const at = array[middle]
    if (at !== undefined && isBelow(at)) low = middle + 1
    else high = middle
  }
  return low
}

/** Keys in their order. Writers pay nothing for it: what was added is merged in when somebody reads. */
export interface SortedKeys {
  /** A key that is not there. */
  readonly add: (key: string) => void
  /** A key that is there; it may be seen until `has` says that it is gone. */
  readonly remove: (key: string) => void
  readonly all: () => ReadonlyArray<string>
}

/** `has` tells of a key whether it is still there. */
export const make = (has: (key: string) => boolean): SortedKeys => {
  let sorted: Array<string> = []
  let added: Array<string> = []
  let removed = 0

  const merge = (): void => {
    added.sort(Key.compare)
    const merged: Array<string> = []
    let from = 0
    let last: string | undefined
    const push = (key: string): void => {
      // A key that was removed and added again is in both arrays.
      if (key !== last && has(key)) merged.push(key)
      last = key
    }
    for (const key of added) {
      const to = partition(sorted, (other) => Key.compare(other, key) < 0, from)
      for (; from < to; from++) push(sorted[from] ?? "")
      push(key)
    }
    for (; from < sorted.length; from++) push(sorted[from] ?? "")
    sorted = merged
    added = []
    removed = 0
  }

  return {
    add: (key) => void added.push(key),
    remove: () => {
      removed++
      // Bounds what stays of keys that come and go while nobody reads.
      if (removed > 1024 && removed * 2 > sorted.length + added.length) merge()
    },
    all: () => {
      if (added.length > 0 || removed > 0) merge()
      return sorted
    }
  }
}
