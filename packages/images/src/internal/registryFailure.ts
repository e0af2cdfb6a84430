/** What answers of registries mean to whoever wants an image. */
import * as Schema from "effect/Schema"
import * as Either from "effect/Either"
import { type ImageError, NotFound, RegistryFailed, TooManyRequests, Unauthorized, Unreachable } from "../ImageError.js"
import type { HttpFailure } from "./httpExchange.js"

const Errors = Schema.parseJson(Schema.Struct({
  errors: Schema.Array(Schema.Struct({
    code: Schema.optionalWith(Schema.String, { default: () => "" }),
    message: Schema.optionalWith(Schema.String, { nullable: true, default: () => "" })
  }))
}))

const decodeErrors = Schema.decodeUnknownEither(Errors)

const printable = (text: string): string => text.replaceAll(/[^\x20-\x7e]+/g, " ").trim().slice(0, 300)

/** What a body says about a refusal, in one line. */
export const detailOf = (status: number, body: Uint8Array): string => {
  const text = new TextDecoder().decode(body.subarray(0, 64 * 1024))
  return Either.match(decodeErrors(text), {
    onLeft: () => printable(text) || `status ${status}`,
    onRight: ({ errors }) => printable(errors.map(({ code, message }) => [code.toLowerCase().replaceAll("_", " "), message].filter((part) => part !== "").join(": ")).join("; ")) || `status ${status}`
  })
}

/** Milliseconds a server asks to wait. */
export const retryAfterOf = (headers: Readonly<Record<string, string>>, now: number): number | undefined => {
  const value = headers["retry-after"]?.trim()
  if (value === undefined || value === "") return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

export const unreachable = (reference: string, source: string) => (failure: HttpFailure): Unreachable =>
  new Unreachable({ reference, source, detail: failure.detail, ...(failure.cause === undefined ? {} : { cause: failure.cause }) })

/** The error for an answer that is not what was asked for. */
export const failureOf = (options: {
  readonly reference: string
  readonly source: string
  readonly what: string
  readonly credentials: boolean
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly now: number
}): ImageError => {
  const { reference, source, status } = options
  const detail = detailOf(status, options.body)
  if (status === 401 || status === 403) return new Unauthorized({ reference, source, status, detail, credentials: options.credentials })
  if (status === 404) return new NotFound({ reference, what: options.what, source })
  if (status === 429) {
    const retryAfter = retryAfterOf(options.headers, options.now)
    return new TooManyRequests({ reference, source, ...(retryAfter === undefined ? {} : { retryAfter }) })
  }
  return new RegistryFailed({ reference, source, status, detail })
}
