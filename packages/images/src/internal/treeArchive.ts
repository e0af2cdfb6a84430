/** A folder as a tar archive: the same files give the same bytes, whatever their order on disk. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as fs from "node:fs"
import type { ImageError } from "../ImageError.js"
import { join, SafeTree, shown } from "./safeTree.js"
import { fromFiles } from "./storageFailure.js"
import { encode, endOfArchive, type Header, padding } from "./tarWriter.js"

const pieceSize = 256 * 1024

/** Where folders are there, but not what is in them: it is the running system's, not the image's. */
const emptied: ReadonlySet<string> = new Set(["dev", "proc", "sys", "system/contract", "system/object", "etc/svc/volatile"])

const common = (stat: fs.Stats) => ({
  mode: stat.mode & 0o7777,
  uid: stat.uid,
  gid: stat.gid,
  mtime: Math.max(0, Math.floor(stat.mtimeMs / 1000))
})

function* content(tree: SafeTree, path: string, size: number): Generator<Buffer> {
  const descriptor = fs.openSync(tree.at(path), fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW)
  try {
    for (let left = size; left > 0;) {
      const piece = Buffer.alloc(Math.min(left, pieceSize))
      const read = fs.readSync(descriptor, piece, 0, piece.length, null)
      if (read === 0) throw new Error(`${shown(path)} became shorter while it was read`)
      left -= read
      yield piece.subarray(0, read)
    }
  } finally {
    fs.closeSync(descriptor)
  }
  yield padding(size)
}

/** Plain synchronous reading, piece by piece: whoever takes the pieces decides when the next one is read. */
function* pieces(root: string): Generator<Buffer> {
  const tree = new SafeTree(root)
  const device = fs.lstatSync(root).dev
  const linked = new Map<string, string>()
  function* walk(path: string): Generator<Buffer> {
    const stat = tree.stat(path)
    if (stat === undefined) return
    const entry = (fields: Pick<Header, "kind" | "path" | "size"> & { readonly target?: string }) => encode({ ...common(stat), ...fields })
    if (stat.isDirectory()) {
      yield entry({ kind: "directory", path: path === "" ? "./" : `${path}/`, size: 0 })
      // Another file system is not a part of this one.
      if (stat.dev !== device || emptied.has(path)) return
      for (const name of [...tree.names(path)].sort((a, b) => (a < b ? -1 : 1))) yield* walk(join(path, name))
      return
    }
    const key = `${stat.dev}:${stat.ino}`
    const first = stat.nlink > 1 ? linked.get(key) : undefined
    if (first !== undefined) {
      yield entry({ kind: "link", path, target: first, size: 0 })
      return
    }
    // Devices, pipes and sockets are not content.
    if (!stat.isFile() && !stat.isSymbolicLink()) return
    if (stat.nlink > 1) linked.set(key, path)
    if (stat.isSymbolicLink()) yield entry({ kind: "symlink", path, target: fs.readlinkSync(tree.at(path), { encoding: "latin1" }), size: 0 })
    else {
      yield entry({ kind: "file", path, size: stat.size })
      yield* content(tree, path, stat.size)
    }
  }
  yield* walk("")
  yield endOfArchive
}

/** Small pieces together, so that a header does not cost as much as a file. */
function* joined(source: Iterable<Buffer>): Generator<Buffer> {
  let waiting: Array<Buffer> = []
  let size = 0
  for (const piece of source) {
    waiting.push(piece)
    size += piece.length
    if (size < pieceSize) continue
    yield Buffer.concat(waiting)
    waiting = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(waiting)
}

/** The archive of what is in `root`, a real path. Nobody may change it meanwhile. */
export const treeArchive = (root: string): Stream.Stream<Uint8Array, ImageError> =>
  Stream.suspend(() => {
    const iterator = joined(pieces(root))
    return Stream.repeatEffectChunkOption(
      Effect.try({ try: () => iterator.next(), catch: (cause) => Option.some<ImageError>(fromFiles("reading files for an archive", root)(cause)) }).pipe(
        Effect.flatMap((next) => next.done === true ? Effect.fail(Option.none()) : Effect.succeed(Chunk.of<Uint8Array>(next.value)))
      )
    ).pipe(Stream.ensuring(Effect.sync(() => void iterator.return(undefined))))
  })
