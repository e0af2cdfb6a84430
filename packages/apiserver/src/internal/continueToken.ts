/** Continue tokens: where the next page of a list begins, in the form that Kubernetes' own servers use. */
import { Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { get } from "./jsonValue.js"

/** The place a list was cut at. */
export interface Position {
  /** Revision of all pages; undefined when the rest is to be read from the current state. */
  readonly revision: number | undefined
  /** Key of the last object of the page before, without the prefix of the kind. */
  readonly after: string
}

/** The opaque text of a position. */
export const encode = ({ after, revision }: Position): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision ?? -1, start: `${after}\0` })).toString("base64url")

const invalid = (why: string) => Either.left(Status.badRequest(`invalid continue token: continue key is not valid: ${why}`))

/** Reads a token that a client sent back. */
export const decode = (token: string): Either.Either<Position, Status.Status> => {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(token, "base64url").toString("utf8"))
  } catch {
    return invalid("it is not a token of this server")
  }
  const revision = get(value, "rv")
  const start = get(value, "start")
  if (get(value, "v") !== "meta.k8s.io/v1") return invalid("server does not recognize this encoded version")
  if (typeof revision !== "number" || !Number.isSafeInteger(revision) || revision === 0) {
    return invalid("incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
  }
  if (typeof start !== "string" || start === "" || start.length > 1024 || start.startsWith("/") || start.includes("..")) {
    return invalid("encoded start key empty (version meta.k8s.io/v1)")
  }
  return Either.right({ revision: revision < 0 ? undefined : revision, after: start.replace(/\0$/, "") })
}
