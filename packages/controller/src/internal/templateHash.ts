/**
 * Short names for templates: FNV hashes of 32 bits, written with letters and digits that spell no words, as Kubernetes writes them. The
 * hash is over the JSON text with sorted keys, so equal templates have equal hashes in every release of this project.
 */

const prime = 0x01000193
const offset = 0x811c9dc5
const alphabet = "bcdfghjklmnpqrstvwxz2456789"
const encoder = new TextEncoder()

/** FNV-1a of 32 bits, of the UTF-8 text. */
export const fnv1a = (text: string): number => {
  let hash = offset
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, prime) >>> 0
  return hash
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null && !Array.isArray(value)

const isNothing = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0)

const sorted = (value: unknown, keep: boolean): unknown => {
  if (Array.isArray(value)) return value.map((item: unknown) => sorted(item, keep))
  if (!isRecord(value)) return value
  const entries = Object.keys(value).sort().flatMap((key): ReadonlyArray<readonly [string, unknown]> => {
    const part = sorted(value[key], keep)
    return part === undefined || (!keep && isNothing(part)) ? [] : [[key, part]]
  })
  return Object.fromEntries(entries)
}

/** JSON text with sorted keys. */
export const sortedJson = (value: unknown): string => JSON.stringify(sorted(value, true))

/** JSON text that is the same for all that Kubernetes takes for the same: sorted keys, and nothing that is empty. */
export const canonicalJson = (value: unknown): string => JSON.stringify(sorted(value, false))

const spelled = (text: string): string => Array.from(text, (char) => alphabet.charAt(char.charCodeAt(0) % alphabet.length)).join("")

/** Name of a value. Another `collisions` gives another name, where one is taken. */
export const of = (value: unknown, collisions: number | undefined): string =>
  spelled(String(fnv1a(`${canonicalJson(value)}${collisions === undefined || collisions === 0 ? "" : `#${String(collisions)}`}`)))
