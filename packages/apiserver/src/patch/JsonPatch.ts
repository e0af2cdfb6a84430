/** JSON patch (RFC 6902). */
import * as Either from "effect/Either"
import { equals, isArray, isObject } from "../internal/jsonValue.js"

/** Most operations in one patch. @category models */
export const maxOperations = 10_000

// Copies can double a document with each operation; this bounds what they may add, in characters of JSON.
const maxCopied = 3 * 1024 * 1024

/**
 * Why a patch cannot be applied. `Malformed`: it is not a JSON patch. `Failed`: an operation does not fit the document (a
 * missing path, a failed test).
 *
 * @category errors
 */
export interface JsonPatchFailure {
  readonly reason: "Malformed" | "Failed"
  readonly message: string
}

/** One operation. @category models */
export interface Operation {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test"
  readonly path: ReadonlyArray<string>
  readonly from: ReadonlyArray<string> | undefined
  readonly value: unknown
}

type Container = Record<string, unknown> | Array<unknown>

const malformed = (message: string) => Either.left<JsonPatchFailure>({ reason: "Malformed", message })
const failed = (message: string) => Either.left<JsonPatchFailure>({ reason: "Failed", message })

const operations = new Set(["add", "remove", "replace", "move", "copy", "test"])
const isOperation = (value: unknown): value is Operation["op"] => typeof value === "string" && operations.has(value)

const pointer = (value: unknown): ReadonlyArray<string> | undefined => {
  if (typeof value !== "string") return undefined
  if (value === "") return []
  if (!value.startsWith("/")) return undefined
  return value.slice(1).split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
}

const goType = (value: unknown): string => {
  if (isObject(value)) return "object"
  return typeof value === "boolean" ? "bool" : typeof value
}

/** Reads a patch document. @category constructors */
export const parse = (patch: unknown): Either.Either<ReadonlyArray<Operation>, JsonPatchFailure> => {
  if (!isArray(patch)) {
    return malformed(`json: cannot unmarshal ${goType(patch)} into Go value of type []handlers.jsonPatchOp`)
  }
  const parsed: Array<Operation> = []
  for (const entry of patch) {
    if (!isObject(entry)) return malformed(`json: cannot unmarshal ${goType(entry)} into Go value of type handlers.jsonPatchOp`)
    const path = pointer(entry["path"])
    const from = entry["from"] === undefined ? undefined : pointer(entry["from"])
    const op = entry["op"]
    if (!isOperation(op)) return failed(`unexpected operation ${JSON.stringify(op)}`)
    if (path === undefined) return failed(`operation ${op} needs a path that is a JSON pointer`)
    if ((op === "move" || op === "copy") && from === undefined) return failed(`operation ${op} needs from`)
    if ((op === "add" || op === "replace" || op === "test") && !Object.hasOwn(entry, "value")) {
      return failed(`operation ${op} needs a value`)
    }
    parsed.push({ op, path, from, value: entry["value"] })
  }
  return Either.right(parsed)
}

const clone = (value: unknown): unknown => value === undefined ? undefined : JSON.parse(JSON.stringify(value))

const isContainer = (value: unknown): value is Container => typeof value === "object" && value !== null

const index = (list: ReadonlyArray<unknown>, token: string, forAdd: boolean): number | undefined => {
  if (forAdd && token === "-") return list.length
  if (!/^(0|[1-9]\d{0,8})$/.test(token)) return undefined
  const at = Number(token)
  return at < list.length + (forAdd ? 1 : 0) ? at : undefined
}

// Assignment would turn a "__proto__" key into the object's prototype.
const setProperty = (object: Record<string, unknown>, key: string, value: unknown): void => {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

const child = (parent: unknown, token: string): unknown => {
  if (isArray(parent)) {
    const at = index(parent, token, false)
    return at === undefined ? undefined : parent[at]
  }
  return isObject(parent) && Object.hasOwn(parent, token) ? parent[token] : undefined
}

/** The document while operations change it in place; the root stands in a holder so that it can be replaced too. */
class Document {
  private readonly holder: { root: unknown }
  private copied = 0

  constructor(root: unknown) {
    this.holder = { root }
  }

  get root(): unknown {
    return this.holder.root
  }

  read(path: ReadonlyArray<string>): unknown {
    let value = this.holder.root
    for (const token of path) value = child(value, token)
    return value
  }

  /** Undefined when it worked, else what is wrong. */
  add(path: ReadonlyArray<string>, value: unknown): string | undefined {
    const last = path.at(-1)
    if (last === undefined) {
      this.holder.root = value
      return undefined
    }
    const parent = this.read(path.slice(0, -1))
    if (!isContainer(parent)) return `add: /${path.join("/")} has no parent`
    if (!Array.isArray(parent)) {
      setProperty(parent, last, value)
      return undefined
    }
    const at = index(parent, last, true)
    if (at === undefined) return `add: ${last} is not a place in the list`
    parent.splice(at, 0, value)
    return undefined
  }

  replace(path: ReadonlyArray<string>, value: unknown): string | undefined {
    const last = path.at(-1)
    if (last === undefined) return this.add(path, value)
    const parent = this.read(path.slice(0, -1))
    if (child(parent, last) === undefined || !isContainer(parent)) return `replace: /${path.join("/")} does not exist`
    if (Array.isArray(parent)) parent[Number(last)] = value
    else setProperty(parent, last, value)
    return undefined
  }

  remove(path: ReadonlyArray<string>): string | undefined {
    const last = path.at(-1)
    const parent = last === undefined ? undefined : this.read(path.slice(0, -1))
    if (last === undefined || !isContainer(parent) || child(parent, last) === undefined) {
      return `remove: /${path.join("/")} does not exist`
    }
    if (Array.isArray(parent)) parent.splice(Number(last), 1)
    else delete parent[last]
    return undefined
  }

  copy(from: ReadonlyArray<string>, path: ReadonlyArray<string>): string | undefined {
    const value = this.read(from)
    if (value === undefined) return `copy: /${from.join("/")} does not exist`
    const text = JSON.stringify(value)
    this.copied += text.length
    return this.copied > maxCopied ? `copy: the copies exceed ${maxCopied} characters` : this.add(path, JSON.parse(text))
  }

  move(from: ReadonlyArray<string>, path: ReadonlyArray<string>): string | undefined {
    const value = this.read(from)
    if (value === undefined) return `move: /${from.join("/")} does not exist`
    if (path.length > from.length && from.every((token, i) => token === path[i])) return "move: into itself"
    return this.remove(from) ?? this.add(path, value)
  }

  apply({ from, op, path, value }: Operation): string | undefined {
    switch (op) {
      case "add":
        return this.add(path, clone(value))
      case "replace":
        return this.replace(path, clone(value))
      case "remove":
        return this.remove(path)
      case "copy":
        return this.copy(from ?? [], path)
      case "move":
        return this.move(from ?? [], path)
      case "test":
        break
    }
    // Go's library takes a missing value and null for the same.
    return equals(this.read(path) ?? null, value ?? null) ? undefined : `test: /${path.join("/")} has another value`
  }
}

/** The target with all operations applied, or the first failure. The target is not modified. @category combinators */
export const apply = (
  target: unknown,
  patch: ReadonlyArray<Operation>
): Either.Either<unknown, JsonPatchFailure> => {
  const document = new Document(clone(target))
  for (const operation of patch) {
    const problem = document.apply(operation)
    if (problem !== undefined) return failed(problem)
  }
  return Either.right(document.root)
}
