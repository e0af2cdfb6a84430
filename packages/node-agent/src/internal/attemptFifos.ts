/**
 * The host's ends of an attempt's FIFOs.
 *
 * A FIFO is opened non-blocking and read through the event loop's poller, so no thread waits for it. Files in the shared directory can be
 * changed by whoever is root in the zone: nothing is opened through a symbolic link, nothing but a FIFO is read as one, and what is read
 * from the small files is only ever taken as numbers.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import { Socket } from "node:net"
import { SupervisorFileFailed } from "../supervisor/SupervisorError.js"

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants

const openFifo = (path: string, flags: number): number => {
  const fd = fs.openSync(path, flags | O_NONBLOCK | O_NOFOLLOW)
  if (fs.fstatSync(fd).isFIFO()) return fd
  fs.closeSync(fd)
  throw new Error("not a FIFO")
}

/** Opens a FIFO for writing; throws when it is none, or when nobody reads it. */
export const openToWrite = (path: string): number => openFifo(path, O_WRONLY)

/** Writes a line into a FIFO in which somebody waits for one. */
export const sendLine = (path: string): void => {
  try {
    const fd = openToWrite(path)
    fs.writeSync(fd, "\n")
    fs.closeSync(fd)
  } catch {
    // ENXIO: who waited is gone already.
  }
}

const orFail = <A>(operation: string, path: string, body: () => A): Effect.Effect<A, SupervisorFileFailed> =>
  Effect.try({
    try: body,
    catch: (cause) =>
      new SupervisorFileFailed({ operation, path, detail: cause instanceof Error ? cause.message : String(cause) })
  })

/** What happens on an attempt's FIFOs. All callbacks run synchronously. */
export interface Listener {
  readonly onOutput: (chunk: Buffer, stream: "stdout" | "stderr") => void
  /** The shim wrote `pid` or `exit`. */
  readonly onSignal: () => void
  /** The shim is gone. */
  readonly onGone: () => void
}

/** An attempt that is being listened to. */
export interface AttemptFifos {
  /** Reads what is left in the output FIFOs right now. */
  readonly drain: () => void
  /** Lets the shim end. */
  readonly acknowledge: () => void
}

const drainInto = (fd: number, onChunk: (chunk: Buffer) => void): void => {
  const buffer = Buffer.allocUnsafe(65_536)
  for (;;) {
    let length: number
    try {
      length = fs.readSync(fd, buffer)
    } catch {
      // EAGAIN: empty; EBADF: closed because its writers are gone. Either way nothing is left.
      return
    }
    if (length === 0) return
    onChunk(Buffer.from(buffer.subarray(0, length)))
  }
}

/** Whether nobody holds the FIFO open for writing; what is in it is read and told. */
const hasNoWriter = (fd: number, onData: () => void): boolean => {
  const buffer = Buffer.allocUnsafe(64)
  try {
    while (fs.readSync(fd, buffer) > 0) onData()
    return true
  } catch {
    // EAGAIN: empty, with a writer.
    return false
  }
}

/**
 * Whether the attempt in `directory` has no shim: nobody holds its FIFO open, or it has none, because whoever started it was cut off before the
 * shim had begun.
 */
export const isAbandoned = (directory: string): boolean => {
  let fd: number
  try {
    fd = openFifo(`${directory}/alive`, O_RDONLY)
  } catch {
    return true
  }
  try {
    return hasNoWriter(fd, () => undefined)
  } finally {
    fs.closeSync(fd)
  }
}

/** Opens the FIFOs of the attempt in `directory` for as long as the scope lives. */
export const open = (
  directory: string,
  listener: Listener
): Effect.Effect<AttemptFifos, SupervisorFileFailed, Scope.Scope> => {
  const reader = (name: string, onChunk: (chunk: Buffer) => void, onEnd: () => void) => {
    const path = `${directory}/${name}`
    return Effect.acquireRelease(
      orFail("open", path, () => {
        const fd = openFifo(path, O_RDONLY)
        const socket = new Socket({ fd, readable: true, writable: false, allowHalfOpen: true })
        socket.on("data", onChunk)
        socket.on("end", onEnd)
        socket.on("error", onEnd)
        return { fd, socket }
      }),
      ({ socket }) => Effect.sync(() => void socket.destroy())
    )
  }
  const nothing = () => undefined
  return Effect.gen(function*() {
    const out = yield* reader("out", (chunk) => listener.onOutput(chunk, "stdout"), nothing)
    const err = yield* reader("err", (chunk) => listener.onOutput(chunk, "stderr"), nothing)
    const alive = yield* reader("alive", listener.onSignal, listener.onGone)
    // The poller tells of a writer that goes, not of one that was gone before the FIFO was opened.
    if (hasNoWriter(alive.fd, listener.onSignal)) listener.onGone()
    return {
      drain: () => {
        if (!out.socket.destroyed) drainInto(out.fd, (chunk) => listener.onOutput(chunk, "stdout"))
        if (!err.socket.destroyed) drainInto(err.fd, (chunk) => listener.onOutput(chunk, "stderr"))
      },
      acknowledge: () => sendLine(`${directory}/ack`)
    }
  })
}

/** The numbers in a small file that the shim wrote, none when it is not there or holds something else. */
export const readNumbers = (path: string): { readonly numbers: ReadonlyArray<number>; readonly writtenAt: number } | undefined => {
  // Asked once a second of every container that runs, for which there is none: an error with its stack for each would cost the most of it.
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true) return undefined
  let fd: number
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch {
    return undefined
  }
  try {
    const stat = fs.fstatSync(fd)
    if (!stat.isFile() || stat.size > 64) return undefined
    const text = fs.readFileSync(fd, "latin1").trim()
    return /^\d{1,10}(?: \d{1,10})?$/.test(text)
      ? { numbers: text.split(" ").map(Number), writtenAt: Math.floor(stat.mtimeMs) }
      : undefined
  } catch {
    return undefined
  } finally {
    fs.closeSync(fd)
  }
}

/**
 * Removes an attempt's folder and the files with the given names in it. Never recursive: whoever is root in the zone could put a symbolic
 * link in the place of a folder while its content is being removed.
 */
export const removeFolder = (directory: string, names: ReadonlyArray<string>): void => {
  const quietly = (body: () => void) => {
    try {
      body()
    } catch {
      // Not there, or not ours; an empty folder more in a pod's directory harms nobody and goes with the pod.
    }
  }
  for (const name of names) quietly(() => fs.unlinkSync(`${directory}/${name}`))
  quietly(() => fs.rmdirSync(`${directory}/claim`))
  quietly(() => fs.rmdirSync(directory))
}
