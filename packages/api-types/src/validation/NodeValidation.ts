/** Rules of a Node. */
import type * as FieldError from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"

/** @category combinators */
export const validateNode = (_node: CoreV1.Node): ReadonlyArray<FieldError.FieldError> => []

/** @category combinators */
export const validateNodeUpdate = (next: CoreV1.Node, _old: CoreV1.Node): ReadonlyArray<FieldError.FieldError> => validateNode(next)
