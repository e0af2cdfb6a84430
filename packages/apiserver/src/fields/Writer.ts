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
export const fromUserAgent = (userAgent: string): string => {
  const known = managers.get(userAgent)
  if (known !== undefined) return known
  const manager = (userAgent.split("/", 1)[0] ?? "").replaceAll(/\p{C}/gu, "").slice(0, maxLength)
  if (managers.size >= rememberLimit) managers.clear()
  managers.set(userAgent, manager)
  return manager
}

// Clients send a handful of different headers over and over; the bound keeps a hostile client from growing the map.
const managers = new Map<string, string>()
const rememberLimit = 256
