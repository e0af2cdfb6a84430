/**
 * When each node was last heard of, by this process's clock: the time since the last observed change of its heartbeat. The times that the
 * nodes themselves write are only compared for equality, so their clocks do not matter.
 */

export interface Heartbeats {
  /**
   * Notes the current heartbeat of a node, and gives when it last changed, in milliseconds. A `watch` shows what it has, however old, as
   * often as it is asked; a `read` asked the server just now.
   */
  readonly observe: (node: string, heartbeat: string, now: number, source: "watch" | "read") => number
  readonly forget: (node: string) => void
  /** Says that this process was running; to be called about every five seconds. */
  readonly tick: (now: number) => void
}

/**
 * If ticks were missed for this long, the process itself was stopped, or the machine slept. It could not have heard anything meanwhile,
 * so the silence says nothing about the nodes.
 */
const stallMillis = 20_000

/** A value that is one of the last few is no news: it may come late, from a watch that lags behind a direct read. */
const remembered = 4

export const make = (startedAt: number): Heartbeats => {
  const seen = new Map<string, { readonly watched: string | undefined; readonly recent: ReadonlyArray<string>; readonly atMillis: number }>()
  let tickedAt = startedAt
  let listeningSince = startedAt

  const tick = (now: number): void => {
    if (now - tickedAt > stallMillis) listeningSince = now
    tickedAt = Math.max(tickedAt, now)
  }

  return {
    observe: (node, heartbeat, now, source) => {
      tick(now)
      const last = seen.get(node)
      const watched = source === "watch" ? heartbeat : last?.watched
      // What the watch showed before is no news either, even when direct reads have shown many newer ones since.
      if (last !== undefined && (last.recent.includes(heartbeat) || (source === "watch" && last.watched === heartbeat))) {
        seen.set(node, { ...last, watched })
        return Math.max(last.atMillis, listeningSince)
      }
      seen.set(node, { watched, recent: [heartbeat, ...(last?.recent ?? [])].slice(0, remembered), atMillis: now })
      return now
    },
    forget: (node) => void seen.delete(node),
    tick
  }
}
