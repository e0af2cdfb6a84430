/**
 * Some parts of the JSON text of an object. Whoever looks into all stored objects for one field would spend most of the time on
 * parsing what nobody looks at; passing over those bytes takes a fifth of that and leaves no garbage.
 */

/** Which parts: the whole value, or those of its members. Names are of letters that JSON does not escape. */
export type Parts = true | { readonly [member: string]: Parts }

/** Reads parts of a text. Members that are not there are left out, and so is what is no object where members are asked for. */
export type Reader = (bytes: Uint8Array) => unknown

interface Member {
  readonly name: string
  readonly bytes: Uint8Array
  readonly wanted: Wanted
}

type Wanted = true | ReadonlyArray<Member>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const quote = 34
const comma = 44
const colon = 58
const openArray = 91
const backslash = 92
const closeArray = 93
const open = 123
const close = 125

const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9

const pastSpace = (bytes: Uint8Array, at: number): number => {
  let next = at
  while (isSpace(bytes[next])) next++
  return next
}

/** `at` is behind the opening quote; the result is behind the closing one. */
const pastString = (bytes: Uint8Array, at: number): number => {
  for (let next = at; next < bytes.length; next++) {
    const byte = bytes[next]
    if (byte === quote) return next + 1
    if (byte === backslash) next++
  }
  return bytes.length
}

/** `at` is behind an opening bracket; the result is behind the closing one. */
const pastBrackets = (bytes: Uint8Array, at: number): number => {
  let depth = 1
  for (let next = at; next < bytes.length;) {
    const byte = bytes[next++]
    if (byte === quote) next = pastString(bytes, next)
    else if (byte === open || byte === openArray) depth++
    else if ((byte === close || byte === closeArray) && --depth === 0) return next
  }
  return bytes.length
}

const pastValue = (bytes: Uint8Array, at: number): number => {
  const first = bytes[at]
  if (first === quote) return pastString(bytes, at + 1)
  if (first === open || first === openArray) return pastBrackets(bytes, at + 1)
  for (let next = at; next < bytes.length; next++) {
    const byte = bytes[next]
    if (byte === comma || byte === close || byte === closeArray || isSpace(byte)) return next
  }
  return bytes.length
}

const compile = (parts: Parts): Wanted =>
  parts === true
    ? true
    : Object.entries(parts).map(([name, member]) => ({ name, bytes: encoder.encode(name), wanted: compile(member) }))

const isNamed = (name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean => {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false
  return true
}

/** Both selections in one. */
export const union = (a: Parts | undefined, b: Parts | undefined): Parts => {
  if (a === true || b === true) return true
  const merged: Record<string, Parts> = { ...a }
  for (const [member, parts] of Object.entries(b ?? {})) merged[member] = union(merged[member], parts)
  return merged
}

/** A reader of these parts. The texts that it is given must be valid. */
export const reader = (parts: Parts): Reader => {
  const all = compile(parts)
  return (bytes) => {
    let at = pastSpace(bytes, 0)

    /** The value at `at`, which is behind it afterwards. */
    const read = (wanted: Wanted): unknown => {
      const start = at
      if (wanted === true || bytes[at] !== open) {
        at = pastValue(bytes, at)
        return wanted === true ? JSON.parse(decoder.decode(bytes.subarray(start, at))) : undefined
      }
      const found: Record<string, unknown> = {}
      at = pastSpace(bytes, at + 1)
      while (at < bytes.length && bytes[at] !== close) {
        const nameAt = at + 1
        at = pastString(bytes, nameAt)
        const nameEnd = at - 1
        at = pastSpace(bytes, at)
        if (bytes[at] === colon) at = pastSpace(bytes, at + 1)
        const member = wanted.find(({ bytes: name }) => isNamed(name, bytes, nameAt, nameEnd))
        if (member === undefined) {
          at = pastValue(bytes, at)
        } else {
          const value = read(member.wanted)
          if (value !== undefined) found[member.name] = value
        }
        at = pastSpace(bytes, at)
        if (bytes[at] === comma) at = pastSpace(bytes, at + 1)
      }
      at++
      return found
    }

    return read(all)
  }
}
