/**
 * A lock between processes: a file made by link(2), so it appears with its content or not at all. The content names the
 * owner; the lock of an owner that died is taken away. Plain synchronous functions, called from `StateFile` only.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import { randomUUID } from "node:crypto"
import { ProcessIdentity } from "../HostState.js"
import { identify, isAlive } from "./processTable.js"

const Owner = Schema.parseJson(Schema.Struct({ owner: ProcessIdentity, token: Schema.String }))
const decode = Schema.decodeUnknownOption(Owner)
const encode = Schema.encodeSync(Owner)

let self: ProcessIdentity | undefined

/** Identity of this process. */
export const currentProcess = (): ProcessIdentity => {
  self = self?.pid === process.pid ? self : identify(process.pid)
  return self
}

const readText = (path: string): string | undefined => {
  try {
    return fs.readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

const isStale = (content: string): boolean =>
  Option.match(decode(content), { onNone: () => true, onSome: ({ owner }) => !isAlive(owner) })

const create = (path: string, token: string): boolean => {
  const temporary = `${path}.${token}`
  fs.writeFileSync(temporary, encode({ owner: currentProcess(), token }), { flag: "wx", mode: 0o600 })
  try {
    fs.linkSync(temporary, path)
    return true
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false
    throw error
  } finally {
    fs.unlinkSync(temporary)
  }
}

/** Whether the lock is held under `token`. */
export const holds = (path: string, token: string): boolean => {
  const content = readText(path)
  return content !== undefined && Option.exists(decode(content), (owner) => owner.token === token)
}

const remove = (path: string): void => fs.rmSync(path, { force: true })

/**
 * Only the holder of the second lock may remove a stale first one, and it looks again before: else two processes that saw
 * the same dead owner could remove each other's fresh locks.
 */
const breakStale = (path: string): void => {
  const guard = `${path}.break`
  const token = randomUUID()
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
  const token = randomUUID()
  if (create(path, token)) return token
  const content = readText(path)
  if (content !== undefined && isStale(content)) breakStale(path)
  return undefined
}

/** Gives the lock back. */
export const release = (path: string, token: string): void => {
  if (holds(path, token)) remove(path)
}
