/** Asks an API server for a sign of life, without being anybody to it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as http from "node:http"
import * as https from "node:https"

/** What the server said. @category models */
export interface Answer {
  /** HTTP status. */
  readonly status: number
  /** Its clock, as HTTP writes dates. */
  readonly date: string | undefined
  /** Whether its certificate was checked against an authority. */
  readonly verified: boolean
}

/** There was no answer. @category errors */
export class ProbeFailed extends Schema.TaggedError<ProbeFailed>()("ProbeFailed", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

const reason = (error: Error): string => {
  const code = "code" in error && typeof error.code === "string" ? error.code : ""
  return code === "" || error.message.includes(code) ? error.message : `${error.message} (${code})`
}

/**
 * One request to `/livez`, which answers without credentials. `ca` is the PEM text of the authority that must have signed the certificate;
 * without it any certificate is taken, and nothing is said to the server that it must not hear.
 *
 * @category constructors
 */
export const ask = (server: URL, ca?: string): Effect.Effect<Answer, ProbeFailed> =>
  Effect.async((resume) => {
    const url = new URL("/livez", server)
    const done = (response: http.IncomingMessage): void => {
      response.resume()
      resume(Effect.succeed({ status: response.statusCode ?? 0, date: response.headers.date, verified: ca !== undefined }))
    }
    const request = url.protocol === "http:"
      ? http.get(url, { agent: false }, done)
      : https.get(url, { agent: false, ...(ca === undefined ? { rejectUnauthorized: false } : { ca }) }, done)
    request.on("error", (error) => resume(new ProbeFailed({ detail: reason(error) })))
    return Effect.sync(() => void request.destroy())
  })
