/** Paths of the host in settings. */
import { Option } from "effect"

/** The path, if it is absolute, of letters, digits, `.`, `_` and `-`, and goes nowhere up: it becomes part of commands and of other paths. */
export const parse = (text: string): Option.Option<string> =>
  /^\/[A-Za-z0-9._/-]*$/.test(text) && !text.split("/").includes("..") ? Option.some(text) : Option.none()
