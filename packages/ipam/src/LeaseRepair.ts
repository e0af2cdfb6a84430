/** Leases compared with the addresses that are really in use, and what follows from that. */
import type { Changes } from "./internal/leaseStore.js"
import { addressOf, type Holding } from "./internal/leaseTable.js"

/** An address that somebody is seen to use, such as that of a link. @category models */
export interface Observed {
  /** Who uses it, for instance a pod uid. */
  readonly owner: string
  /** Text, with or without prefix length. */
  readonly address: string
}

/** What the host looks like. @category models */
export interface HostView {
  readonly inUse: ReadonlyArray<Observed>
  /**
   * Everybody who may have a lease, those included whose links do not exist yet. Leases of others are released when none of their
   * addresses is in use. Absent: nothing is released.
   */
  readonly owners?: ReadonlyArray<string>
}

/** What a repair did, and what it could not do anything about. Each list is in the order of the view. @category models */
export interface RepairReport {
  /** In use without a lease: they have one now. */
  readonly adopted: ReadonlyArray<Observed>
  /** Leased with another address than the one in use: the one in use is leased now, and `from` is free. */
  readonly moved: ReadonlyArray<Observed & { readonly from: string }>
  /** Leased by somebody who is gone. */
  readonly released: ReadonlyArray<string>
  /** In use by `owner` and leased, or seen in use before, by `holder`: two of them have one address; nothing was changed. */
  readonly conflicts: ReadonlyArray<Observed & { readonly holder: string }>
  /** In use and not for the pools to lease: in none of them, or reserved; nothing was changed. */
  readonly outside: ReadonlyArray<Observed>
}

const withoutPrefix = (address: string): string => address.replace(/\/.*/, "")

/** Addresses of the view that the pools lease, each once: by owner, with those left out that cannot be leased. */
const sort = ({ table }: Changes, view: HostView) => {
  const outside: Array<Observed> = []
  const twice: Array<Observed & { readonly holder: string }> = []
  const users = new Map<string, string>()
  const wanted = new Map<string, Array<Holding>>()
  for (const { address: text, owner } of view.inUse) {
    const address = withoutPrefix(text)
    const holding = table.locate(address)
    const leased = holding !== undefined && table.holderOf(holding) === owner
    if (holding === undefined || (!leased && !table.isInside(holding))) {
      outside.push({ owner, address })
      continue
    }
    const canonical = addressOf(holding)
    const user = users.get(canonical)
    if (user === owner) continue
    if (user !== undefined) {
      twice.push({ owner, address: canonical, holder: user })
      continue
    }
    users.set(canonical, owner)
    const holdings = wanted.get(owner) ?? []
    // One address of a family is what a lease can say; a second one on the same link is not a pod's.
    if (holdings.some(({ state }) => state.pool.version === holding.state.pool.version)) outside.push({ owner, address: canonical })
    else wanted.set(owner, [...holdings, holding])
  }
  return { outside, twice, users, wanted }
}

/** An owner uses this address, and has no lease of it yet. */
interface Assignment {
  readonly owner: string
  readonly holding: Holding
  /** What the owner has of the same family. */
  readonly old: Holding | undefined
}

const familyOf = ({ state }: Holding): 4 | 6 => state.pool.version

const keyOf = (owner: string, holding: Holding): string => `${familyOf(holding)} ${owner}`

/**
 * The assignments that are possible together: each address is free, or its holder moves away itself. One that is not possible keeps its
 * owner where it is, which may make another one impossible, and so on.
 */
const possible = ({ table }: Changes, wanted: ReadonlyMap<string, ReadonlyArray<Holding>>) => {
  const assignments = new Map<string, Assignment>()
  for (const [owner, holdings] of wanted) {
    for (const holding of holdings) {
      if (table.holderOf(holding) === owner) continue
      const old = table.of(owner)?.find((other) => familyOf(other) === familyOf(holding))
      assignments.set(keyOf(owner, holding), { owner, holding, old })
    }
  }
  const conflicts: Array<Observed & { readonly holder: string }> = []
  for (let before = -1; before !== assignments.size;) {
    before = assignments.size
    for (const [key, { holding, owner }] of assignments) {
      const holder = table.holderOf(holding)
      if (holder === undefined || assignments.has(keyOf(holder, holding))) continue
      assignments.delete(key)
      conflicts.push({ owner, address: addressOf(holding), holder })
    }
  }
  return { assignments: [...assignments.values()], conflicts }
}

const assign = (changes: Changes, assignments: ReadonlyArray<Assignment>): void => {
  const movers = new Map<string, Array<Holding>>()
  for (const { holding, owner } of assignments) movers.set(owner, [...movers.get(owner) ?? [], holding])
  const before = new Map([...movers.keys()].map((owner) => [owner, changes.table.of(owner) ?? []]))
  for (const owner of movers.keys()) changes.release(owner)
  for (const [owner, [first, ...rest]] of movers) {
    if (first === undefined) continue
    const kept = (before.get(owner) ?? []).filter((old) => ![first, ...rest].some((holding) => familyOf(holding) === familyOf(old)))
    changes.reserve(owner, [first, ...rest, ...kept])
  }
}

/**
 * Makes the leases those of the view, as far as that is possible, within one transaction.
 *
 * @internal
 */
export const repair = (view: HostView) => (changes: Changes): RepairReport => {
  const { outside, twice, users, wanted } = sort(changes, view)

  // First those that are gone: what they had may be what another one uses.
  const released: Array<string> = []
  if (view.owners !== undefined) {
    const known = new Set(view.owners)
    for (const [owner, holdings] of changes.table.entries()) {
      if (known.has(owner) || holdings.some((holding) => users.get(addressOf(holding)) === owner)) continue
      changes.release(owner)
      released.push(owner)
    }
  }

  const { assignments, conflicts } = possible(changes, wanted)
  assign(changes, assignments)
  const seen = ({ holding, owner }: Assignment) => ({ owner, address: addressOf(holding) })
  return {
    adopted: assignments.filter(({ old }) => old === undefined).map(seen),
    moved: assignments.flatMap((one) => one.old === undefined ? [] : [{ ...seen(one), from: addressOf(one.old) }]),
    released,
    conflicts: [...twice, ...conflicts],
    outside
  }
}
