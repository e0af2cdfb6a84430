/** The size of a terminal window, as clients report it. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * Character cells.
 *
 * @category models
 */
export interface TerminalSize {
  readonly width: number
  readonly height: number
}

const Cells = Schema.Int.pipe(Schema.between(0, 65_535))
const decode = Schema.decodeUnknownOption(Schema.parseJson(Schema.Struct({ Width: Cells, Height: Cells })))

/** Reads a resize message (`{"Width":80,"Height":24}`); none for anything else. @category constructors */
export const parse = (text: string): Option.Option<TerminalSize> =>
  Option.map(decode(text), ({ Height, Width }) => ({ width: Width, height: Height }))
