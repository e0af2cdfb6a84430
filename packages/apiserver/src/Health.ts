/** The health of the server: named checks behind `/healthz`, `/livez` and `/readyz`. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ApiResponse } from "./ApiResponse.js"
import * as Response from "./ApiResponse.js"

/**
 * One check. It fails with the reason, which is logged and not shown to callers.
 *
 * @category models
 */
export interface Check {
  readonly name: string
  readonly run: Effect.Effect<void, string>
  /** Which of the paths this check is part of besides `/healthz`; default both. */
  readonly paths?: ReadonlyArray<"livez" | "readyz">
}

/** Longest time a check may take before it counts as failed. @category models */
export const timeout: Duration.Duration = Duration.seconds(2)

/** A check that never fails: the process answers. @category constructors */
export const ping: Check = { name: "ping", run: Effect.void }

const perform = (check: Check): Effect.Effect<boolean> =>
  check.run.pipe(
    Effect.timeoutFail({ duration: timeout, onTimeout: () => `no answer within ${Duration.format(timeout)}` }),
    Effect.catchAllDefect((defect) => Effect.fail(`it died: ${String(defect)}`)),
    Effect.tapError((reason) => Effect.annotateLogs(Effect.logWarning("health check failed"), { check: check.name, reason })),
    Effect.match({ onFailure: () => false, onSuccess: () => true })
  )

const roots = ["healthz", "livez", "readyz"] as const
type Root = (typeof roots)[number]

const rootOf = (path: string): { readonly root: Root; readonly check: string | undefined } | undefined => {
  const [, first, check, ...rest] = path.split("/")
  const root = roots.find((name) => name === first)
  return root === undefined || rest.length > 0 ? undefined : { root, check: check === "" ? undefined : check }
}

/** Whether a path is answered here, also to callers without credentials. @category combinators */
export const isHealthPath = (path: string): boolean => rootOf(path) !== undefined

/**
 * The result of a check.
 *
 * @category models
 */
export interface Result extends Pick<Check, "name" | "paths"> {
  readonly ok: boolean
}

const isPartOf = ({ paths }: Pick<Check, "paths">, root: Root): boolean => root === "healthz" || paths === undefined || paths.includes(root)

const report = (root: Root, results: ReadonlyArray<Result>, verbose: boolean, failure: number): ApiResponse => {
  const healthy = results.every(({ ok }) => ok)
  if (healthy && !verbose) return Response.text(200, "ok")
  const lines = results.map(({ name, ok }) => ok ? `[+]${name} ok` : `[-]${name} failed: reason withheld`)
  return Response.text(healthy ? 200 : failure, `${[...lines, `${root} check ${healthy ? "passed" : "failed"}`].join("\n")}\n`)
}

const notFound = Response.text(404, "404 page not found\n")

/** The checks that a health path asks about. */
const select = <A extends Pick<Check, "name" | "paths">>(checks: ReadonlyArray<A>, path: string, query: URLSearchParams): ReadonlyArray<A> => {
  const asked = rootOf(path)
  if (asked === undefined) return []
  if (asked.check !== undefined) return checks.filter(({ name }) => name === asked.check)
  const excluded = new Set(query.getAll("exclude"))
  return checks.filter((check) => isPartOf(check, asked.root) && !excluded.has(check.name))
}

/**
 * Answers a health path from results that are known; `exclude` (repeatable) and `verbose` are query parameters. `failure` is the
 * status of an answer that tells of a failed check.
 *
 * @category combinators
 */
export const answer = (results: ReadonlyArray<Result>, path: string, query: URLSearchParams, failure: number): ApiResponse => {
  const asked = rootOf(path)
  if (asked === undefined) return notFound
  const selected = select(results, path, query)
  if (asked.check === undefined) return report(asked.root, selected, query.has("verbose"), failure)
  const [result] = selected
  if (result === undefined) return notFound
  return result.ok ? Response.text(200, "ok") : Response.text(failure, "internal server error: reason withheld\n")
}

/** The same after running the checks that are asked about; 500 when one fails. @category combinators */
export const respond = (checks: ReadonlyArray<Check>, path: string, query: URLSearchParams): Effect.Effect<ApiResponse> =>
  Effect.map(
    Effect.forEach(select(checks, path, query), (check) => Effect.map(perform(check), (ok): Result => ({ ...check, ok })), { concurrency: 8 }),
    (results) => answer(results, path, query, 500)
  )
