/**
 * Where the server of a host is found: a folder with mode 0700 that holds a socket with mode 0600. Only such ones are used, as whoever could
 * put another one there would be told all commands. Plain synchronous functions.
 */
import { OwnPath } from "@reddwarf/runtime-illumos"
import * as fs from "node:fs"
import * as path from "node:path"

/** The files of the server of one host. */
export interface ServerPlace {
  readonly folder: string
  readonly socket: string
  readonly lock: string
  readonly log: string
}

/** The server of the host in this directory. */
export const of = (directory: string): ServerPlace => {
  const folder = path.join(path.resolve(directory), "server")
  return { folder, socket: path.join(folder, "commands"), lock: path.join(folder, "lock"), log: path.join(folder, "server.log") }
}

/** The address of a socket has little room in the kernel, and while it is made its name is longer by four bytes. */
const longestSocket = (process.platform === "linux" ? 107 : 103) - 4

const checkOwn = (name: string, kind: "folder" | "socket"): void => {
  const problem = OwnPath.problemOf(name, kind)
  if (problem !== undefined) throw new Error(problem)
}

/** Makes the folder where it is missing; throws where it cannot be used. */
export const prepare = ({ folder, socket }: ServerPlace): void => {
  if (Buffer.byteLength(socket) > longestSocket) throw new Error(`the path ${socket} is too long for a socket: at most ${longestSocket} bytes`)
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  checkOwn(folder, "folder")
}

/** Whether there is a socket; throws when it is one that others could have put there. */
export const isThere = ({ folder, socket }: ServerPlace): boolean => {
  if (fs.lstatSync(socket, { throwIfNoEntry: false }) === undefined) return false
  checkOwn(folder, "folder")
  checkOwn(socket, "socket")
  return true
}
