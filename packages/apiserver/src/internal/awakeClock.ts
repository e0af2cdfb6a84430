/**
 * A clock for how long others take. It stands still while this process itself does not get to run: on a machine with too much to do, what
 * a peer has sent long ago may still be unread, and the peer is not to blame.
 */
export interface AwakeClock {
  /** Milliseconds since the epoch, less the time that was lost since this clock was made. */
  readonly now: () => number
  /** To be called every `tickMillis`, before anybody is judged by the time. What it comes later is time lost. */
  readonly tick: () => void
}

/** A clock over `time`, in milliseconds since the epoch. */
export const make = (time: () => number, tickMillis: number): AwakeClock => {
  let last = time()
  let lost = 0
  return {
    now: () => time() - lost,
    tick: () => {
      const current = time()
      lost += Math.max(0, current - last - tickMillis)
      last = current
    }
  }
}
