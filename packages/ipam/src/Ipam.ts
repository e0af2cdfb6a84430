/** Leases of addresses from one pool, one per owner. */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as AddressPool from "./AddressPool.js"
import * as leaseFile from "./internal/leaseFile.js"
import { LeaseTable, type Undo } from "./internal/leaseTable.js"
import {
  AddressInUse,
  type AddressOutsidePool,
  AddressPoolExhausted,
  type InvalidPool,
  type LeaseFileCorrupt,
  type LeaseStorageFailed,
  OwnerHasLease
} from "./IpamError.js"

/** An address in use. @category models */
export interface Lease {
  /** Who has it, for instance a pod uid. */
  readonly owner: string
  /** Canonical text, without prefix length. */
  readonly address: string
  /** Length of the network prefix of the pool. */
  readonly prefixLength: number
  /** Address of the gateway of the pool. */
  readonly gateway: string
}

/** What a pool hands out. @category models */
export interface PoolInfo {
  /** Network and prefix length, canonical. */
  readonly cidr: string
  readonly prefixLength: number
  /** Reserved for the node; never leased. */
  readonly gateway: string
  /** How many addresses can be leased at the same time. */
  readonly capacity: bigint
}

/**
 * The address pool of one node.
 *
 * @category services
 */
export class Ipam extends Context.Tag("@reddwarf/ipam/Ipam")<Ipam, {
  readonly pool: PoolInfo
  /** The lease of `owner`: the one it has, or the next free address. Durable when it returns (`layerFile`). */
  readonly allocate: (owner: string) => Effect.Effect<Lease, AddressPoolExhausted | LeaseStorageFailed>
  /** Gives the address of `owner` back; an owner without one is fine. The address is not leased again at once. */
  readonly release: (owner: string) => Effect.Effect<void, LeaseStorageFailed>
  /** Leases a given address: for zones that run already. Fine when `owner` has that very address. */
  readonly reserve: (
    owner: string,
    address: string
  ) => Effect.Effect<Lease, AddressInUse | AddressOutsidePool | OwnerHasLease | LeaseStorageFailed>
  /** The lease of `owner`, if it has one. */
  readonly find: (owner: string) => Effect.Effect<Option.Option<Lease>>
  /** All leases, in the order of their addresses. */
  readonly list: Effect.Effect<ReadonlyArray<Lease>>
}>() {}

/** Makes the present content of the table durable. */
type Save = (table: LeaseTable) => Effect.Effect<void, LeaseStorageFailed>

const service = (table: LeaseTable, save: Save): Effect.Effect<Ipam["Type"]> =>
  Effect.map(Effect.makeSemaphore(1), (mutex) => {
    const { pool } = table
    const leaseOf = (owner: string, offset: bigint): Lease => ({
      owner,
      address: AddressPool.addressAt(pool, offset),
      prefixLength: pool.prefixLength,
      gateway: pool.gateway
    })
    /** The change is made before it is stored, and taken back when it cannot be stored. */
    const commit = (undo: ReadonlyArray<Undo>) =>
      Effect.tapErrorCause(save(table), () =>
        Effect.sync(() => {
          for (const step of undo.toReversed()) step()
        }))
    /** One change at a time, and never half of one. */
    const change = <A, E>(effect: Effect.Effect<A, E>) => mutex.withPermits(1)(Effect.uninterruptible(effect))

    return Ipam.of({
      pool: {
        cidr: pool.cidr,
        prefixLength: pool.prefixLength,
        gateway: pool.gateway,
        capacity: pool.capacity
      },
      allocate: (owner) =>
        change(Effect.gen(function*() {
          const held = table.offsetOf(owner)
          if (held !== undefined) return leaseOf(owner, held)
          const offset = table.next()
          if (offset === undefined) {
            return yield* new AddressPoolExhausted({ cidr: pool.cidr, capacity: String(pool.capacity) })
          }
          yield* commit([table.moveCursor(offset + 1n), table.take(owner, offset)])
          return leaseOf(owner, offset)
        })),
      release: (owner) =>
        change(Effect.suspend(() => {
          const undo = table.give(owner)
          return undo === undefined ? Effect.void : commit([undo])
        })),
      reserve: (owner, address) =>
        change(Effect.gen(function*() {
          const offset = yield* AddressPool.offsetOf(pool, address)
          const held = table.offsetOf(owner)
          if (held === offset) return leaseOf(owner, offset)
          if (held !== undefined) {
            return yield* new OwnerHasLease({ owner, address, held: AddressPool.addressAt(pool, held) })
          }
          const holder = table.holderOf(offset)
          if (holder !== undefined) return yield* new AddressInUse({ address, owner, holder })
          yield* commit([table.take(owner, offset)])
          return leaseOf(owner, offset)
        })),
      find: (owner) =>
        Effect.sync(() => Option.map(Option.fromNullable(table.offsetOf(owner)), (offset) => leaseOf(owner, offset))),
      list: Effect.sync(() => table.entries().map(([owner, offset]) => leaseOf(owner, offset)))
    })
  })

/**
 * A pool that forgets its leases when the program ends.
 *
 * @category layers
 */
export const layerMemory = (config: AddressPool.PoolConfig): Layer.Layer<Ipam, InvalidPool> =>
  Layer.effect(
    Ipam,
    Effect.flatMap(AddressPool.make(config), (pool) => service(new LeaseTable(pool), () => Effect.void))
  )

/**
 * A pool whose leases are in one file, mode 0600. A lease is on disk before it is given out; a crash leaves the file as
 * it was before or after a change. One program at a time may use a file.
 *
 * @category layers
 */
export const layerFile = (
  config: AddressPool.PoolConfig & {
    /** Absolute path; its directory exists. */
    readonly path: string
  }
): Layer.Layer<Ipam, InvalidPool | LeaseFileCorrupt | LeaseStorageFailed, FileSystem.FileSystem> =>
  Layer.effect(
    Ipam,
    Effect.gen(function*() {
      const fileSystem = yield* FileSystem.FileSystem
      const pool = yield* AddressPool.make(config)
      const table = yield* leaseFile.load(fileSystem, config.path, pool)
      return yield* service(table, (table) => leaseFile.save(fileSystem, config.path, table))
    })
  )
