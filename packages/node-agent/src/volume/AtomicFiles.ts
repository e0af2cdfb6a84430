/**
 * Files that change all at once, as programs in containers expect of ConfigMaps and Secrets: every name in the folder is a link through
 * `..data`, which is itself a link to the folder of the current version, and is replaced in one step.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import type * as PlatformError from "@effect/platform/Error"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { posix } from "node:path"
import type { Files } from "./VolumeContent.js"

const dataName = "..data"
const dataDraft = "..data_tmp"

type Work<A> = Effect.Effect<A, PlatformError.PlatformError, FileSystem.FileSystem>

/** Who the files belong to besides root. @category models */
export interface Ownership {
  /** Group of files and folders; the group may read the files. */
  readonly gid?: number | undefined
}

const two = (value: number): string => String(value).padStart(2, "0")

const versionName = Effect.map(Effect.all([Clock.currentTimeMillis, Random.nextIntBetween(0, 1_000_000_000)]), ([now, n]) => {
  const at = DateTime.toPartsUtc(DateTime.unsafeMake(now))
  return `..${at.year}_${two(at.month)}_${two(at.day)}_${two(at.hours)}_${two(at.minutes)}_${two(at.seconds)}.${n}`
})

const topOf = (path: string): string => path.split("/")[0] ?? path

/** Group members read what belongs to the group. */
const modeOf = (mode: number, { gid }: Ownership): number => gid === undefined ? mode : mode | 0o440

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0

/** Whether the version that is there has exactly these files. */
const isCurrent = (fs: FileSystem.FileSystem, folder: string, files: Files, ownership: Ownership): Work<boolean> =>
  Effect.gen(function*() {
    const version = yield* Effect.option(fs.readLink(`${folder}/${dataName}`))
    if (Option.isNone(version)) return false
    const root = `${folder}/${version.value}`
    const names = yield* Effect.orElseSucceed(fs.readDirectory(root, { recursive: true }), () => undefined)
    if (names === undefined) return false
    for (const [path, file] of files) {
      const info = yield* Effect.option(fs.stat(`${root}/${path}`))
      if (Option.isNone(info) || info.value.type !== "File" || (info.value.mode & 0o7777) !== modeOf(file.mode, ownership)) return false
      if (ownership.gid !== undefined && Option.getOrUndefined(info.value.gid) !== ownership.gid) return false
      if (!same(yield* fs.readFile(`${root}/${path}`), file.content)) return false
    }
    const folders = new Set([...files.keys()].flatMap((path) => {
      const parts = path.split("/").slice(0, -1)
      return parts.map((_, index) => parts.slice(0, index + 1).join("/"))
    }))
    return names.every((name) => files.has(name) || folders.has(name))
  })

const isLinkTo = (fs: FileSystem.FileSystem, path: string, target: string): Effect.Effect<boolean> =>
  fs.readLink(path).pipe(Effect.map((found) => found === target), Effect.orElseSucceed(() => false))

const isOurs = (name: string): boolean => name.startsWith("..")

/**
 * Makes the folder show exactly these files, and says whether anything changed. A reader sees the old version or the new one, also when the
 * agent is killed half-way; what such an end left is removed by the next write.
 *
 * @category constructors
 */
export const write = (folder: string, files: Files, ownership: Ownership = {}): Work<boolean> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const owned = (path: string) => ownership.gid === undefined ? Effect.void : fs.chown(path, 0, ownership.gid)
    // What is not there need not be looked at: at first that is everything.
    const before = new Set(yield* fs.readDirectory(folder))
    const changed = !before.has(dataName) || !(yield* isCurrent(fs, folder, files, ownership))
    const wanted = new Set([...files.keys()].map(topOf))
    let current: string | undefined
    if (changed) {
      const version = yield* versionName
      const root = `${folder}/${version}`
      const made = new Set<string>()
      const makeFolder = (path: string): Work<void> =>
        Effect.gen(function*() {
          if (made.has(path)) return
          made.add(path)
          if (path !== root && path.length > root.length) yield* makeFolder(posix.dirname(path))
          yield* fs.makeDirectory(path, { mode: 0o755 })
          yield* fs.chmod(path, 0o755)
          yield* owned(path)
        })
      yield* makeFolder(root)
      for (const [path, { content, mode }] of files) {
        yield* makeFolder(posix.dirname(`${root}/${path}`))
        yield* fs.writeFile(`${root}/${path}`, content, { flag: "wx", mode: 0o600 })
        yield* owned(`${root}/${path}`)
        yield* fs.chmod(`${root}/${path}`, modeOf(mode, ownership))
      }
      if (before.has(dataDraft)) yield* fs.remove(`${folder}/${dataDraft}`, { force: true })
      yield* fs.symlink(version, `${folder}/${dataDraft}`)
      yield* fs.rename(`${folder}/${dataDraft}`, `${folder}/${dataName}`)
      current = version
    } else current = yield* fs.readLink(`${folder}/${dataName}`)
    for (const name of wanted) {
      const target = `${dataName}/${name}`
      if (before.has(name)) {
        if (yield* isLinkTo(fs, `${folder}/${name}`, target)) continue
        yield* fs.remove(`${folder}/${name}`, { force: true, recursive: true })
      }
      yield* fs.symlink(target, `${folder}/${name}`)
    }
    for (const name of before) {
      // What was there of a draft has become the link.
      const stale = name === dataDraft ? !changed : isOurs(name) ? name !== dataName && name !== current : !wanted.has(name)
      if (stale) yield* fs.remove(`${folder}/${name}`, { force: true, recursive: true })
    }
    return changed
  })

/**
 * One file or folder of such a volume as a plain copy, which does not change any more. Gives its path; a path that the files do not have is
 * an empty folder.
 *
 * @category constructors
 */
export const copy = (target: string, files: Files, subPath: string, ownership: Ownership = {}): Work<void> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const place = (path: string, { content, mode }: { readonly content: Uint8Array; readonly mode: number }): Work<void> =>
      Effect.gen(function*() {
        yield* fs.makeDirectory(posix.dirname(path), { recursive: true, mode: 0o755 })
        // Written in place: what is mounted is the file itself, not its name.
        yield* fs.writeFile(path, content, { mode: 0o600 })
        if (ownership.gid !== undefined) yield* fs.chown(path, 0, ownership.gid)
        yield* fs.chmod(path, modeOf(mode, ownership))
      })
    const single = files.get(subPath)
    if (single !== undefined) yield* place(target, single)
    else yield* fs.makeDirectory(target, { recursive: true, mode: 0o755 })
    for (const [path, file] of files) {
      if (path.startsWith(`${subPath}/`)) yield* place(`${target}/${path.slice(subPath.length + 1)}`, file)
    }
  })
