/**
 * What a folder holds, entry by entry, with the bytes of each. Two entries are the same data when path, size and time of change agree:
 * copies keep their times. So the space that snapshots and clones share can be told apart from what is theirs alone.
 */
import * as fs from "node:fs"
import * as path from "node:path"

/** Bytes by entry; the key says what the entry is. @category models */
export type Manifest = ReadonlyMap<string, number>

/** Entries that are counted at most in one folder: a bound for the time a listing may take. */
const maxEntries = 20_000

const empty: Manifest = new Map()

/** Files with holes take less than their size; where small ones are kept with their names, they have no blocks. */
const fileBytes = ({ blocks, size }: fs.Stats): number => Math.max(512, size <= 8192 ? size : Math.min(size, blocks * 512))

/** Entries with their kinds, so that folders need not be asked one by one; none when the folder went meanwhile. */
const entriesOf = (folder: string): ReadonlyArray<fs.Dirent> => {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw error
  }
}

/** Counts a folder, or a single file. Folders in `skip` belong to other datasets. @category constructors */
export const read = (folder: string, skip: ReadonlySet<string>): Manifest => {
  const found = new Map<string, number>()
  const file = (at: string): void => {
    const stat = fs.lstatSync(at, { throwIfNoEntry: false })
    if (stat !== undefined) found.set(`${at.slice(folder.length)} ${stat.size} ${Math.round(stat.mtimeMs)}`, stat.isFile() ? fileBytes(stat) : 512)
  }
  const top = fs.lstatSync(folder, { throwIfNoEntry: false })
  if (top?.isDirectory() === false) file(folder)
  const pending = top?.isDirectory() === true ? [folder] : []
  for (let next = pending.pop(); next !== undefined && found.size < maxEntries; next = pending.pop()) {
    if (next !== folder) found.set(`${next.slice(folder.length)}/`, 512)
    for (const entry of entriesOf(next)) {
      const child = path.join(next, entry.name)
      if (skip.has(child)) continue
      if (entry.isDirectory()) pending.push(child)
      else file(child)
    }
  }
  return found
}

/** Content of snapshots never changes: it is counted once. Bounded by entries, the oldest go first. */
const known = new Map<string, Manifest>()
const maxKnown = 200_000
let knownEntries = 0

/** As `read`, remembered: for folders that never change. @category constructors */
export const readConstant = (folder: string): Manifest => {
  const before = known.get(folder)
  if (before !== undefined) return before
  if (!fs.existsSync(folder)) return empty
  const manifest = read(folder, new Set())
  known.set(folder, manifest)
  knownEntries += manifest.size
  for (const [key, value] of known) {
    if (knownEntries <= maxKnown || key === folder) break
    known.delete(key)
    knownEntries -= value.size
  }
  return manifest
}

/** All bytes. @category combinators */
export const total = (manifest: Manifest): number => {
  let sum = 0
  for (const bytes of manifest.values()) sum += bytes
  return sum
}

/** Bytes of what is in `manifest` and in none of `others`. @category combinators */
export const alone = (manifest: Manifest, others: ReadonlyArray<Manifest>): number => {
  let sum = 0
  for (const [key, bytes] of manifest) if (!others.some((other) => other.has(key))) sum += bytes
  return sum
}

/** Whether both hold the same entries. @category combinators */
export const equal = (a: Manifest, b: Manifest): boolean => a.size === b.size && alone(a, [b]) === 0
