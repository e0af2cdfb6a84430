/** The query parameters of list and watch requests, and what they may be combined to. */
import { FieldError, Status } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import { isTrue } from "../RequestInfo.js"

/** How `resourceVersion` is meant. */
export type Match = "NotOlderThan" | "Exact"

/** Options of a list or watch request. */
export interface ListOptions {
  /** Undefined: not given. 0: any state. */
  readonly resourceVersion: number | undefined
  readonly match: Match | undefined
  /** 0: no limit. */
  readonly limit: number
  readonly continue: string | undefined
  readonly timeoutSeconds: number | undefined
  readonly allowBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
}

const none: ListOptions = {
  resourceVersion: undefined,
  match: undefined,
  limit: 0,
  continue: undefined,
  timeoutSeconds: undefined,
  allowBookmarks: false,
  sendInitialEvents: undefined
}

const listOptionsKind = { group: "meta.k8s.io", kind: "ListOptions" }

const invalid = (error: FieldError.FieldError) => Either.left(Status.invalid(listOptionsKind, "", [error]))

/** Reads a resource version; undefined when it is not given. */
export const parseRevision = (text: string | null): Either.Either<number | undefined, Status.Status> => {
  if (text === null || text === "") return Either.right(undefined)
  if (/^\d{1,19}$/.test(text)) return Either.right(Number(text))
  return Either.left(
    Status.badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${
        JSON.stringify(text)
      }: invalid syntax`
    )
  )
}

const parseInteger = (query: URLSearchParams, name: string): Either.Either<number | undefined, Status.Status> => {
  const text = query.get(name)
  if (text === null || text === "") return Either.right(undefined)
  if (/^-?\d{1,18}$/.test(text)) return Either.right(Number(text))
  return Either.left(
    Status.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  )
}

const parseMatch = (text: string | null): Either.Either<Match | undefined, Status.Status> => {
  if (text === null || text === "") return Either.right(undefined)
  if (text === "NotOlderThan" || text === "Exact") return Either.right(text)
  return invalid(FieldError.notSupported("resourceVersionMatch", text, ["Exact", "NotOlderThan", ""]))
}

const checkList = (options: ListOptions, given: string | null): Either.Either<ListOptions, Status.Status> => {
  const { match } = options
  if (options.sendInitialEvents !== undefined) {
    return invalid(FieldError.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
  }
  if (options.continue !== undefined) {
    if (match !== undefined) {
      return invalid(FieldError.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"))
    }
    if (given !== null && given !== "" && given !== "0") {
      return Either.left(Status.badRequest("specifying resource version is not allowed when using continue"))
    }
  }
  if (match === undefined) return Either.right(options)
  if (options.resourceVersion === undefined) {
    return invalid(
      FieldError.forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
    )
  }
  return match === "Exact" && options.resourceVersion === 0
    ? invalid(
      FieldError.forbidden("resourceVersionMatch", `resourceVersionMatch "exact" is forbidden for resourceVersion "0"`)
    )
    : Either.right(options)
}

const checkWatch = (options: ListOptions): Either.Either<ListOptions, Status.Status> => {
  const { match, sendInitialEvents } = options
  if (sendInitialEvents === undefined) {
    return match === undefined ? Either.right(options) : invalid(FieldError.forbidden(
      "resourceVersionMatch",
      "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    ))
  }
  return match === "NotOlderThan" ? Either.right(options) : invalid(FieldError.forbidden(
    "resourceVersionMatch",
    "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
  ))
}

/** Reads the options of a request; the failure is the Status to answer. */
export const parse = (query: URLSearchParams, watch: boolean): Either.Either<ListOptions, Status.Status> =>
  query.size === 0 ? Either.right(none) : Either.gen(function*() {
    const revisionText = query.get("resourceVersion")
    const initial = query.get("sendInitialEvents")
    const timeoutSeconds = yield* parseInteger(query, "timeoutSeconds")
    const token = query.get("continue")
    const options: ListOptions = {
      resourceVersion: yield* parseRevision(revisionText),
      match: yield* parseMatch(query.get("resourceVersionMatch")),
      limit: Math.max(0, (yield* parseInteger(query, "limit")) ?? 0),
      continue: token === null || token === "" ? undefined : token,
      timeoutSeconds: timeoutSeconds === undefined || timeoutSeconds <= 0 ? undefined : timeoutSeconds,
      allowBookmarks: isTrue(query.get("allowWatchBookmarks")),
      sendInitialEvents: initial === null || initial === "" ? undefined : isTrue(initial)
    }
    return yield* watch ? checkWatch(options) : checkList(options, revisionText)
  })
