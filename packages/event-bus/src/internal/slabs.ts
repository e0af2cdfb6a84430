/**
 * The bytes of many small objects in few large pieces of memory. Pieces of some kilobytes that live for weeks between others
 * that live for milliseconds leave holes that nobody can use: as much memory again as the objects themselves.
 *
 * A slab is written once, from its beginning to its end, and never again: whoever holds bytes of it may keep them. When less than
 * half of it is in use, what is left moves to the current slab.
 */

/** Something whose bytes lie in a slab, or may. */
export interface Placed {
  bytes: Uint8Array
  /** Where its bytes lie; undefined: in memory of their own. */
  slab: Slab | undefined
}

/** One piece of memory. */
export interface Slab {
  readonly memory: Uint8Array
  used: number
  /** Bytes of those that are still there. */
  live: number
  readonly tenants: Set<Placed>
}

export interface Slabs {
  /** Moves the bytes of something that is there from now on. */
  readonly place: (placed: Placed) => void
  /** Says that something is gone. Its bytes can still be read. */
  readonly remove: (placed: Placed) => void
  /** Bytes of all slabs that hold something. */
  readonly size: () => number
}

/** Slabs of `slabBytes`; what takes more than an eighth of one keeps memory of its own. */
export const make = (slabBytes = 512 * 1024): Slabs => {
  const open = (): Slab => ({ memory: new Uint8Array(slabBytes), used: 0, live: 0, tenants: new Set() })
  let current: Slab | undefined
  let count = 0

  const place = (placed: Placed): void => {
    const { bytes } = placed
    if (bytes.length > slabBytes / 8) return
    if (current === undefined || current.used + bytes.length > slabBytes) {
      const full = current
      current = open()
      count++
      if (full !== undefined) tidy(full)
    }
    const start = current.used
    current.memory.set(bytes, start)
    current.used += bytes.length
    current.live += bytes.length
    current.tenants.add(placed)
    placed.bytes = current.memory.subarray(start, current.used)
    placed.slab = current
  }

  /** Clears a full slab of which too little is in use. */
  const tidy = (slab: Slab): void => {
    if (slab === current || slab.live * 2 >= slabBytes || slab.live < 0) return
    const left = [...slab.tenants]
    slab.tenants.clear()
    slab.live = -1
    count--
    for (const placed of left) place(placed)
  }

  return {
    place,
    remove: (placed) => {
      const { slab } = placed
      if (slab === undefined || !slab.tenants.delete(placed)) return
      placed.slab = undefined
      slab.live -= placed.bytes.length
      tidy(slab)
    },
    size: () => count * slabBytes
  }
}
