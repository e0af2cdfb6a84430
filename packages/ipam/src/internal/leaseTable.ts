import * as AddressPool from "../AddressPool.js"
import { AddressSet } from "./addressSet.js"
import * as offsetRanges from "./offsetRanges.js"

/** Takes one change back. */
export type Undo = () => void

/** Which address of a pool is leased next. */
export type Reuse = "delayed" | "lowest"

/** One pool with who has what of it. */
export interface PoolState {
  readonly pool: AddressPool.AddressPool
  /** Not configured any more; it is here for the leases that are still in it. */
  readonly former: boolean
  readonly taken: AddressSet
  readonly holders: Map<bigint, string>
  /** Offset at which the next search begins. */
  cursor: bigint
}

/** One address somebody has. */
export interface Holding {
  readonly state: PoolState
  readonly offset: bigint
}

const stateOf = (pool: AddressPool.AddressPool, former: boolean): PoolState => ({
  pool,
  former,
  taken: new AddressSet(pool.size),
  holders: new Map(),
  cursor: 0n
})

/** The least offset from `from` on that is neither leased nor reserved. Each reserved range is jumped over at most once. */
const freeFrom = ({ pool, taken }: PoolState, from: bigint): bigint | undefined => {
  let offset = taken.nextAbsent(from)
  while (offset !== undefined) {
    const range = offsetRanges.containing(pool.reserved, offset)
    if (range === undefined) return offset
    offset = taken.nextAbsent(range.last + 1n)
  }
  return undefined
}

/** The canonical text of an address. */
export const addressOf = ({ offset, state }: Holding): string => AddressPool.addressAt(state.pool, offset)

const byAddress = (a: Holding, b: Holding): number => {
  const [p, q] = [a.state.pool, b.state.pool]
  if (p.version !== q.version) return p.version - q.version
  return p.network + a.offset < q.network + b.offset ? -1 : 1
}

/**
 * Who has which addresses, and where the search for the next ones begins. Plain mutable state: its owner serialises access
 * and takes a change back when it cannot be stored.
 */
export class LeaseTable {
  readonly states: Array<PoolState>
  /** Pools of the configuration. */
  readonly configured: ReadonlyArray<PoolState>
  /** The address families of the configuration, that of the first pool first. */
  readonly families: ReadonlyArray<4 | 6>
  readonly #reuse: Reuse
  readonly #owners = new Map<string, ReadonlyArray<Holding>>()

  constructor(pools: ReadonlyArray<AddressPool.AddressPool>, reuse: Reuse = "delayed") {
    this.configured = pools.map((pool) => stateOf(pool, false))
    this.states = [...this.configured]
    this.families = [...new Set(pools.map(({ version }) => version))]
    this.#reuse = reuse
  }

  /** A pool that is not configured any more. It goes with its last lease. */
  addFormer(pool: AddressPool.AddressPool): PoolState {
    const state = stateOf(pool, true)
    this.states.push(state)
    return state
  }

  /** What an owner has, configured families in their order. */
  of(owner: string): ReadonlyArray<Holding> | undefined {
    return this.#owners.get(owner)
  }

  holderOf({ offset, state }: Holding): string | undefined {
    return state.holders.get(offset)
  }

  get size(): number {
    return this.#owners.size
  }

  /** Everybody, in the order of their first addresses. */
  entries(): ReadonlyArray<readonly [owner: string, holdings: ReadonlyArray<Holding>]> {
    const entries: Array<{ readonly owner: string; readonly holdings: ReadonlyArray<Holding>; readonly first: Holding }> = []
    for (const [owner, holdings] of this.#owners) {
      const [first] = holdings
      if (first !== undefined) entries.push({ owner, holdings, first })
    }
    return entries.sort((a, b) => byAddress(a.first, b.first)).map(({ holdings, owner }) => [owner, holdings])
  }

  /** Where a text lies: in a configured pool if it can, else in a former one. Reserved addresses have a place too. */
  locate(text: string): Holding | undefined {
    for (const state of this.states) {
      const offset = AddressPool.positionOf(state.pool, text)
      if (offset !== undefined) return { state, offset }
    }
    return undefined
  }

  /** Whether the configuration would still lease this address. */
  isInside({ offset, state }: Holding): boolean {
    return !state.former && !AddressPool.isReserved(state.pool, offset)
  }

  /**
   * The address of a family whose turn it is. With delayed reuse the cursor only moves on, so what was just released waits for a whole
   * round. Earlier pools come first.
   */
  next(family: 4 | 6): Holding | undefined {
    for (const state of this.states) {
      if (state.former || state.pool.version !== family) continue
      const offset = this.#reuse === "lowest" ? freeFrom(state, 0n) : freeFrom(state, state.cursor) ?? freeFrom(state, 0n)
      if (offset !== undefined) return { state, offset }
    }
    return undefined
  }

  /** The next search of this pool begins after the address. */
  advance({ offset, state }: Holding): Undo {
    const before = state.cursor
    state.cursor = offset + 1n < state.pool.size ? offset + 1n : 0n
    return () => {
      state.cursor = before
    }
  }

  /** Adds an address nobody has to those of the owner. */
  take(owner: string, holding: Holding): Undo {
    const before = this.#owners.get(owner)
    const after = before === undefined ? [holding] : this.#inOrder([...before, holding])
    this.#owners.set(owner, after)
    holding.state.holders.set(holding.offset, owner)
    holding.state.taken.add(holding.offset)
    return () => {
      if (before === undefined) this.#owners.delete(owner)
      else this.#owners.set(owner, before)
      holding.state.holders.delete(holding.offset)
      holding.state.taken.delete(holding.offset)
    }
  }

  #inOrder(holdings: Array<Holding>): Array<Holding> {
    const order = (family: 4 | 6) => (this.states[0]?.pool.version === family ? 0 : 1)
    return holdings.sort((a, b) => order(a.state.pool.version) - order(b.state.pool.version))
  }

  /** Takes everything from the owner. */
  give(owner: string): Undo | undefined {
    const holdings = this.#owners.get(owner)
    if (holdings === undefined) return undefined
    this.#owners.delete(owner)
    for (const { offset, state } of holdings) {
      state.holders.delete(offset)
      state.taken.delete(offset)
    }
    return () => {
      this.#owners.set(owner, holdings)
      for (const { offset, state } of holdings) {
        state.holders.set(offset, owner)
        state.taken.add(offset)
      }
    }
  }

  /** Forgets former pools that nobody has an address of. */
  dropEmptyFormer(): void {
    for (let index = this.states.length - 1; index >= 0; index--) {
      const state = this.states[index]
      if (state?.former === true && state.holders.size === 0) this.states.splice(index, 1)
    }
  }
}
