/** Paths in the root of an image, as a process with that root would follow them. Reads links, opens nothing. */
import * as fs from "node:fs"
import { join } from "node:path"

/** As many as a kernel follows. */
const mostLinks = 20

/**
 * The path in the root without symbolic links, absolute; what is missing of it is taken as written. Undefined when its links go round.
 * Throws when a folder cannot be read.
 */
export const resolve = (root: string, wanted: string): string | undefined => {
  const todo = wanted.split("/").toReversed()
  const done: Array<string> = []
  let links = 0
  while (todo.length > 0) {
    const name = todo.pop() ?? ""
    if (name === "" || name === ".") continue
    if (name === "..") {
      done.pop()
      continue
    }
    done.push(name)
    const path = join(root, ...done)
    if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue
    links += 1
    if (links > mostLinks) return undefined
    const target = fs.readlinkSync(path)
    if (target.startsWith("/")) done.length = 0
    else done.pop()
    todo.push(...target.split("/").toReversed())
  }
  return `/${done.join("/")}`
}

/** Whether a path leads to a file that can be executed. */
export const isProgram = (root: string, wanted: string): boolean => {
  const path = resolve(root, wanted)
  const stat = path === undefined ? undefined : fs.statSync(join(root, path), { throwIfNoEntry: false })
  return stat?.isFile() === true && (stat.mode & 0o111) !== 0
}
