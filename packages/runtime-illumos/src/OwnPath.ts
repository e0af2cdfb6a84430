/** Folders and sockets that only one's own user can use. Whoever could put another one in their place could be asked for commands and secrets. */
import { lstatSync } from "node:fs"

/**
 * Why the folder or socket at `path` is not one's own alone, for people; undefined when it is. A symbolic link is neither. Throws what the
 * system says where nothing is there. Plain code: it is asked in the same step as what is done with the path.
 *
 * @category combinators
 */
export const problemOf = (path: string, kind: "folder" | "socket"): string | undefined => {
  const found = lstatSync(path)
  if (kind === "folder" ? !found.isDirectory() : !found.isSocket()) return `${path} is not used: it is no ${kind}`
  if (found.uid !== process.getuid?.()) return `${path} is not used: it belongs to user ${found.uid}`
  return (found.mode & 0o077) === 0 ? undefined : `${path} is not used: others may use it (mode ${(found.mode & 0o777).toString(8)})`
}
