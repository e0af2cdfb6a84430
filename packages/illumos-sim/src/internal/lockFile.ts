/**
 * A lock between processes: a symbolic link that leads nowhere. One system call makes it, with its content or not at all, and fails when there
 * is one. The content names the owner; the lock of an owner that died is taken away. Plain synchronous functions, called from `StateFile` only.
 */
import * as fs from "node:fs"
import { randomBytes } from "node:crypto"
import type { ProcessIdentity } from "../HostState.js"
import { identify, isAlive } from "./processTable.js"

/** Short, so that file systems keep it in the inode of the link and need no block for it. */
const encode = ({ pid, start }: ProcessIdentity, token: string): string => `${pid} ${start ?? "-"} ${token}`

const decode = (content: string): { readonly owner: ProcessIdentity; readonly token: string } | undefined => {
  const [, pid, start, token] = /^(\d+) (\S+) (\S+)$/.exec(content) ?? []
  if (pid === undefined || start === undefined || token === undefined) return undefined
  return { owner: { pid: Number(pid), ...(start === "-" ? {} : { start }) }, token }
}

const newToken = (): string => randomBytes(9).toString("base64url")

let self: ProcessIdentity | undefined

/** Identity of this process. */
export const currentProcess = (): ProcessIdentity => {
  self = self?.pid === process.pid ? self : identify(process.pid)
  return self
}

const codeOf = (error: unknown): unknown => error instanceof Error && "code" in error ? error.code : undefined

const readText = (path: string): string | undefined => {
  try {
    return fs.readlinkSync(path)
  } catch (error) {
    // Whatever else is in the way names no owner that lives.
    return codeOf(error) === "ENOENT" ? undefined : ""
  }
}

const isStale = (content: string): boolean => {
  const holder = decode(content)
  return holder === undefined || !isAlive(holder.owner)
}

const create = (path: string, token: string): boolean => {
  try {
    fs.symlinkSync(encode(currentProcess(), token), path)
    return true
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false
    throw error
  }
}

/** Whether the lock is held under `token`. */
export const holds = (path: string, token: string): boolean => {
  const content = readText(path)
  return content !== undefined && decode(content)?.token === token
}

const remove = (path: string): void => {
  try {
    fs.unlinkSync(path)
  } catch (error) {
    // Taken away already.
    if (codeOf(error) !== "ENOENT") throw error
  }
}

/**
 * Only the holder of the second lock may remove a stale first one, and it looks again before: else two processes that saw
 * the same dead owner could remove each other's fresh locks.
 */
const breakStale = (path: string): void => {
  const guard = `${path}.break`
  const token = newToken()
  if (!create(guard, token)) {
    const content = readText(guard)
    if (content !== undefined && isStale(content)) remove(guard)
    return
  }
  try {
    const content = readText(path)
    if (content !== undefined && isStale(content)) remove(path)
  } finally {
    remove(guard)
  }
}

/** Takes the lock if it is free or its owner died; gives the token, or `undefined` when somebody else holds it. */
export const tryAcquire = (path: string): string | undefined => {
  const token = newToken()
  if (create(path, token)) return token
  const content = readText(path)
  if (content !== undefined && isStale(content)) breakStale(path)
  return undefined
}

/** Gives the lock back. */
export const release = (path: string, token: string): void => {
  if (holds(path, token)) remove(path)
}
