/** A faithful copy of a folder: what a snapshot, a clone or a rollback gives back. Plain synchronous functions, inside a state transaction. */
import * as fs from "node:fs"
import * as path from "node:path"

const root = process.getuid?.() === 0
const chunkBytes = 1024 * 1024

/** Copies a file without writing the parts that hold nothing but zeros: volumes are files with holes. */
const copySparse = (from: string, to: string, size: number): void => {
  const input = fs.openSync(from, "r")
  const output = fs.openSync(to, "w")
  try {
    const chunk = Buffer.alloc(chunkBytes)
    for (let at = 0; at < size;) {
      const read = fs.readSync(input, chunk, 0, chunkBytes, at)
      if (read === 0) break
      if (chunk.subarray(0, read).some((byte) => byte !== 0)) fs.writeSync(output, chunk, 0, read, at)
      at += read
    }
    fs.ftruncateSync(output, size)
  } finally {
    fs.closeSync(input)
    fs.closeSync(output)
  }
}

const isSparse = (stat: fs.Stats): boolean => stat.size > chunkBytes && stat.blocks * 512 < stat.size

const copyFile = (from: string, to: string, stat: fs.Stats): void => {
  if (stat.blocks === 0 && stat.size > chunkBytes) {
    fs.writeFileSync(to, "")
    fs.truncateSync(to, stat.size)
  } else if (isSparse(stat)) copySparse(from, to, stat.size)
  else fs.copyFileSync(from, to, fs.constants.COPYFILE_FICLONE)
}

/** Owner, mode and times; the owner first, because changing it clears the set-uid bit. */
const dress = (target: string, stat: fs.Stats): void => {
  // Whole milliseconds: smaller parts would not survive the way through a number.
  const [atime, mtime] = [Math.round(stat.atimeMs) / 1000, Math.round(stat.mtimeMs) / 1000]
  if (root) fs.lchownSync(target, stat.uid, stat.gid)
  if (stat.isSymbolicLink()) {
    fs.lutimesSync(target, atime, mtime)
    return
  }
  fs.chmodSync(target, stat.mode & 0o7777)
  fs.utimesSync(target, atime, mtime)
}

/**
 * Copies what is in `from` into `to`, which need not be empty. Sockets, pipes and devices are left out: they mean nothing in a copy.
 * Files with several names in `from` have them in the copy, too. Of folders in `skip` only the name is copied.
 */
export const copyTree = (from: string, to: string, skip: ReadonlySet<string> = new Set()): void => {
  const linked = new Map<number, string>()
  const copy = (source: string, target: string): void => {
    const stat = fs.lstatSync(source)
    if (stat.isDirectory()) {
      if (fs.lstatSync(target, { throwIfNoEntry: false })?.isDirectory() !== true) {
        fs.rmSync(target, { force: true })
        fs.mkdirSync(target, { recursive: true })
      }
      for (const name of fs.readdirSync(source)) {
        const child = path.join(source, name)
        // The mountpoint of another file system is a folder of this one; what is mounted there is not.
        if (skip.has(child)) fs.mkdirSync(path.join(target, name), { recursive: true })
        else copy(child, path.join(target, name))
      }
      dress(target, stat)
      return
    }
    if (!stat.isFile() && !stat.isSymbolicLink()) return
    fs.rmSync(target, { recursive: true, force: true })
    const first = stat.nlink > 1 ? linked.get(stat.ino) : undefined
    if (first !== undefined) {
      fs.linkSync(first, target)
      return
    }
    if (stat.isSymbolicLink()) fs.symlinkSync(fs.readlinkSync(source), target)
    else copyFile(source, target, stat)
    if (stat.nlink > 1) linked.set(stat.ino, target)
    dress(target, stat)
  }
  copy(from, to)
}
