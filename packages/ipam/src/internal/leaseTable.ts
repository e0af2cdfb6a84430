import type * as AddressPool from "../AddressPool.js"
import { AddressSet } from "./addressSet.js"

/** Takes one change back. */
export type Undo = () => void

/**
 * Who has which address, and where the search for the next one begins. Plain mutable state: its owner serialises access
 * and takes a change back when it cannot be stored.
 */
export class LeaseTable {
  readonly pool: AddressPool.AddressPool
  readonly #owners = new Map<string, bigint>()
  readonly #holders = new Map<bigint, string>()
  readonly #taken: AddressSet
  #cursor = 0n

  constructor(pool: AddressPool.AddressPool) {
    this.pool = pool
    this.#taken = new AddressSet(pool.size)
    for (const offset of pool.reserved) this.#taken.add(offset)
  }

  /** Offset at which the next search begins. */
  get cursor(): bigint {
    return this.#cursor
  }

  offsetOf(owner: string): bigint | undefined {
    return this.#owners.get(owner)
  }

  holderOf(offset: bigint): string | undefined {
    return this.#holders.get(offset)
  }

  entries(): ReadonlyArray<readonly [owner: string, offset: bigint]> {
    return [...this.#owners].sort(([, a], [, b]) => (a < b ? -1 : 1))
  }

  moveCursor(offset: bigint): Undo {
    const before = this.#cursor
    this.#cursor = offset < this.pool.size ? offset : 0n
    return () => {
      this.#cursor = before
    }
  }

  /** The address whose turn it is: the cursor only moves on, so what was just released waits for a whole round. */
  next(): bigint | undefined {
    return this.#taken.nextAbsent(this.#cursor) ?? this.#taken.nextAbsent(0n)
  }

  take(owner: string, offset: bigint): Undo {
    this.#owners.set(owner, offset)
    this.#holders.set(offset, owner)
    this.#taken.add(offset)
    return () => {
      this.give(owner)
    }
  }

  give(owner: string): Undo | undefined {
    const offset = this.#owners.get(owner)
    if (offset === undefined) return undefined
    this.#owners.delete(owner)
    this.#holders.delete(offset)
    this.#taken.delete(offset)
    return () => {
      this.take(owner, offset)
    }
  }
}
