/**
 * The text of a lease file: a checkpoint with everything, then one line for each transaction since.
 *
 * Each line begins with the checksum of the rest, so a line is there or not. Checkpoints take the place of the whole file at once;
 * transactions are appended, so only the last line can be one that a crash cut off, and nobody was told of that one.
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as AddressPool from "../AddressPool.js"
import { addressOf, LeaseTable, type Reuse } from "./leaseTable.js"

const Checkpoint = Schema.Struct({
  version: Schema.Literal(2),
  pools: Schema.Array(Schema.Struct({ cidr: Schema.String, gateway: Schema.String, next: Schema.String })),
  leases: Schema.Array(Schema.Tuple(Schema.String, Schema.NonEmptyArray(Schema.String)))
})

/** What a program before checkpoints and transactions wrote: one pool, one line, its checksum on the next. */
const Version1 = Schema.Struct({
  version: Schema.Literal(1),
  cidr: Schema.String,
  next: Schema.String,
  leases: Schema.Array(Schema.Tuple(Schema.String, Schema.String))
})

const Change = Schema.Union(
  /** Addresses that were chosen: the next search begins after them. */
  Schema.Tuple(Schema.Literal("allocate"), Schema.String, Schema.NonEmptyArray(Schema.String)),
  /** Addresses that were asked for. */
  Schema.Tuple(Schema.Literal("reserve"), Schema.String, Schema.NonEmptyArray(Schema.String)),
  Schema.Tuple(Schema.Literal("release"), Schema.String)
)

/** One step of a transaction. */
export type Change = typeof Change.Type

const Transaction = Schema.Struct({ serial: Schema.Number, changes: Schema.Array(Change) })

const decodeCheckpoint = Schema.decodeUnknownEither(Schema.parseJson(Checkpoint))
const decodeVersion1 = Schema.decodeUnknownEither(Schema.parseJson(Version1))
const decodeTransaction = Schema.decodeUnknownEither(Schema.parseJson(Transaction))

const checksum = (text: string): string => createHash("sha256").update(text).digest("hex")

// Our own values, so they are written without a pass through their schemas.
const lineOf = (content: typeof Checkpoint.Encoded | typeof Transaction.Encoded): string => {
  const text = JSON.stringify(content)
  return `${checksum(text)} ${text}\n`
}

/** Everything, as one line. */
export const checkpoint = (table: LeaseTable): string =>
  lineOf({
    version: 2,
    pools: table.states.map(({ cursor, pool }) => ({ cidr: pool.cidr, gateway: pool.gateway, next: AddressPool.addressAt(pool, cursor) })),
    leases: table.entries().flatMap(([owner, [first, ...rest]]) =>
      first === undefined ? [] : [[owner, [addressOf(first), ...rest.map(addressOf)]] as const]
    )
  })

/** One transaction, as one line. Serials count from 1 after a checkpoint. */
export const transaction = (serial: number, changes: ReadonlyArray<Change>): string => lineOf({ serial, changes })

/** The content of a line that is as it was written. */
const contentOf = (line: string): string | undefined => {
  const text = line.slice(65)
  return line[64] === " " && checksum(text) === line.slice(0, 64) ? text : undefined
}

/** Pools of the file that are not configured any more, for the leases that are still in them. */
const addFormer = (table: LeaseTable, pools: ReadonlyArray<{ readonly cidr: string; readonly gateway?: string }>): string | undefined => {
  const configured = new Set(table.states.map(({ pool }) => pool.cidr))
  for (const { cidr, gateway } of pools) {
    if (configured.has(cidr)) continue
    const pool = AddressPool.make({ cidr, gateway })
    if (Either.isLeft(pool)) return `its pool ${cidr} is none: ${pool.left.reason}`
    table.addFormer(pool.right)
  }
  return undefined
}

const take = (table: LeaseTable, owner: string, addresses: ReadonlyArray<string>, chosen: boolean): string | undefined => {
  for (const address of addresses) {
    const holding = table.locate(address)
    if (holding === undefined) return `it leases ${address} to ${owner}, which is in none of its pools`
    const sameFamily = table.of(owner)?.some(({ state }) => state.pool.version === holding.state.pool.version)
    if (sameFamily === true || table.holderOf(holding) !== undefined) return `it leases ${address} to ${owner} a second time`
    table.take(owner, holding)
    if (chosen) table.advance(holding)
  }
  return undefined
}

const moveCursors = (table: LeaseTable, pools: ReadonlyArray<{ readonly cidr: string; readonly next: string }>): string | undefined => {
  for (const { cidr, next } of pools) {
    const state = table.states.find(({ pool }) => pool.cidr === cidr)
    const cursor = state === undefined ? undefined : AddressPool.positionOf(state.pool, next)
    if (state === undefined || cursor === undefined) return `its next address ${next} is outside the pool ${cidr}`
    state.cursor = cursor
  }
  return undefined
}

type Pools = ReadonlyArray<{ readonly cidr: string; readonly gateway?: string; readonly next: string }>

const fill = (
  table: LeaseTable,
  pools: Pools,
  leases: ReadonlyArray<readonly [string, ReadonlyArray<string>]>
): string | undefined => {
  const problem = addFormer(table, pools) ?? moveCursors(table, pools)
  if (problem !== undefined) return problem
  for (const [owner, addresses] of leases) {
    const refused = take(table, owner, addresses, false)
    if (refused !== undefined) return refused
  }
  return undefined
}

const replay = (table: LeaseTable, changes: ReadonlyArray<Change>): string | undefined => {
  for (const [kind, owner, addresses] of changes) {
    if (kind === "release") {
      if (table.give(owner) === undefined) return `it releases what ${owner} does not have`
      continue
    }
    const refused = take(table, owner, addresses ?? [], kind === "allocate")
    if (refused !== undefined) return refused
  }
  return undefined
}

/** Reads the transactions after a checkpoint, up to one that a crash cut off. */
const follow = (table: LeaseTable, lines: ReadonlyArray<string>): string | undefined => {
  for (const [index, line] of lines.entries()) {
    const last = index === lines.length - 1
    // The last element is what follows the last newline: nothing, or the beginning of a line.
    if (last) return undefined
    const text = contentOf(line)
    if (text === undefined) {
      // A block that never reached the disk reads as zeros, also where the line went on in a later one.
      const cutOff = line.includes("\0") && index === lines.length - 2
      return cutOff ? undefined : `the checksum of line ${index + 2} does not match its content`
    }
    const decoded = decodeTransaction(text)
    if (Either.isLeft(decoded) || decoded.right.serial !== index + 1) return `line ${index + 2} is not transaction ${index + 1}`
    const problem = replay(table, decoded.right.changes)
    if (problem !== undefined) return problem
  }
  return undefined
}

const decodeVersion1File = (table: LeaseTable, lines: ReadonlyArray<string>): string | undefined => {
  const [line = "", sum = "", end = "?", ...rest] = lines
  if (end !== "" || rest.length > 0) return "it does not consist of a line of content and a checksum"
  if (checksum(line) !== sum) return "the checksum does not match the content"
  const content = decodeVersion1(line)
  if (Either.isLeft(content)) return "it is no lease file"
  const { cidr, leases, next } = content.right
  return fill(table, [{ cidr, next }], leases.map(([owner, address]) => [owner, [address]] as const))
}

const decodeInto = (table: LeaseTable, text: string): string | undefined => {
  const lines = text.split("\n")
  const [first = "", ...rest] = lines
  if (first.startsWith("{")) return decodeVersion1File(table, lines)
  const content = rest.length === 0 ? undefined : contentOf(first)
  if (content === undefined) return "the checksum of its first line does not match its content"
  const decoded = decodeCheckpoint(content)
  if (Either.isLeft(decoded)) return "its first line is no checkpoint of version 2"
  return fill(table, decoded.right.pools, decoded.right.leases) ?? follow(table, rest)
}

/** The table in a text, with the configured pools. Refuses everything that was not written here, and says why. */
export const decode = (
  pools: ReadonlyArray<AddressPool.AddressPool>,
  reuse: Reuse,
  text: string
): Either.Either<LeaseTable, string> => {
  const table = new LeaseTable(pools, reuse)
  const problem = decodeInto(table, text)
  if (problem !== undefined) return Either.left(problem)
  table.dropEmptyFormer()
  return Either.right(table)
}
