/**
 * Former versions in little space: each as its difference to the version that followed it, which leaves some tens of bytes of an
 * ordinary change. Without a follower it is kept whole, compressed if it is large.
 */
import * as Zlib from "node:zlib"
import * as ByteDelta from "./byteDelta.js"

/** How bytes are packed; the numbers are in the files. `zstdDelta` was made by older releases, with the follower as dictionary. */
export const Packing = { whole: 0, zstdWhole: 1, delta: 2, zstdDelta: 3 } as const

/** One of these numbers. */
export type Packing = typeof Packing[keyof typeof Packing]

/** A context of the compressor takes tens of microseconds to set up, which smaller versions are not worth. */
const worthCompressing = 16 * 1024

export interface Packed {
  readonly bytes: Uint8Array
  readonly packing: Packing
}

/** Whether the follower is needed to unpack it. */
export const needsFollower = (packing: Packing): boolean => packing === Packing.delta || packing === Packing.zstdDelta

const whole = (bytes: Uint8Array): Packed =>
  bytes.length < worthCompressing
    ? { bytes, packing: Packing.whole }
    : { bytes: Zlib.zstdCompressSync(bytes), packing: Packing.zstdWhole }

/** The difference to `follower`, unless it is hardly smaller than the whole. */
export const pack = (bytes: Uint8Array, follower: Uint8Array | undefined): Packed => {
  if (follower === undefined) return whole(bytes)
  const delta = ByteDelta.encode(bytes, follower, Math.floor(bytes.length * 0.75))
  return delta === undefined ? whole(bytes) : { bytes: delta, packing: Packing.delta }
}

const decompress = (packed: Uint8Array, dictionary: Uint8Array | undefined): Uint8Array =>
  Zlib.zstdDecompressSync(packed, {
    params: { [Zlib.constants.ZSTD_d_windowLogMax]: 24 },
    ...(dictionary === undefined ? {} : { dictionary })
  })

const nothing = new Uint8Array(0)

/** The version again. `follower` is the one it was packed with, absent when it was packed whole. */
export const unpack = ({ bytes, packing }: Packed, follower: Uint8Array | undefined): Uint8Array => {
  if (packing === Packing.whole) return bytes
  if (packing === Packing.delta) return ByteDelta.decode(bytes, follower ?? nothing)
  return decompress(bytes, packing === Packing.zstdDelta ? follower : undefined)
}
