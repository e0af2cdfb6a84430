/**
 * What was made from stored bytes and may be thrown away: kept for the latest users, up to a number and a sum of bytes.
 * Bytes are what an object is held as; everything else is made again when it is asked for.
 */

/** Something that holds on to what it can make again. */
export interface Holder {
  /** What is held, in bytes of its source. */
  readonly held: number
  /** Set by whoever uses what is held: it stays for one more round. */
  used: boolean
  /** Lets go. */
  readonly drop: () => void
}

export interface Recent {
  /** Takes note of a holder that has just begun to hold. */
  readonly add: (holder: Holder) => void
}

/** At most `capacity` holders and about `maxBytes` in all. The oldest goes first, unless it was used meanwhile. */
export const make = (capacity: number, maxBytes: number): Recent => {
  const ring: Array<Holder | undefined> = []
  let hand = 0
  let bytes = 0

  /** Frees the place under the hand; false when what lies there gets another round. */
  const free = (): boolean => {
    const holder = ring[hand]
    if (holder === undefined) return true
    if (holder.used) {
      holder.used = false
      return false
    }
    ring[hand] = undefined
    bytes -= holder.held
    holder.drop()
    return true
  }

  const advance = (): void => {
    hand = (hand + 1) % ring.length
  }

  /** Frees places until the bytes fit; the newest stays in any case. */
  const shrink = (newest: Holder): void => {
    for (let left = 2 * ring.length; left > 0; left--) {
      if (bytes <= maxBytes) return
      if (ring[hand] !== newest) free()
      advance()
    }
  }

  return {
    add: (holder) => {
      bytes += holder.held
      if (ring.length < capacity) {
        ring.push(holder)
      } else {
        // Ends: after one round nobody has another one.
        while (!free()) advance()
        ring[hand] = holder
        advance()
      }
      shrink(holder)
    }
  }
}
