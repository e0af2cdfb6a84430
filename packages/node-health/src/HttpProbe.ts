/** One HTTP GET of a health endpoint: no redirects, no connection kept, no thread of the pool. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as http from "node:http"
import * as https from "node:https"
import type { LookupFunction } from "node:net"

/** No complete answer. @category errors */
export class HttpFailed extends Schema.TaggedError<HttpFailed>()("HttpFailed", { url: Schema.String, code: Schema.String }) {
  override get message(): string {
    return `GET ${this.url}: ${this.code}; check that the service listens there`
  }
}

/** @category models */
export interface HttpOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly servername?: string; readonly rejectUnauthorized: boolean }
  readonly lookup?: LookupFunction
  /** Most bytes of a body; more is an error. Default 64 KiB. */
  readonly maxBytes?: number
}

/** @category models */
export interface HttpAnswer {
  readonly status: number
  readonly body: string
}

const codeOf = (error: Error): string => "code" in error && typeof error.code === "string" ? error.code : error.message

/** A request to be sent. Errors after its answer began come from the answer. */
const requestOf = (url: URL, options: HttpOptions): http.ClientRequest => {
  const { headers = {}, lookup, tls } = options
  const settings = { headers: { connection: "close", ...headers }, agent: false, ...(lookup === undefined ? {} : { lookup }) } as const
  return url.protocol === "https:" ? https.request(url, { ...settings, ...tls }) : http.request(url, settings)
}

/**
 * The answer of a URL, whatever its status is. It has no time limit of its own; interrupting it closes the connection.
 *
 * @category constructors
 */
export const get = (url: string, options: HttpOptions = {}): Effect.Effect<HttpAnswer, HttpFailed> =>
  Effect.async<HttpAnswer, HttpFailed>((resume) => {
    const fail = (error: Error) => resume(Effect.fail(new HttpFailed({ url, code: codeOf(error) })))
    let request: http.ClientRequest
    try {
      request = requestOf(new URL(url), options)
    } catch (cause) {
      return fail(cause instanceof Error ? cause : new Error(String(cause)))
    }
    request.on("error", fail)
    request.once("response", (response) => {
      const chunks: Array<Uint8Array> = []
      let size = 0
      response.on("error", fail)
      response.on("data", (chunk: Uint8Array) => {
        size += chunk.byteLength
        chunks.push(chunk)
        if (size > (options.maxBytes ?? 65_536)) request.destroy(new Error("the answer is too long"))
      })
      response.once("end", () =>
        response.complete
          ? resume(Effect.succeed({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }))
          : fail(new Error("the answer ends early")))
      response.once("close", () => fail(new Error("the answer ends early")))
    })
    request.end()
    return Effect.sync(() => void request.destroy())
  })
