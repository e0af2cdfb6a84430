/** A label or field selector that cannot be read. */
import * as Data from "effect/Data"

/** `message` is the text Kubernetes answers with (400). @category errors */
export class SelectorError extends Data.TaggedError("SelectorError")<{ readonly message: string }> {}
