/**
 * Former versions in little space: each is compressed with the version that followed it as dictionary, which leaves some tens of
 * bytes of an ordinary change. Without a follower it is compressed alone.
 */
import * as Zlib from "node:zlib"

const window = (bytes: Uint8Array): Zlib.ZstdOptions => ({
  params: {
    [Zlib.constants.ZSTD_c_compressionLevel]: 3,
    // Large enough to see the whole of both versions.
    [Zlib.constants.ZSTD_c_windowLog]: Math.min(24, Math.max(10, Math.ceil(Math.log2(bytes.length * 2 + 1))))
  }
})

export interface Packed {
  readonly bytes: Uint8Array
  /** Whether the follower is needed to unpack it. */
  readonly isDelta: boolean
}

/** The smaller one of the difference to `follower` and the whole. */
export const pack = (bytes: Uint8Array, follower: Uint8Array | undefined): Packed => {
  const whole = (): Packed => ({ bytes: Zlib.zstdCompressSync(bytes, window(bytes)), isDelta: false })
  if (follower === undefined) return whole()
  const larger = bytes.length > follower.length ? bytes : follower
  const delta = Zlib.zstdCompressSync(bytes, { ...window(larger), dictionary: follower })
  // A difference of this size is an ordinary one: no need to try the other way.
  if (delta.length * 4 < bytes.length) return { bytes: delta, isDelta: true }
  const alone = whole()
  return alone.bytes.length <= delta.length ? alone : { bytes: delta, isDelta: true }
}

/** The version again. `follower` is the one it was packed with, absent when it was packed whole. */
export const unpack = (packed: Uint8Array, follower: Uint8Array | undefined): Uint8Array =>
  Zlib.zstdDecompressSync(packed, {
    params: { [Zlib.constants.ZSTD_d_windowLogMax]: 24 },
    ...(follower === undefined ? {} : { dictionary: follower })
  })
