/** Options of a delete, from its body and its query. */
import { FieldError, Status } from "@reddwarf/api-types"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Request from "../ApiRequest.js"
import { isTrue } from "../RequestInfo.js"
import type { ResourceRequest } from "./apiContext.js"
import * as body from "./body.js"
import { get, isArray, isObject } from "./jsonValue.js"
import * as writeOptions from "./writeOptions.js"

/** How an object is to be deleted. */
export interface DeleteOptions {
  readonly dryRun: boolean
  /** Undefined: what the object asks for. */
  readonly gracePeriodSeconds: number | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  /** What happens to dependents; undefined: the default of the kind. */
  readonly propagation: "Background" | "Foreground" | "Orphan" | undefined
}

const invalid = (error: FieldError.FieldError) =>
  Either.left(Status.invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", [error]))

const propagationOf = (value: unknown, orphan: unknown): Either.Either<DeleteOptions["propagation"], Status.Status> => {
  if (value === undefined || value === null || value === "") {
    return Either.right(orphan === true ? "Orphan" : orphan === false ? "Background" : undefined)
  }
  if (orphan !== undefined && orphan !== null) {
    return invalid(
      FieldError.invalid("propagationPolicy", value, "orphanDependents and deletionPropagation cannot be both set")
    )
  }
  return value === "Background" || value === "Foreground" || value === "Orphan"
    ? Either.right(value)
    : invalid(FieldError.notSupported("propagationPolicy", value, ["Foreground", "Background", "Orphan", "nil"]))
}

const graceOf = (value: unknown): Either.Either<number | undefined, Status.Status> => {
  if (value === undefined || value === null) return Either.right(undefined)
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    return Either.left(
      Status.badRequest(
        `json: cannot unmarshal ${typeof value} into Go struct field DeleteOptions.gracePeriodSeconds of type int64`
      )
    )
  }
  // Kubernetes takes a negative grace for the shortest one that still lets the object end by itself.
  return Either.right(value < 0 ? 1 : value)
}

const textOf = (value: unknown): string | undefined => typeof value === "string" && value !== "" ? value : undefined

const fromQuery = (query: URLSearchParams): Record<string, unknown> => {
  const seconds = query.get("gracePeriodSeconds")
  const orphan = query.get("orphanDependents")
  const values: Record<string, unknown> = {}
  if (seconds !== null && seconds !== "") values["gracePeriodSeconds"] = /^-?\d{1,15}$/.test(seconds) ? Number(seconds) : seconds
  if (orphan !== null && orphan !== "") values["orphanDependents"] = isTrue(orphan)
  if (query.has("propagationPolicy")) values["propagationPolicy"] = query.get("propagationPolicy")
  return values
}

const optionKinds = new Set<unknown>(["DeleteOptions", "", undefined])

/** Reads options from a parsed DeleteOptions object. */
export const fromValue = (value: unknown, query: URLSearchParams): Either.Either<DeleteOptions, Status.Status> =>
  Either.gen(function*() {
    if (!isObject(value) || !optionKinds.has(get(value, "kind"))) {
      return yield* Either.left(Status.badRequest("the body of a delete request must be a DeleteOptions object"))
    }
    const dryRun = get(value, "dryRun")
    const given = isArray(dryRun) ? dryRun.map(String) : []
    const fromUrl = yield* writeOptions.parse(query, "DeleteOptions")
    const preconditions = get(value, "preconditions")
    return {
      dryRun: (yield* writeOptions.dryRunOf(given)) || fromUrl.dryRun,
      gracePeriodSeconds: yield* graceOf(get(value, "gracePeriodSeconds")),
      uid: textOf(get(preconditions, "uid")),
      resourceVersion: textOf(get(preconditions, "resourceVersion")),
      propagation: yield* propagationOf(get(value, "propagationPolicy"), get(value, "orphanDependents"))
    }
  })

/** Reads the options of a delete request; without a body those of the query count. */
export const read = (call: ResourceRequest): Effect.Effect<DeleteOptions, Status.Status> =>
  body.withBytes(call, (bytes) => {
    const { query } = call.info
    if (bytes.length === 0) return fromValue(fromQuery(query), query)
    return Either.flatMap(
      body.parse(bytes, Request.header(call.request, "content-type"), "DeleteOptions"),
      ({ value }) => fromValue(value, query)
    )
  })
