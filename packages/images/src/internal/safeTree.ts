/**
 * Paths below a root as the programs in it would see them: a link leads somewhere in the root, never out of it.
 *
 * Paths are bytes in `latin1` strings, relative to the root, without leading or trailing slash; the root itself is `""`. Plain synchronous
 * functions: between a look at a folder and its use nothing else of this process can run.
 */
import * as Data from "effect/Data"
import * as fs from "node:fs"

/** The path leads out of the root, or cannot be followed. */
export class PathRefused extends Data.TaggedError("PathRefused")<{ readonly message: string }> {}

const linkLimit = 40
const cacheLimit = 4096

/** The parts of a name in an archive. Refused when one of them is `..`. */
export const partsOf = (name: string): ReadonlyArray<string> => {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".")
  if (parts.includes("..")) throw new PathRefused({ message: `${shown(name)} holds '..'` })
  return parts
}

/** A name for people: at most 200 characters, nothing that a terminal would obey. */
export const shown = (name: string): string =>
  JSON.stringify(Buffer.from(name.slice(0, 200), "latin1").toString("utf8"))

/** Joins a folder and a name below it. */
export const join = (folder: string, name: string): string => (folder === "" ? name : `${folder}/${name}`)

/** A folder and everything in it, seen from inside. */
export class SafeTree {
  private readonly prefix: string
  /** Where folders really are, by how they were named. */
  private readonly known = new Map<string, string>()

  /** `root`: real path of the folder. */
  constructor(root: string) {
    this.prefix = Buffer.from(root, "utf8").toString("latin1")
  }

  /** What to give to a system call. */
  at(path: string): Buffer {
    return Buffer.from(path === "" ? this.prefix : `${this.prefix}/${path}`, "latin1")
  }

  /** What is there, without following a link; nothing where nothing is. */
  stat(path: string): fs.Stats | undefined {
    return fs.lstatSync(this.at(path), { throwIfNoEntry: false })
  }

  names(path: string): ReadonlyArray<string> {
    return fs.readdirSync(this.at(path), { encoding: "latin1" })
  }

  /** To be called when a link was made or something was removed: folders may now be elsewhere. */
  forget(): void {
    this.known.clear()
  }

  /**
   * The folder that the parts name, links followed inside the root, `..` of a link's target stopping at the root as in a chroot. Missing
   * folders are made by `create`; without it they give `undefined`.
   */
  folder(parts: ReadonlyArray<string>, create?: (path: string) => void): string | undefined {
    const name = parts.join("/")
    const cached = this.known.get(name)
    if (cached !== undefined) return cached
    const at: Array<string> = []
    const pending = parts.toReversed()
    for (let links = 0, part = pending.pop(); part !== undefined; part = pending.pop()) {
      if (part === "" || part === ".") continue
      if (part === "..") {
        at.pop()
        continue
      }
      const path = [...at, part].join("/")
      const found = this.stat(path)
      if (found === undefined) {
        if (create === undefined) return undefined
        create(path)
      } else if (found.isSymbolicLink()) {
        links += 1
        if (links > linkLimit) throw new PathRefused({ message: `${shown(name)} follows more than ${linkLimit} links` })
        const target = fs.readlinkSync(this.at(path), { encoding: "latin1" })
        if (target.startsWith("/")) at.length = 0
        pending.push(...target.split("/").toReversed())
        continue
      } else if (!found.isDirectory()) {
        if (create === undefined) return undefined
        throw new PathRefused({ message: `${shown(name)} has a part that is not a folder` })
      }
      at.push(part)
    }
    const path = at.join("/")
    if (this.known.size >= cacheLimit) this.known.clear()
    this.known.set(name, path)
    return path
  }

  /** Removes a tree; links in it are removed, not followed. */
  remove(path: string): void {
    const found = this.stat(path)
    if (found === undefined) return
    this.forget()
    if (!found.isDirectory()) return fs.unlinkSync(this.at(path))
    for (const name of this.names(path)) this.remove(join(path, name))
    fs.rmdirSync(this.at(path))
  }
}
