/**
 * Unpacks Zstandard data of any number of frames.
 *
 * Node's own stream stops after the first frame, and says in `bytesWritten` how far it read. Layers that can be read in part, or that were
 * packed by several threads, have many frames.
 */
import { Transform, type TransformCallback } from "node:stream"
import { createZstdDecompress, type ZstdDecompress } from "node:zlib"

class ZstdFrames extends Transform {
  private inner: ZstdDecompress | undefined
  /** Of the frame that is being read: bytes given to it. */
  private given = 0
  /** What goes on when the frame ends before its input does. */
  private frameEnded: () => void = () => {}

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.feed(chunk, done)
  }

  override _flush(done: TransformCallback): void {
    if (this.inner === undefined) return done()
    this.frameEnded = done
    this.inner.end()
  }

  override _read(size: number): void {
    this.inner?.resume()
    super._read(size)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.inner?.destroy()
    done(error)
  }

  private feed(bytes: Buffer, done: TransformCallback): void {
    const inner = this.inner ?? this.frame()
    const before = this.given
    this.given += bytes.length
    let over = false
    this.frameEnded = () => {
      over = true
      this.inner = undefined
      const rest = bytes.subarray(inner.bytesWritten - before)
      if (rest.length === 0) done()
      else this.feed(rest, done)
    }
    // A stream that is over calls back for what it has not read, too.
    inner.write(bytes, () => {
      if (!over && this.inner === inner) done()
    })
  }

  private frame(): ZstdDecompress {
    const inner = createZstdDecompress()
    inner.on("data", (bytes: Buffer) => {
      // A few packed bytes may be very many: what is not read yet stays packed.
      if (!this.push(bytes)) inner.pause()
    })
    inner.on("end", () => this.frameEnded())
    inner.on("error", (error) => this.destroy(error))
    this.inner = inner
    this.given = 0
    return inner
  }
}

/** A stream that unpacks what is written to it. */
export const createZstdFrames = (): Transform => new ZstdFrames()
