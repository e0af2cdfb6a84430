/**
 * The file system of the emulated global zone: the illumos path `/p` is `<directory>/root/p`. Plain synchronous functions,
 * called inside a state transaction. Nothing here ever touches a path that resolves outside the directory.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { copyTree } from "./copyTree.js"

/** Paths and folders of one simulated host. */
export interface HostFiles {
  /** Real path of the emulated `/`. */
  readonly root: string
  /** Real path of an illumos path. */
  readonly real: (illumosPath: string) => string
  /** Real path of something a command names by path: the emulated one where it exists, else the machine's own. */
  readonly locate: (named: string) => string | undefined
  /** Makes a folder with its parents; gives false when it existed. */
  readonly makeDirectory: (real: string, mode?: number) => boolean
  /** Removes a tree; a symbolic link is removed, never followed. */
  readonly remove: (real: string) => void
  /** Removes everything in a folder. */
  readonly empty: (real: string) => void
  /** Removes a folder that holds nothing. */
  readonly removeEmpty: (real: string) => void
  /** Moves a folder to where nothing or an empty folder is. */
  readonly move: (from: string, to: string) => void
  /** Copies the content of a folder into another one: modes, times, links, and owners where the process may set them. */
  readonly copyContent: (from: string, to: string) => void
  /** Bytes and entries of a tree, counted up to a bound. */
  readonly size: (real: string, skip: ReadonlySet<string>) => number
  /** Where the content of a snapshot is kept. */
  readonly snapshotFolder: (guid: string) => string
  /** Where the content of a file system is kept while it is not mounted. */
  readonly datasetFolder: (guid: string) => string
  /** Where the received part of a cut stream is kept. */
  readonly partialFile: (name: string) => string
}

const SIZE_ENTRIES = 20_000

/** Whether something is there, without following a final symbolic link. */
export const present = (real: string): boolean => fs.lstatSync(real, { throwIfNoEntry: false }) !== undefined

/** Whether it is a folder that holds nothing. */
export const isEmptyFolder = (real: string): boolean =>
  fs.lstatSync(real, { throwIfNoEntry: false })?.isDirectory() === true && fs.readdirSync(real).length === 0

const inside = (folder: string, candidate: string): boolean =>
  candidate === folder || candidate.startsWith(`${folder}${path.sep}`)

/** The deepest part of the path that exists, with every symbolic link resolved. */
const resolvedAncestor = (real: string): string => {
  for (let candidate = real;; candidate = path.dirname(candidate)) {
    if (candidate === path.dirname(candidate) || present(candidate)) return fs.realpathSync(candidate)
  }
}

/** Opens the file system of the host in `directory`. */
export const make = (directory: string): HostFiles => {
  fs.mkdirSync(path.join(directory, "root"), { recursive: true })
  const top = fs.realpathSync(directory)
  const root = path.join(top, "root")
  const real = (illumosPath: string) => path.join(root, path.posix.normalize(`/${illumosPath}`))

  const guard = (target: string): void => {
    const parent = resolvedAncestor(path.dirname(target))
    if (!inside(top, target) || target === top || target === root || !inside(top, parent)) {
      throw new Error(`${target} is outside the simulated host; nothing was changed there`)
    }
  }

  const empty = (folder: string): void => {
    if (!fs.lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return
    for (const name of fs.readdirSync(folder)) {
      const child = path.join(folder, name)
      guard(child)
      fs.rmSync(child, { recursive: true, force: true })
    }
  }

  const size = (start: string, skip: ReadonlySet<string>): number => {
    let total = 0
    let left = SIZE_ENTRIES
    const pending = [start]
    for (let next = pending.pop(); next !== undefined && left > 0; next = pending.pop()) {
      left -= 1
      const stat = fs.lstatSync(next, { throwIfNoEntry: false })
      if (stat === undefined) continue
      total += stat.isFile() ? Math.max(512, stat.size) : 512
      if (!stat.isDirectory()) continue
      for (const name of fs.readdirSync(next)) {
        const child = path.join(next, name)
        if (!skip.has(child)) pending.push(child)
      }
    }
    return total
  }

  return {
    root,
    real,
    locate: (named) => {
      const emulated = real(named)
      if (fs.existsSync(emulated)) return emulated
      return path.isAbsolute(named) && fs.existsSync(named) ? named : undefined
    },
    makeDirectory: (target, mode = 0o755) => {
      if (fs.existsSync(target)) return false
      guard(target)
      fs.mkdirSync(target, { recursive: true, mode: 0o755 })
      fs.chmodSync(target, mode)
      return true
    },
    remove: (target) => {
      if (!present(target)) return
      guard(target)
      fs.rmSync(target, { recursive: true, force: true })
    },
    empty,
    removeEmpty: (target) => {
      if (!isEmptyFolder(target)) return
      guard(target)
      fs.rmdirSync(target)
    },
    move: (from, to) => {
      guard(from)
      guard(to)
      fs.mkdirSync(path.dirname(to), { recursive: true })
      if (present(to)) fs.rmdirSync(to)
      fs.renameSync(from, to)
    },
    copyContent: (from, to) => {
      if (!fs.existsSync(from)) return
      guard(to)
      copyTree(from, to)
    },
    size,
    snapshotFolder: (guid) => path.join(top, "snapshots", guid),
    datasetFolder: (guid) => path.join(top, "datasets", guid),
    partialFile: (name) => path.join(top, "receives", name)
  }
}
