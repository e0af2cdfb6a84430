/** How long the next pod of a set waits on a node where the last ones failed: twice as long each time. Times are milliseconds. */

export interface FailedPods {
  /** A failed pod is replaced now. */
  readonly note: (key: string, node: string, now: number) => void
  /** The last replacement is too recent for another one. */
  readonly isEarly: (key: string, node: string, now: number) => boolean
  /** Time until the first of the waits of this set is over. */
  readonly wait: (key: string, now: number) => number
  readonly forget: (key: string) => void
}

const first = 1000
const longest = 15 * 60_000

interface Entry {
  readonly at: number
  readonly delay: number
}

export const make = (): FailedPods => {
  const entries = new Map<string, Map<string, Entry>>()
  return {
    note: (key, node, now) => {
      const nodes = entries.get(key) ?? new Map<string, Entry>()
      const last = nodes.get(node)
      // A pod that ran for long after the last failure begins anew.
      const delay = last === undefined || now - last.at > 2 * longest ? first : Math.min(longest, 2 * last.delay)
      // Nodes come and go: what is long over is forgotten.
      for (const [name, { at }] of nodes) if (now - at > 2 * longest) nodes.delete(name)
      nodes.set(node, { at: now, delay })
      entries.set(key, nodes)
    },
    isEarly: (key, node, now) => {
      const entry = entries.get(key)?.get(node)
      return entry !== undefined && now - entry.at < entry.delay
    },
    wait: (key, now) => {
      const waits = [...(entries.get(key)?.values() ?? [])].map(({ at, delay }) => at + delay - now).filter((wait) => wait > 0)
      return waits.length === 0 ? first : Math.min(...waits)
    },
    forget: (key) => void entries.delete(key)
  }
}
