/** Who writes an object. */

/** Who writes, through which endpoint, and when. @category models */
export interface Writer {
  /** Empty: unknown. */
  readonly manager: string
  readonly apiVersion: string
  /** Undefined for the main resource. */
  readonly subresource: string | undefined
  /** Whether the kind has a status that only its own endpoint writes. */
  readonly hasStatus: boolean
  /** Milliseconds since the epoch. */
  readonly now: number
}

// As long as a manager's name may be.
const maxLength = 128

/** The name of a manager that gave none: what its User-Agent says before the first slash. @category constructors */
export const fromUserAgent = (userAgent: string): string =>
  (userAgent.split("/", 1)[0] ?? "").replaceAll(/\p{C}/gu, "").slice(0, maxLength)
