/**
 * What one run of bytes takes from another: copies of its parts, and what is new between them. Made for versions of one JSON
 * object, which differ in a few places: some microseconds for an object of some KiB. Plain code: it runs for every replaced version.
 *
 * Layout: the length of the result, then, until that is reached, the length of something new, its bytes, the length of a copy and
 * how far it begins after the end of the copy before. All numbers are of variable length, seven bits a byte, the lowest first.
 */

/** Copies are found by the bytes at their beginning; shorter ones are not worth their description. */
const anchor = 8

/** More places of the base than this are not remembered. */
const mostPlaces = 8192

// Reused by all calls, which are synchronous and leave nothing in it that the next one would mistake.
const places = new Int32Array(2 * mostPlaces)

const hashAt = (bytes: Uint8Array, at: number): number => {
  const low = (bytes[at] ?? 0) | (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0) << 16 | (bytes[at + 3] ?? 0) << 24
  const high = (bytes[at + 4] ?? 0) | (bytes[at + 5] ?? 0) << 8 | (bytes[at + 6] ?? 0) << 16 | (bytes[at + 7] ?? 0) << 24
  return (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> 0
}

/** How many bytes are equal from two positions on. */
const common = (a: Uint8Array, i: number, b: Uint8Array, j: number): number => {
  const most = Math.min(a.length - i, b.length - j)
  let n = 0
  while (n < most && a[i + n] === b[j + n]) n++
  return n
}

/** How many bytes are equal before two positions, at most `most`. */
const commonBefore = (a: Uint8Array, i: number, b: Uint8Array, j: number, most: number): number => {
  let n = 0
  while (n < most && a[i - n - 1] === b[j - n - 1]) n++
  return n
}

/** After how many bytes two runs that differ are equal again for a while, if that is soon; else 0. */
const aligned = (a: Uint8Array, i: number, b: Uint8Array, j: number): number => {
  for (let ahead = 1; ahead <= 4 * anchor; ahead++) {
    if (a[i + ahead] === b[j + ahead] && common(a, i + ahead, b, j + ahead) >= 2 * anchor) return ahead
  }
  return 0
}

/** Collects a difference, as long as it has less than `limit` bytes. */
class Writer {
  readonly bytes: Uint8Array
  length = 0
  isFull = false

  constructor(limit: number) {
    this.bytes = new Uint8Array(limit)
  }

  number(value: number): void {
    let rest = value
    for (; rest > 0x7f; rest >>>= 7) this.byte(rest & 0x7f | 0x80)
    this.byte(rest)
  }

  byte(value: number): void {
    if (this.length >= this.bytes.length) this.isFull = true
    else this.bytes[this.length++] = value
  }

  copy(from: Uint8Array, start: number, end: number): void {
    if (this.length + end - start > this.bytes.length) this.isFull = true
    if (this.isFull) return
    // An ordinary change is a few bytes, for which a view would cost more than the loop.
    for (let i = start; i < end; i++) this.bytes[this.length++] = from[i] ?? 0
  }
}

const zigzag = (value: number): number => value >= 0 ? value * 2 : -value * 2 - 1
const unzigzag = (value: number): number => value % 2 === 0 ? value / 2 : -(value + 1) / 2

/** The difference, or undefined when it would have `limit` bytes or more. */
export const encode = (bytes: Uint8Array, base: Uint8Array, limit: number): Uint8Array | undefined => {
  const writer = new Writer(Math.max(0, limit - 1))
  writer.number(bytes.length)
  const prefix = common(bytes, 0, base, 0)
  const suffix = commonBefore(bytes, bytes.length, base, base.length, Math.min(bytes.length, base.length) - prefix)
  const end = bytes.length - suffix
  const baseEnd = base.length - suffix

  /** Where something new began that was not written yet, and where the last copy ended in the base. */
  let pending = 0
  let cursor = 0
  const emit = (at: number, from: number, length: number): void => {
    writer.number(at - pending)
    writer.copy(bytes, pending, at)
    writer.number(length)
    writer.number(zigzag(from - cursor))
    pending = at + length
    cursor = from + length
  }
  if (prefix > 0) emit(0, 0, prefix)

  const stride = Math.max(anchor, Math.ceil((baseEnd - prefix) / mostPlaces))
  // The table is a power of two with room for twice the places.
  const shift = Math.max(18, Math.clz32((baseEnd - prefix) / stride) - 1)
  const lastStart = Math.min(end - prefix, baseEnd - prefix) > anchor ? end - anchor : -1
  let isIndexed = false
  /** Where the base has the bytes at `i`, or -1. Where values were only replaced by others of their length, nobody asks. */
  const placeOf = (i: number): number => {
    if (!isIndexed) {
      places.fill(0, 0, 2 ** (32 - shift))
      for (let j = prefix; j + anchor <= baseEnd; j += stride) places[hashAt(base, j) >>> shift] = j + 1
      isIndexed = true
    }
    return (places[hashAt(bytes, i) >>> shift] ?? 0) - 1
  }
  for (let i = prefix; i <= lastStart && !writer.isFull;) {
    // A value that was replaced by one of the same length is the most frequent change: go on where the base goes on.
    let from = cursor + i - pending
    let length = common(bytes, i, base, from)
    if (length < anchor && !isIndexed) {
      const ahead = aligned(bytes, i, base, from)
      if (ahead > 0) {
        i += ahead
        continue
      }
    }
    if (length < anchor) {
      from = placeOf(i)
      length = from < 0 ? 0 : common(bytes, i, base, from)
    }
    if (length < anchor) {
      i++
      continue
    }
    const before = commonBefore(bytes, i, base, from, Math.min(i - pending, from))
    length = Math.min(length, end - i)
    emit(i - before, from - before, length + before)
    i += length
  }
  if (suffix > 0) emit(end, baseEnd, suffix)
  else if (pending < bytes.length) {
    writer.number(bytes.length - pending)
    writer.copy(bytes, pending, bytes.length)
  }
  return writer.isFull ? undefined : writer.bytes.slice(0, writer.length)
}

/** The bytes again; throws for what was not made by `encode` from this base. */
export const decode = (delta: Uint8Array, base: Uint8Array): Uint8Array => {
  let at = 0
  const number = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = delta[at++]
      if (byte === undefined || scale > 2 ** 42) throw new RangeError("a difference between versions ends too early")
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  const length = number()
  if (length > delta.length * (base.length + 1)) throw new RangeError("a difference between versions claims too much")
  const bytes = new Uint8Array(length)
  let cursor = 0
  const take = (from: Uint8Array, start: number, count: number, filled: number): number => {
    if (start < 0 || start + count > from.length || filled + count > length) {
      throw new RangeError("a difference between versions does not fit")
    }
    bytes.set(from.subarray(start, start + count), filled)
    return filled + count
  }
  for (let filled = 0; filled < length;) {
    const fresh = number()
    filled = take(delta, at, fresh, filled)
    at += fresh
    if (filled === length) break
    const copied = number()
    cursor += unzigzag(number())
    if (fresh === 0 && copied === 0) throw new RangeError("a difference between versions makes no progress")
    filled = take(base, cursor, copied, filled)
    cursor += copied
  }
  return bytes
}
