/** Leases of addresses from the pools of one node, one lease per owner. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AddressPool from "./AddressPool.js"
import * as leaseFile from "./internal/leaseFile.js"
import { type Changes, type LeaseStore, make as makeStore } from "./internal/leaseStore.js"
import { addressOf, type Holding, LeaseTable, type PoolState, type Reuse } from "./internal/leaseTable.js"
import {
  AddressInUse,
  AddressOutsidePool,
  AddressPoolExhausted,
  InvalidPool,
  type LeaseFileCorrupt,
  type LeaseStorageFailed,
  OwnerHasLease
} from "./IpamError.js"
import * as LeaseRepair from "./LeaseRepair.js"

/** One address of a lease. @category models */
export interface LeasedAddress {
  /** Canonical text, without prefix length. */
  readonly address: string
  readonly family: 4 | 6
  /** Length of the network prefix of its pool. */
  readonly prefixLength: number
  /** Address of the gateway of its pool. */
  readonly gateway: string
  /** The configuration would not lease it any more: its pool was taken away or made smaller, or it is reserved now. */
  readonly outside: boolean
}

/** What one owner has. `address`, `prefixLength` and `gateway` are those of the first of `addresses`. @category models */
export interface Lease {
  /** Who has it, for instance a pod uid. */
  readonly owner: string
  readonly address: string
  readonly prefixLength: number
  readonly gateway: string
  /** One address for each family, that of the first pool first. */
  readonly addresses: readonly [LeasedAddress, ...ReadonlyArray<LeasedAddress>]
}

/** What a pool hands out. @category models */
export interface PoolInfo {
  /** Network and prefix length, canonical. */
  readonly cidr: string
  readonly family: 4 | 6
  readonly prefixLength: number
  /** Reserved for the node; never leased. */
  readonly gateway: string
  /** How many addresses can be leased at the same time. */
  readonly capacity: bigint
}

/** @category models */
export interface PoolUsage extends PoolInfo {
  /** How many are leased. */
  readonly leased: number
}

/** @category models */
export interface Options {
  /** Pools of one family are used in their order. With pools of two families every owner gets an address of each. No two overlap. */
  readonly pools: readonly [AddressPool.PoolConfig, ...ReadonlyArray<AddressPool.PoolConfig>]
  /**
   * `delayed`: a released address is leased again after every other free one of its pool had its turn, which spares the next owner the
   * traffic that was meant for the one before. `lowest`: always the lowest free address. Default `delayed`.
   */
  readonly reuse?: Reuse | undefined
}

/**
 * The address pools of one node.
 *
 * @category services
 */
export class Ipam extends Context.Tag("@reddwarf/ipam/Ipam")<Ipam, {
  /** The first pool. */
  readonly pool: PoolInfo
  /** All configured pools. */
  readonly pools: readonly [PoolInfo, ...ReadonlyArray<PoolInfo>]
  /** The lease of `owner`: the one it has, or the next free address of each family. Durable when it returns (`layerFile`). */
  readonly allocate: (owner: string) => Effect.Effect<Lease, AddressPoolExhausted | LeaseStorageFailed>
  /** The same for many owners in one transaction: all of them get their lease or nothing changes. */
  readonly allocateAll: (owners: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Lease>, AddressPoolExhausted | LeaseStorageFailed>
  /** Gives the addresses of `owner` back; an owner without any is fine. */
  readonly release: (owner: string) => Effect.Effect<void, LeaseStorageFailed>
  /** Leases given addresses, at most one of each family: for zones that run already. Fine when `owner` has those very addresses. */
  readonly reserve: (
    owner: string,
    address: string | readonly [string, ...ReadonlyArray<string>]
  ) => Effect.Effect<Lease, AddressInUse | AddressOutsidePool | OwnerHasLease | LeaseStorageFailed>
  /** The lease of `owner`, if it has one. */
  readonly find: (owner: string) => Effect.Effect<Option.Option<Lease>>
  /** All leases, in the order of their first addresses. */
  readonly list: Effect.Effect<ReadonlyArray<Lease>>
  /** Leases with an address that the configuration would not lease any more. They stay until they are released. */
  readonly outside: Effect.Effect<ReadonlyArray<Lease>>
  /** How full each configured pool is. */
  readonly usage: Effect.Effect<ReadonlyArray<PoolUsage>>
  /** Makes the leases what the host shows, in one transaction, and says what was done and what is wrong. A second time changes nothing. */
  readonly repair: (view: LeaseRepair.HostView) => Effect.Effect<LeaseRepair.RepairReport, LeaseStorageFailed>
}>() {}

type Some<A> = readonly [A, ...ReadonlyArray<A>]

const isSome = <A>(values: ReadonlyArray<A>): values is Some<A> => values.length > 0

const infoOf = ({ capacity, cidr, gateway, prefixLength, version }: AddressPool.AddressPool): PoolInfo => ({
  cidr,
  family: version,
  prefixLength,
  gateway,
  capacity
})

const leaseOf = (table: LeaseTable, owner: string, [first, ...rest]: Some<Holding>): Lease => {
  const one = (holding: Holding): LeasedAddress => ({
    address: addressOf(holding),
    family: holding.state.pool.version,
    prefixLength: holding.state.pool.prefixLength,
    gateway: holding.state.pool.gateway,
    outside: !table.isInside(holding)
  })
  const address = one(first)
  return {
    owner,
    address: address.address,
    prefixLength: address.prefixLength,
    gateway: address.gateway,
    addresses: [address, ...rest.map(one)]
  }
}

const held = (table: LeaseTable, owner: string): Lease | undefined => {
  const holdings = table.of(owner)
  return holdings === undefined || !isSome(holdings) ? undefined : leaseOf(table, owner, holdings)
}

const exhausted = (states: ReadonlyArray<PoolState>, family: 4 | 6): AddressPoolExhausted => {
  const pools = states.map(({ pool }) => pool).filter(({ version }) => version === family)
  return new AddressPoolExhausted({
    cidr: pools.map(({ cidr }) => cidr).join(", "),
    capacity: String(pools.reduce((sum, { capacity }) => sum + capacity, 0n))
  })
}

const allocate = (owner: string) => ({ allocate, table }: Changes): Either.Either<Lease, AddressPoolExhausted> => {
  const before = held(table, owner)
  if (before !== undefined) return Either.right(before)
  const chosen: Array<Holding> = []
  for (const family of table.families) {
    const next = table.next(family)
    if (next === undefined) return Either.left(exhausted(table.configured, family))
    chosen.push(next)
  }
  if (!isSome(chosen)) return Either.left(exhausted([], 4))
  allocate(owner, chosen)
  return Either.right(leaseOf(table, owner, chosen))
}

const allocateAll = (owners: ReadonlyArray<string>) => (changes: Changes): Either.Either<ReadonlyArray<Lease>, AddressPoolExhausted> => {
  const leases: Array<Lease> = []
  for (const owner of owners) {
    const lease = allocate(owner)(changes)
    if (Either.isLeft(lease)) return Either.left(lease.left)
    leases.push(lease.right)
  }
  return Either.right(leases)
}

/** One given address for `owner`, who may have it already. */
const reserveOne = (
  { reserve, table }: Changes,
  owner: string,
  text: string
): Either.Either<Lease, AddressInUse | AddressOutsidePool | OwnerHasLease> => {
  const holding = table.locate(text)
  const holder = holding === undefined ? undefined : table.holderOf(holding)
  if (holding === undefined || (holder !== owner && !table.isInside(holding))) {
    const reason = holding === undefined || holding.state.former
      ? "it is not an address of its networks"
      : "it is reserved for the network itself, its gateway or by configuration"
    return Either.left(new AddressOutsidePool({ address: text, cidr: table.configured.map(({ pool }) => pool.cidr).join(", "), reason }))
  }
  if (holder !== owner) {
    const other = table.of(owner)?.find(({ state }) => state.pool.version === holding.state.pool.version)
    if (other !== undefined) return Either.left(new OwnerHasLease({ owner, address: text, held: addressOf(other) }))
    if (holder !== undefined) return Either.left(new AddressInUse({ address: text, owner, holder }))
    reserve(owner, [holding])
  }
  return Either.right(held(table, owner) ?? leaseOf(table, owner, [holding]))
}

const reserve = (owner: string, [first, ...rest]: Some<string>) => (changes: Changes) =>
  rest.reduce((before, text) => Either.flatMap(before, () => reserveOne(changes, owner, text)), reserveOne(changes, owner, first))

const service = (store: LeaseStore, pools: Some<AddressPool.AddressPool>): Ipam["Type"] => {
  const [first, ...rest] = pools
  const list = store.look((table) =>
    table.entries().flatMap(([owner, holdings]) => isSome(holdings) ? [leaseOf(table, owner, holdings)] : []))
  return Ipam.of({
    pool: infoOf(first),
    pools: [infoOf(first), ...rest.map(infoOf)],
    allocate: (owner) => store.change(allocate(owner)),
    allocateAll: (owners) => store.change(allocateAll(owners)),
    release: (owner) => store.change(({ release }) => Either.right(release(owner))),
    reserve: (owner, address) => store.change(reserve(owner, typeof address === "string" ? [address] : address)),
    find: (owner) => store.look((table) => Option.fromNullable(held(table, owner))),
    list,
    outside: Effect.map(list, (leases) => leases.filter(({ addresses }) => addresses.some(({ outside }) => outside))),
    usage: store.look((table) => table.configured.map(({ holders, pool }) => ({ ...infoOf(pool), leased: holders.size }))),
    repair: (view) => store.change((changes) => Either.right(LeaseRepair.repair(view)(changes)))
  })
}

const poolsOf = (configs: Options["pools"]): Either.Either<Some<AddressPool.AddressPool>, InvalidPool> => {
  const made: Array<AddressPool.AddressPool> = []
  for (const config of configs) {
    const pool = AddressPool.make(config)
    if (Either.isLeft(pool)) return Either.left(pool.left)
    const other = made.find((other) => AddressPool.overlap(other, pool.right))
    if (other !== undefined) return Either.left(new InvalidPool({ cidr: config.cidr, reason: `it overlaps the pool ${other.cidr}` }))
    made.push(pool.right)
  }
  return isSome(made) ? Either.right(made) : Either.left(new InvalidPool({ cidr: "", reason: "there is none" }))
}

const optionsOf = (given: Options | (AddressPool.PoolConfig & Pick<Options, "reuse">)): Options =>
  "pools" in given ? given : { pools: [given], reuse: given.reuse }

/**
 * Pools that forget their leases when the program ends. A single pool may be given without the list around it.
 *
 * @category layers
 */
export const layerMemory = (
  given: Options | (AddressPool.PoolConfig & Pick<Options, "reuse">)
): Layer.Layer<Ipam, InvalidPool> =>
  Layer.effect(
    Ipam,
    Effect.gen(function*() {
      const options = optionsOf(given)
      const pools = yield* poolsOf(options.pools)
      return service(makeStore(new LeaseTable(pools, options.reuse), () => Effect.void), pools)
    })
  )

/**
 * Pools whose leases are in one file, mode 0600. A lease is on disk before it is given out; a crash leaves the file as it was before or
 * after a change. One program at a time may use a file.
 *
 * The file may have been written with other pools: leases that the configured ones do not cover are kept until they are released, shown by
 * `outside`, and said in a warning when the layer is built.
 *
 * @category layers
 */
export const layerFile = (
  given: (Options | (AddressPool.PoolConfig & Pick<Options, "reuse">)) & {
    /** Absolute path; its directory exists. */
    readonly path: string
  }
): Layer.Layer<Ipam, InvalidPool | LeaseFileCorrupt | LeaseStorageFailed, FileSystem.FileSystem> =>
  Layer.scoped(
    Ipam,
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const options = optionsOf(given)
      const pools = yield* poolsOf(options.pools)
      const table = yield* leaseFile.load(fileSystem, given.path, pools, options.reuse ?? "delayed")
      const save = yield* leaseFile.makeSave(fileSystem, given.path)
      const ipam = service(makeStore(table, save), pools)
      const outside = yield* ipam.outside
      if (outside.length > 0) {
        yield* Effect.logWarning("addresses are leased that the configured pools do not cover; they are kept until they are released").pipe(
          Effect.annotateLogs({ path: given.path, leases: outside.length, first: outside[0]?.address })
        )
      }
      return ipam
    })
  )
