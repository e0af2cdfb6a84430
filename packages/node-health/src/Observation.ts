/** What looking at one thing gave, and what that means for traffic. */

/** `unknown` is "could not be observed", never "was seen to be bad". @category models */
export type Observed = "pass" | "fail" | "unknown"

/** What a check does with `unknown`. @category models */
export type OnUnknown = "pass" | "fail"

/** One look. @category models */
export interface Observation {
  readonly observed: Observed
  /** Why not `pass`; at most 256 bytes, without secrets. */
  readonly reason?: string
  /** Something worth knowing that does not decide. */
  readonly note?: string
}

const limit = 256

/**
 * The text cut to so many bytes of UTF-8, at the end of a character, with control characters as blanks.
 *
 * @category combinators
 */
export const clip = (text: string, bytes = limit): string => {
  // Characters that would end a line or move a cursor have no place in a reason.
  const plain = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim()
  if (Buffer.byteLength(plain) <= bytes) return plain
  let size = 0
  let cut = ""
  for (const character of plain) {
    size += Buffer.byteLength(character)
    if (size > bytes) break
    cut += character
  }
  return cut
}

const withNote = (note: string | undefined): { readonly note?: string } => note === undefined ? {} : { note: clip(note) }

/** @category constructors */
export const pass = (note?: string): Observation => ({ observed: "pass", ...withNote(note) })

/** @category constructors */
export const fail = (reason: string, note?: string): Observation => ({ observed: "fail", reason: clip(reason), ...withNote(note) })

/** @category constructors */
export const unknown = (reason: string, note?: string): Observation => ({ observed: "unknown", reason: clip(reason), ...withNote(note) })

/** Whether the check passes. @category combinators */
export const passes = ({ observed }: Observation, onUnknown: OnUnknown): boolean =>
  observed === "pass" || (observed === "unknown" && onUnknown === "pass")

/**
 * Several looks as one: bad wins over unknown, unknown over good. Reasons of the winning kind are joined, all notes are kept.
 *
 * @category combinators
 */
export const all = (observations: ReadonlyArray<Observation>): Observation => {
  const worst = (["fail", "unknown"] as const).find((kind) => observations.some(({ observed }) => observed === kind)) ?? "pass"
  const reasons = observations.flatMap(({ observed, reason }) => observed === worst && reason !== undefined ? [reason] : [])
  const notes = observations.flatMap(({ note }) => note === undefined ? [] : [note])
  return {
    observed: worst,
    ...(reasons.length === 0 ? {} : { reason: clip(reasons.join("; ")) }),
    ...(notes.length === 0 ? {} : { note: clip(notes.join("; ")) })
  }
}
