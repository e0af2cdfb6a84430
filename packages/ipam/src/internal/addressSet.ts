const fanout = 5n
const mask = 31n
const full = 0xffff_ffff

/**
 * A set of offsets below `size` that finds the next absent one in a number of steps that depends on the number of bits of
 * `size`, not on how many there are. Each level holds one bit per block of 32 of the level below, set when the block is
 * full; only words with a set bit are stored, so an empty set over 2^64 offsets takes no memory.
 */
export class AddressSet {
  readonly #levels: ReadonlyArray<Map<bigint, number>>
  readonly #size: bigint
  #looks = 0

  constructor(size: bigint) {
    this.#size = size
    const levels: Array<Map<bigint, number>> = [new Map()]
    for (let blocks = (size - 1n) >> fanout; blocks > 0n; blocks >>= fanout) levels.push(new Map())
    this.#levels = levels
  }

  /** Words read so far: what an operation costs, counted instead of timed. */
  get looks(): number {
    return this.#looks
  }

  has(offset: bigint): boolean {
    return ((this.#word(0, offset >> fanout) >>> Number(offset & mask)) & 1) === 1
  }

  add(offset: bigint): void {
    let position = offset
    for (const level of this.#levels) {
      this.#looks += 1
      const word = ((level.get(position >> fanout) ?? 0) | (1 << Number(position & mask))) >>> 0
      level.set(position >> fanout, word)
      if (word !== full) return
      position >>= fanout
    }
  }

  delete(offset: bigint): void {
    let position = offset
    for (const level of this.#levels) {
      this.#looks += 1
      const before = level.get(position >> fanout) ?? 0
      const word = (before & ~(1 << Number(position & mask))) >>> 0
      if (word === 0) level.delete(position >> fanout)
      else level.set(position >> fanout, word)
      if (before !== full) return
      position >>= fanout
    }
  }

  /** The least absent offset that is not below `from`. */
  nextAbsent(from: bigint): bigint | undefined {
    if (from >= this.#size) return undefined
    let position = from
    for (let level = 0; level < this.#levels.length; level++) {
      const bit = this.#absentBit(level, position)
      if (bit !== undefined) return this.#descend(level, ((position >> fanout) << fanout) | BigInt(bit))
      position = (position >> fanout) + 1n
    }
    return undefined
  }

  /** From a position on `level` that is not full to the first absent offset below it. */
  #descend(level: number, position: bigint): bigint | undefined {
    let at = position
    for (let below = level - 1; below >= 0; below--) {
      const bit = this.#absentBit(below, at << fanout)
      if (bit === undefined) return undefined
      at = (at << fanout) | BigInt(bit)
    }
    return at < this.#size ? at : undefined
  }

  /** The first clear bit in the word of `position`, not before it. */
  #absentBit(level: number, position: bigint): number | undefined {
    const free = (~this.#word(level, position >> fanout) & (full << Number(position & mask))) >>> 0
    return free === 0 ? undefined : 31 - Math.clz32(free & -free)
  }

  #word(level: number, index: bigint): number {
    this.#looks += 1
    return this.#levels[level]?.get(index) ?? 0
  }
}
