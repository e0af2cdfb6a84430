/**
 * A followed log in pieces that say where they end, so that whoever reads it can go on at that place with another agent: `PLACE LENGTH`, a
 * line feed, and so many bytes. The last piece has the place `end`: a log that ends without it was cut off. Pure.
 */
import * as Option from "effect/Option"

/** Content type of a log in pieces. @category constants */
export const contentType = "application/vnd.reddwarf.log-pieces"

/**
 * Where in the log of an attempt a reader is: behind the last whole record, in the file with this inode.
 *
 * @category models
 */
export interface Place {
  readonly attempt: number
  readonly inode: number
  readonly offset: number
  /** Whether the next record begins a line. */
  readonly atLineStart: boolean
}

const pattern = /^(\d{1,9})\.(\d{1,16})\.(\d{1,16})\.([lm])$/

/** @category combinators */
export const format = ({ atLineStart, attempt, inode, offset }: Place): string => `${attempt}.${inode}.${offset}.${atLineStart ? "l" : "m"}`

/** @category combinators */
export const parse = (text: string): Option.Option<Place> => {
  const match = pattern.exec(text)
  if (match === null) return Option.none()
  return Option.some({ attempt: Number(match[1]), inode: Number(match[2]), offset: Number(match[3]), atLineStart: match[4] === "l" })
}

/** What stands in front of so many bytes that end at a place. @category constructors */
export const head = (place: Place, length: number): string => `${format(place)} ${length}\n`

/** The last piece. @category constructors */
export const end: Uint8Array = Buffer.from("end 0\n")
