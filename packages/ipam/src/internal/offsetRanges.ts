import * as Either from "effect/Either"
import type { OffsetRange } from "../AddressPool.js"
import * as Address from "./address.js"

/** Sorted, and with overlapping and adjacent ranges joined. */
export const merge = (ranges: ReadonlyArray<OffsetRange>): ReadonlyArray<OffsetRange> => {
  const merged: Array<OffsetRange> = []
  for (const range of ranges.toSorted((a, b) => (a.first < b.first ? -1 : 1))) {
    const last = merged.at(-1)
    if (last === undefined || range.first > last.last + 1n) merged.push(range)
    else if (range.last > last.last) merged[merged.length - 1] = { first: last.first, last: range.last }
  }
  return merged
}

/** How many offsets the ranges hold together; they do not overlap. */
export const count = (ranges: ReadonlyArray<OffsetRange>): bigint =>
  ranges.reduce((sum, range) => sum + range.last - range.first + 1n, 0n)

/** The range an offset is in. A handful of ranges, so they are looked at one by one. */
export const containing = (ranges: ReadonlyArray<OffsetRange>, offset: bigint): OffsetRange | undefined =>
  ranges.find((range) => range.first <= offset && offset <= range.last)

interface AddressRange {
  readonly version: 4 | 6
  readonly first: bigint
  readonly last: bigint
}

/** `a`, `a-b` or `a/length`; why not, as the end of a sentence. */
export const parse = (text: string): Either.Either<AddressRange, string> => {
  const [from = "", to, ...more] = text.split("-")
  const [base = "", length, ...rest] = from.split("/")
  const first = Address.parse(base.trim())
  if (first === undefined || more.length + rest.length > 0) return Either.left("is neither an address, nor FIRST-LAST, nor a network")
  if (length !== undefined) {
    const bits = Address.bitsOf(first.version)
    if (to !== undefined || !/^\d{1,3}$/.test(length) || Number(length) > bits) return Either.left("is not a network")
    const size = 1n << BigInt(bits - Number(length))
    return first.value % size === 0n
      ? Either.right({ version: first.version, first: first.value, last: first.value + size - 1n })
      : Either.left("has bits set after its prefix")
  }
  const last = to === undefined ? first : Address.parse(to.trim())
  if (last === undefined || last.version !== first.version || last.value < first.value) return Either.left("ends before it begins")
  return Either.right({ version: first.version, first: first.value, last: last.value })
}
