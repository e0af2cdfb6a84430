/**
 * The form of a send stream of the simulated ZFS: lines of ASCII text, so that it survives pipes, files and standard input alike. A
 * stream is one or more sections; a section is a header, one line for each entry that changed, and an end line that counts them.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as path from "node:path"

const text = Schema.String
const textRecord = Schema.Record({ key: text, value: text })

/** What a section is about. @category schemas */
export const Header = Schema.Struct({
  magic: Schema.Literal("reddwarf-zfs-stream-1"),
  type: Schema.Literal("filesystem", "volume"),
  /** The snapshot that was sent, with its guid. */
  name: text,
  guid: text,
  creation: Schema.Number,
  /** Guid of the snapshot the section starts from; absent for a full one. */
  from: Schema.optional(text),
  /** With `-R`: the path below the dataset that was sent, empty for itself. */
  below: Schema.optional(text),
  /** With `-R`: guid of the origin of a clone, which an earlier section has brought. */
  origin: Schema.optional(text),
  /** With `-p` or `-R`: properties set on the dataset, and user properties of the snapshot. */
  properties: Schema.optional(textRecord),
  snapshotProperties: Schema.optional(textRecord),
  volume: Schema.optional(Schema.Struct({ volsize: text, volblocksize: text })),
  /** The rest of a stream that was cut after so many characters. */
  resumes: Schema.optional(Schema.Number)
})
/** @category models */
export type Header = typeof Header.Type

const Entry = Schema.Struct({
  /** Path below the root of the dataset, empty for the root itself. */
  path: text,
  kind: Schema.Literal("file", "folder", "link", "gone"),
  mode: Schema.Number,
  uid: Schema.Number,
  gid: Schema.Number,
  /** Milliseconds since the epoch. */
  changed: Schema.Number,
  /** Base64 of a file, target of a link. */
  data: Schema.optional(text)
})
/** Something that is to be made, changed or removed. @category models */
export type Entry = typeof Entry.Type

const End = Schema.Struct({ end: Schema.Number })

/** A complete section. @category models */
export interface Section {
  readonly header: Header
  readonly entries: ReadonlyArray<Entry>
}

/** Shortest thing that can be a stream: a header is filled up to this, as the records of ZFS have one length. @category models */
export const recordLength = 312

const headerLine = (header: Header): string => JSON.stringify(header).padEnd(recordLength - 1)

/** The text of a section. @category constructors */
export const render = ({ entries, header }: Section): string =>
  [headerLine(header), ...entries.map((entry) => JSON.stringify(entry)), JSON.stringify({ end: entries.length }), ""].join("\n")

/** The text of a header that says where the rest of a cut stream begins. @category constructors */
export const renderResume = (header: Header, characters: number): string => `${headerLine({ ...header, resumes: characters })}\n`

const decode = <A, I>(schema: Schema.Schema<A, I>) => {
  const is = Schema.is(schema)
  return (line: string): A | undefined => {
    const value: unknown = Option.getOrUndefined(Option.liftThrowable((json: string): unknown => JSON.parse(json))(line))
    return is(value) ? value : undefined
  }
}

const header = decode(Header)
const entry = decode(Entry)
const end = decode(End)

/** What was read: complete sections, and the header of one that was cut. @category models */
export interface Parsed {
  readonly sections: ReadonlyArray<Section>
  readonly cut?: Header
  /** Nothing readable at all: too short, or not a stream. */
  readonly bad?: "short" | "magic"
}

/** Reads a stream. @category constructors */
export const parse = (stream: string): Parsed => {
  if (stream.length < recordLength) return { sections: [], bad: "short" }
  const sections: Array<Section> = []
  let current: Header | undefined
  let entries: Array<Entry> = []
  for (const line of stream.split("\n")) {
    if (current === undefined) {
      if (line === "") continue
      current = header(line)
      if (current === undefined) return sections.length === 0 ? { sections, bad: "magic" } : { sections }
      entries = []
      continue
    }
    const last = end(line)
    if (last !== undefined) {
      if (last.end !== entries.length) return { sections, cut: current }
      sections.push({ header: current, entries })
      current = undefined
      continue
    }
    const found = entry(line)
    if (found === undefined) return { sections, cut: current }
    entries.push(found)
  }
  return current === undefined ? { sections } : { sections, cut: current }
}

const describe = (folder: string, name: string): Entry | undefined => {
  const target = path.join(folder, name)
  const stat = fs.lstatSync(target)
  const common = { path: name, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, changed: Math.round(stat.mtimeMs) }
  if (stat.isDirectory()) return { ...common, kind: "folder" }
  if (stat.isSymbolicLink()) return { ...common, kind: "link", data: fs.readlinkSync(target) }
  return stat.isFile() ? { ...common, kind: "file", data: fs.readFileSync(target).toString("base64") } : undefined
}

/** Everything in a folder, itself first, parents before what they hold. @category combinators */
export const namesIn = (folder: string): ReadonlyArray<string> => {
  if (!fs.existsSync(folder)) return []
  const names = [""]
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? ""
    if (fs.lstatSync(path.join(folder, name)).isDirectory()) {
      for (const child of fs.readdirSync(path.join(folder, name)).sort()) names.push(path.join(name, child))
    }
  }
  return names
}

const same = (a: fs.Stats, b: fs.Stats | undefined): boolean =>
  b !== undefined && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && Math.round(a.mtimeMs) === Math.round(b.mtimeMs) && (a.isDirectory() || a.size === b.size)

/** What must happen to `before` so that it becomes `after`; everything in `after` when there is no `before`. @category constructors */
export const difference = (before: string | undefined, after: string): ReadonlyArray<Entry> => {
  const names = namesIn(after)
  const kept = new Set(names)
  const gone = before === undefined ? [] : namesIn(before).filter((name) => !kept.has(name)).toReversed()
  return [
    ...gone.map((name): Entry => ({ path: name, kind: "gone", mode: 0, uid: 0, gid: 0, changed: 0 })),
    ...names.flatMap((name) => {
      const old = before === undefined ? undefined : fs.lstatSync(path.join(before, name), { throwIfNoEntry: false })
      return same(fs.lstatSync(path.join(after, name)), old) ? [] : describe(after, name) ?? []
    })
  ]
}

const root = process.getuid?.() === 0

const put = (target: string, item: Entry): void => {
  const there = fs.lstatSync(target, { throwIfNoEntry: false })
  if (there !== undefined && !(item.kind === "folder" && there.isDirectory())) fs.rmSync(target, { recursive: true, force: true })
  if (item.kind === "folder") fs.mkdirSync(target, { recursive: true })
  else if (item.kind === "link") fs.symlinkSync(item.data ?? "", target)
  else fs.writeFileSync(target, Buffer.from(item.data ?? "", "base64"))
  if (root) fs.lchownSync(target, item.uid, item.gid)
  if (item.kind !== "link") fs.chmodSync(target, item.mode)
}

/** Changes a folder as the entries say. Entries that lead out of it are refused. @category combinators */
export const apply = (entries: ReadonlyArray<Entry>, folder: string): boolean => {
  const outside = (name: string) => path.isAbsolute(name) || name.split("/").includes("..")
  if (entries.some((item) => outside(item.path))) return false
  for (const item of entries) {
    const target = path.join(folder, item.path)
    if (item.kind === "gone") fs.rmSync(target, { recursive: true, force: true })
    else put(target, item)
  }
  // Times last and from the leaves up: making an entry changes the time of its folder.
  for (const item of entries.toReversed()) {
    if (item.kind === "gone") continue
    const target = path.join(folder, item.path)
    const set = item.kind === "link" ? fs.lutimesSync : fs.utimesSync
    set(target, item.changed / 1000, item.changed / 1000)
  }
  return true
}
