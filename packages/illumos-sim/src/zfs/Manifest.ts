/**
 * What a folder holds, entry by entry, with the bytes of each. Two entries are the same data when path, size and time of change agree:
 * copies keep their times. So the space that snapshots and clones share can be told apart from what is theirs alone.
 */
import * as fs from "node:fs"

/** Bytes by entry; the key says what the entry is. @category models */
export type Manifest = ReadonlyMap<string, number>

/** Entries that are counted at most in one folder: a bound for the time a listing may take. */
const maxEntries = 20_000

const empty: Manifest = new Map()

/** What everything but a file takes. */
const folderBytes = 512

/** Files with holes take less than their size; where small ones are kept with their names, they have no blocks. */
const fileBytes = ({ blocks, size }: fs.Stats): number => Math.max(512, size <= 8192 ? size : Math.min(size, blocks * 512))

/** Something in a folder. */
interface Entry {
  readonly path: string
  readonly isDirectory: boolean
}

/** The entries of a folder as they were read, and what tells that none came or went since. */
interface Listing {
  readonly ino: number
  readonly changed: number
  readonly entries: ReadonlyArray<Entry>
}

/**
 * What folders held when they were read last: a host with many zones has thousands of folders that hardly ever change, and their files are
 * asked for their sizes each time in any case. Bounded, the oldest go first.
 */
const listings = new Map<string, Listing>()
const maxListings = 20_000

/** A folder that changed just now may change again within the same tick of the file system's clock, so it is not remembered yet. */
const tickMillis = 1000

const remember = (folder: string, stat: fs.Stats, entries: ReadonlyArray<Entry>): void => {
  listings.delete(folder)
  // The clock of the machine, as that of the file system: the one of the simulated host may stand still.
  if (performance.timeOrigin + performance.now() - stat.ctimeMs < tickMillis) return
  listings.set(folder, { ino: stat.ino, changed: stat.ctimeMs, entries })
  for (const oldest of listings.keys()) {
    if (listings.size <= maxListings) break
    listings.delete(oldest)
  }
}

/** Entries with their kinds, so that folders need not be asked one by one; none when the folder went meanwhile. */
const entriesOf = (folder: string): ReadonlyArray<Entry> => {
  const stat = fs.lstatSync(folder, { throwIfNoEntry: false })
  if (stat === undefined) return []
  const before = listings.get(folder)
  if (before?.ino === stat.ino && before.changed === stat.ctimeMs) return before.entries
  try {
    const entries = fs.readdirSync(folder, { withFileTypes: true }).map((entry) => ({ path: `${folder}/${entry.name}`, isDirectory: entry.isDirectory() }))
    // The time is from before the look: what came in between is seen the next time at the latest.
    remember(folder, stat, entries)
    return entries
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw error
  }
}

/** What is told of each entry of a folder. */
interface Visitor {
  readonly folder: (path: string) => void
  readonly file: (path: string, stat: fs.Stats) => void
}

/** Goes through a folder, or a single file. Folders in `skip` belong to other datasets. */
const visit = (folder: string, skip: ReadonlySet<string>, visitor: Visitor): void => {
  let left = maxEntries
  const file = (at: string): void => {
    const stat = fs.lstatSync(at, { throwIfNoEntry: false })
    if (stat === undefined) return
    left -= 1
    visitor.file(at, stat)
  }
  const top = fs.lstatSync(folder, { throwIfNoEntry: false })
  if (top?.isDirectory() === false) file(folder)
  const pending = top?.isDirectory() === true ? [folder] : []
  for (let next = pending.pop(); next !== undefined && left > 0; next = pending.pop()) {
    if (next !== folder) {
      left -= 1
      visitor.folder(next)
    }
    for (const { isDirectory, path } of entriesOf(next)) {
      if (skip.has(path)) continue
      if (isDirectory) pending.push(path)
      else file(path)
    }
  }
}

const entryBytes = (stat: fs.Stats): number => stat.isFile() ? fileBytes(stat) : folderBytes

/** Counts a folder, or a single file. Folders in `skip` belong to other datasets. @category constructors */
export const read = (folder: string, skip: ReadonlySet<string>): Manifest => {
  const found = new Map<string, number>()
  visit(folder, skip, {
    folder: (path) => void found.set(`${path.slice(folder.length)}/`, folderBytes),
    file: (path, stat) => void found.set(`${path.slice(folder.length)} ${stat.size} ${Math.round(stat.mtimeMs)}`, entryBytes(stat))
  })
  return found
}

/** All bytes of a folder, without an account of what they are: for what shares none of them with others. @category constructors */
export const bytes = (folder: string, skip: ReadonlySet<string>): number => {
  let sum = 0
  visit(folder, skip, {
    folder: () => void (sum += folderBytes),
    file: (_, stat) => void (sum += entryBytes(stat))
  })
  return sum
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
