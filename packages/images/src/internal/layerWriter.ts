/**
 * Makes the files of one layer on top of the layers below it: entries, whiteouts, owners, modes, times.
 *
 * What hides (`.wh.NAME`, `.wh..wh..opq`) hides the layers below only, wherever in the archive it stands. Devices and FIFOs are left out: a
 * zone has the devices its brand gives it.
 */
import * as fs from "node:fs"
import { join, partsOf, PathRefused, SafeTree, shown } from "./safeTree.js"
import type { TarEntry, TarHandler } from "./tarParser.js"

/** Bounds of one layer. */
export interface Limits {
  readonly entries: number
  /** Bytes of all files together. */
  readonly bytes: number
}

/** An extended attribute to be set once the files are there. */
export interface PendingAttribute {
  /** Below the root, bytes as `latin1`. */
  readonly path: string
  readonly name: string
  readonly value: Buffer
}

const whiteout = ".wh."
const opaque = ".wh..wh..opq"
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants
/** Owners that no file can have: the last one means "leave it" to chown. */
const noOwner = 0xffff_ffff
const attributeLimit = 100_000

const secondsOf = (mtime: number): number => Math.min(Math.max(mtime, 0), 0xffff_ffff)

/** Applies the entries of a layer. Throws `PathRefused`, or what the file system says. */
export class LayerWriter implements TarHandler {
  private readonly tree: SafeTree
  /** Everything this layer has made, and the folders that lead to it. */
  private readonly made = new Set<string>()
  /** Folders get their modes and times when nothing more is written into them. */
  private readonly folders = new Map<string, { readonly mode: number; readonly mtime: number }>()
  private open: { readonly descriptor: number; readonly entry: TarEntry } | undefined
  private entries = 0
  private bytes = 0
  /** Devices and FIFOs that were left out. */
  skipped = 0
  private readonly attributes: Array<PendingAttribute> = []

  private readonly limits: Limits
  private readonly keepOwners: boolean

  /** `keepOwners`: whether files get the owners the archive says; only root can. */
  constructor(root: string, limits: Limits, keepOwners: boolean) {
    this.tree = new SafeTree(root)
    this.limits = limits
    this.keepOwners = keepOwners
  }

  entry(entry: TarEntry): void {
    this.entries += 1
    this.bytes += entry.size
    if (this.entries > this.limits.entries) throw new PathRefused({ message: `the layer has more than ${this.limits.entries} entries` })
    if (this.bytes > this.limits.bytes) throw new PathRefused({ message: `the files of the layer have more than ${this.limits.bytes} bytes` })
    if (entry.uid >= noOwner || entry.gid >= noOwner) throw new PathRefused({ message: `${shown(entry.path)} has an owner that does not exist` })
    const parts = partsOf(entry.path)
    const base = parts.at(-1)
    if (base === undefined) {
      if (entry.kind === "directory") this.directory("", entry)
      return
    }
    if (base.startsWith(whiteout)) return this.hide(parts.slice(0, -1), base)
    const folder = this.tree.folder(parts.slice(0, -1), (path) => this.missing(path)) ?? ""
    this.make(join(folder, base), entry)
  }

  data(bytes: Uint8Array): void {
    if (this.open === undefined) return
    for (let at = 0; at < bytes.length;) at += fs.writeSync(this.open.descriptor, bytes, at, bytes.length - at)
  }

  end(): void {
    if (this.open === undefined) return
    const { descriptor, entry } = this.open
    try {
      if (this.keepOwners) fs.fchownSync(descriptor, entry.uid, entry.gid)
      // After the owner: changing that takes setuid and setgid away.
      fs.fchmodSync(descriptor, entry.mode)
      fs.futimesSync(descriptor, secondsOf(entry.mtime), secondsOf(entry.mtime))
    } finally {
      this.close()
    }
  }

  /** Closes what is open; the layer may be incomplete. */
  close(): void {
    if (this.open !== undefined) fs.closeSync(this.open.descriptor)
    this.open = undefined
  }

  /** Everything has been written: folders get what they were left without. Gives the extended attributes that are still to be set. */
  finish(): ReadonlyArray<PendingAttribute> {
    for (const [path, { mode, mtime }] of [...this.folders].toReversed()) {
      if (!this.isStill(path, (found) => found.isDirectory())) continue
      const descriptor = fs.openSync(this.tree.at(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      try {
        fs.futimesSync(descriptor, secondsOf(mtime), secondsOf(mtime))
        fs.fchmodSync(descriptor, mode)
      } finally {
        fs.closeSync(descriptor)
      }
    }
    // Tools that set them follow links, so nothing on the way to a file may have become one.
    return this.attributes.filter(({ path }) => this.isStill(path, (found) => found.isDirectory() || found.isFile()))
  }

  /** Whether something noted earlier is still there under its name: a folder on the way may have been replaced by a link since. */
  private isStill(path: string, wanted: (found: fs.Stats) => boolean): boolean {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")))
    const found = this.tree.folder(folder === "" ? [] : folder.split("/")) === folder ? this.tree.stat(path) : undefined
    return found !== undefined && wanted(found)
  }

  private mark(path: string): void {
    for (let at = path; at !== "" && !this.made.has(at); at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) this.made.add(at)
  }

  private missing(path: string): void {
    fs.mkdirSync(this.tree.at(path), 0o755)
    fs.chmodSync(this.tree.at(path), 0o755)
    this.mark(path)
  }

  private make(path: string, entry: TarEntry): void {
    if (entry.kind === "fifo" || entry.kind === "character" || entry.kind === "block") {
      this.skipped += 1
      return
    }
    // Found before anything is removed: a link to the thing it replaces would find nothing.
    const target = entry.kind === "link" ? this.linkTarget(entry, path) : undefined
    if (target === path) return
    const found = this.tree.stat(path)
    if (found !== undefined && !(found.isDirectory() && entry.kind === "directory")) this.tree.remove(path)
    this.mark(path)
    if (entry.kind === "directory") this.directory(path, entry)
    else if (entry.kind === "file") this.file(path, entry)
    else if (target !== undefined) this.hardLink(path, target)
    else this.symbolicLink(path, entry)
    if (entry.kind === "symlink" || target !== undefined) return
    if (this.attributes.length + entry.attributes.size > attributeLimit) throw new PathRefused({ message: `the layer has more than ${attributeLimit} extended attributes` })
    for (const [name, value] of entry.attributes) this.attributes.push({ path, name, value })
  }

  private directory(path: string, entry: TarEntry): void {
    if (this.tree.stat(path) === undefined) fs.mkdirSync(this.tree.at(path), 0o700)
    if (this.keepOwners) fs.lchownSync(this.tree.at(path), entry.uid, entry.gid)
    this.folders.delete(path)
    this.folders.set(path, { mode: entry.mode, mtime: entry.mtime })
  }

  private file(path: string, entry: TarEntry): void {
    const descriptor = fs.openSync(this.tree.at(path), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
    this.open = { descriptor, entry }
  }

  private linkTarget(entry: TarEntry, path: string): string {
    const parts = partsOf(entry.target)
    const base = parts.at(-1)
    const folder = this.tree.folder(parts.slice(0, -1))
    const target = base === undefined || folder === undefined ? undefined : join(folder, base)
    const found = target === undefined ? undefined : this.tree.stat(target)
    if (target === undefined || found === undefined) throw new PathRefused({ message: `${shown(entry.path)} links to ${shown(entry.target)}, which is not there` })
    if (found.isDirectory()) throw new PathRefused({ message: `${shown(entry.path)} links to the folder ${shown(entry.target)}` })
    if (`${target}/`.startsWith(`${path}/`) && target !== path) throw new PathRefused({ message: `${shown(entry.path)} links to something inside itself` })
    return target
  }

  private hardLink(path: string, target: string): void {
    // Whether link(2) follows a link differs between systems; a copy of the link is the same to everybody who reads it.
    const found = this.tree.stat(target)
    if (found?.isSymbolicLink() !== true) return fs.linkSync(this.tree.at(target), this.tree.at(path))
    fs.symlinkSync(fs.readlinkSync(this.tree.at(target), { encoding: "buffer" }), this.tree.at(path))
    this.tree.forget()
    if (this.keepOwners) fs.lchownSync(this.tree.at(path), found.uid, found.gid)
    fs.lutimesSync(this.tree.at(path), found.mtimeMs / 1000, found.mtimeMs / 1000)
  }

  private symbolicLink(path: string, entry: TarEntry): void {
    if (entry.target === "") throw new PathRefused({ message: `${shown(entry.path)} is a link to nothing` })
    fs.symlinkSync(Buffer.from(entry.target, "latin1"), this.tree.at(path))
    this.tree.forget()
    if (this.keepOwners) fs.lchownSync(this.tree.at(path), entry.uid, entry.gid)
    fs.lutimesSync(this.tree.at(path), secondsOf(entry.mtime), secondsOf(entry.mtime))
  }

  private hide(parts: ReadonlyArray<string>, base: string): void {
    const folder = this.tree.folder(parts)
    if (base === opaque) {
      if (folder !== undefined) for (const name of this.tree.names(folder)) this.hideBelow(join(folder, name))
      return
    }
    // Other names of this kind are notes of storage drivers, not content.
    if (base.startsWith(`${whiteout}${whiteout}`)) return
    const name = base.slice(whiteout.length)
    if (name === "" || name === "." || name === "..") throw new PathRefused({ message: `${shown([...parts, base].join("/"))} hides nothing that can exist` })
    if (folder !== undefined) this.hideBelow(join(folder, name))
  }

  /** Removes what the layers below have there, and keeps what this one has made. */
  private hideBelow(path: string): void {
    if (!this.made.has(path)) return this.tree.remove(path)
    if (this.tree.stat(path)?.isDirectory() === true) for (const name of this.tree.names(path)) this.hideBelow(join(path, name))
  }
}
