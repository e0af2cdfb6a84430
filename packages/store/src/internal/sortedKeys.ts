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

/**
 * Keys in their order. Writers pay nothing for it: what was added is put in its place when somebody reads, at a cost that depends
 * on how much was added, not on how many keys there are.
 */
export interface SortedKeys {
  /** A key that is not there. */
  readonly add: (key: string) => void
  /** A key that is there; it may be seen until there is time to let go of it. */
  readonly remove: (key: string) => void
  /**
   * The keys in their order, from the first one for which `isBelow` is false; `undefined` after the last. To be used before the next
   * `add`.
   */
  readonly from: (isBelow: (key: string) => boolean) => () => string | undefined
}

/** Keys lie in runs of about this many, so that to put one in its place moves few others. */
const runLength = 512

const inRuns = (keys: ReadonlyArray<string>): Array<Array<string>> => {
  const runs: Array<Array<string>> = []
  for (let at = 0; at < keys.length; at += runLength) runs.push(keys.slice(at, at + runLength))
  return runs
}

/** `has` tells of a key whether it is still there. */
export const make = (has: (key: string) => boolean): SortedKeys => {
  let runs: Array<Array<string>> = []
  let count = 0
  let added: Array<string> = []
  let removed = 0

  /** Brings everything in order at once. */
  const rebuild = (): void => {
    const merged: Array<string> = []
    let last: string | undefined
    const push = (key: string): void => {
      // A key that was removed and added again is there twice.
      if (key !== last && has(key)) merged.push(key)
      last = key
    }
    let at = 0
    for (const run of runs) {
      for (const key of run) {
        for (let other = added[at]; other !== undefined && Key.compare(other, key) < 0; other = added[++at]) push(other)
        push(key)
      }
    }
    for (; at < added.length; at++) push(added[at] ?? "")
    runs = inRuns(merged)
    count = merged.length
    removed = 0
  }

  const place = (key: string): void => {
    const isBelow = (other: string): boolean => Key.compare(other, key) < 0
    const next = partition(runs, (run) => isBelow(run[0] ?? ""))
    // It belongs into the run before the first one that begins with a greater key, or begins that run itself.
    const at = runs[next]?.[0] === key ? next : Math.max(0, next - 1)
    const run = runs[at]
    if (run === undefined) {
      runs.push([key])
      count = 1
      return
    }
    const position = partition(run, isBelow)
    if (run[position] === key) return
    run.splice(position, 0, key)
    count++
    if (run.length > 2 * runLength) runs.splice(at, 1, run.slice(0, runLength), run.slice(runLength))
  }

  const settle = (): void => {
    if (added.length === 0) return
    added.sort(Key.compare)
    if (added.length * 8 > count) rebuild()
    else for (const key of added) place(key)
    added = []
  }

  return {
    add: (key) => void added.push(key),
    remove: () => {
      removed++
      // Bounds what stays of keys that come and go.
      if (removed <= 1024 || removed * 2 <= count + added.length) return
      added.sort(Key.compare)
      rebuild()
      added = []
    },
    from: (isBelow) => {
      settle()
      let at = Math.max(0, partition(runs, (run) => isBelow(run[0] ?? "")) - 1)
      let position = partition(runs[at] ?? [], isBelow)
      return () => {
        let run = runs[at]
        if (run !== undefined && position >= run.length) {
          run = runs[++at]
          position = 0
        }
        return run?.[position++]
      }
    }
  }
}
