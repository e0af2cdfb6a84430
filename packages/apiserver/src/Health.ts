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

const partOf = (check: Check, root: Root): boolean =>
  root === "healthz" || check.paths === undefined || check.paths.includes(root)

const report = (root: Root, results: ReadonlyArray<readonly [string, boolean]>, verbose: boolean): ApiResponse => {
  const healthy = results.every(([, ok]) => ok)
  if (healthy && !verbose) return Response.text(200, "ok")
  const lines = results.map(([name, ok]) => ok ? `[+]${name} ok` : `[-]${name} failed: reason withheld`)
  return Response.text(healthy ? 200 : 500, `${[...lines, `${root} check ${healthy ? "passed" : "failed"}`].join("\n")}\n`)
}

/** Answers a health path; `exclude` (repeatable) and `verbose` are query parameters. @category combinators */
export const respond = (checks: ReadonlyArray<Check>, path: string, query: URLSearchParams): Effect.Effect<ApiResponse> => {
  const asked = rootOf(path)
  const notFound = Response.text(404, "404 page not found\n")
  if (asked === undefined) return Effect.succeed(notFound)
  if (asked.check !== undefined) {
    const check = checks.find(({ name }) => name === asked.check)
    if (check === undefined) return Effect.succeed(notFound)
    return Effect.map(perform(check), (ok) =>
      ok ? Response.text(200, "ok") : Response.text(500, "internal server error: reason withheld\n"))
  }
  const excluded = new Set(query.getAll("exclude"))
  const selected = checks.filter((check) => partOf(check, asked.root) && !excluded.has(check.name))
  return Effect.map(
    Effect.forEach(selected, (check) => Effect.map(perform(check), (ok) => [check.name, ok] as const), { concurrency: 8 }),
    (results) => report(asked.root, results, query.has("verbose"))
  )
}
