/** Protocol buffers on the wire: a reader over one message. Every length is checked before it is used. */

/** The bytes are not a valid message. */
export class WireProblem {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** How a field is encoded: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
export type WireType = 0 | 1 | 2 | 5

const decoder = new TextDecoder("utf-8", { fatal: true })

/** Text of UTF-8 bytes. */
export const textOf = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new WireProblem("proto: invalid UTF-8")
  }
}

/** Reads the fields of one message in order. */
export class WireReader {
  private position = 0
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Number and wire type of the next field, or undefined at the end. */
  next(): { readonly field: number; readonly wire: WireType } | undefined {
    if (this.position >= this.bytes.length) return undefined
    const tag = Number(this.varint())
    const wire = tag % 8
    const field = Math.floor(tag / 8)
    if (field === 0) throw new WireProblem("proto: illegal tag 0")
    if (wire !== 0 && wire !== 1 && wire !== 2 && wire !== 5) throw new WireProblem(`proto: illegal wireType ${wire}`)
    return { field, wire }
  }

  /** A base-128 number of up to 64 bits, as two's complement. */
  varint(): bigint {
    let low = 0
    let shift = 0
    // Nearly all numbers are short, and those need no big integer on the way.
    while (shift < 28) {
      const byte = this.byte()
      low += (byte & 127) * 2 ** shift
      if (byte < 128) return BigInt(low)
      shift += 7
    }
    let value = BigInt(low)
    for (;;) {
      if (shift > 63) throw new WireProblem("proto: integer overflow")
      const byte = this.byte()
      value += BigInt(byte & 127) << BigInt(shift)
      if (byte < 128) return BigInt.asIntN(64, value)
      shift += 7
    }
  }

  /** The bytes of a length-delimited field; a view, not a copy. */
  delimited(): Uint8Array {
    const length = Number(this.varint())
    const end = this.position + length
    if (length < 0 || end > this.bytes.length) throw new WireProblem("unexpected EOF")
    const view = this.bytes.subarray(this.position, end)
    this.position = end
    return view
  }

  /** An IEEE 754 number of eight bytes. */
  double(): number {
    const view = this.fixed(8)
    return new DataView(view.buffer, view.byteOffset, 8).getFloat64(0, true)
  }

  /** Passes over the value of a field that nobody wants. */
  skip(wire: WireType): void {
    if (wire === 0) this.varint()
    else if (wire === 2) this.delimited()
    else this.fixed(wire === 1 ? 8 : 4)
  }

  private fixed(length: number): Uint8Array {
    const end = this.position + length
    if (end > this.bytes.length) throw new WireProblem("unexpected EOF")
    const view = this.bytes.subarray(this.position, end)
    this.position = end
    return view
  }

  private byte(): number {
    const byte = this.bytes[this.position]
    if (byte === undefined) throw new WireProblem("unexpected EOF")
    this.position++
    return byte
  }
}
