/** Rules of a Pod. */
import type * as FieldError from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"

/** @category combinators */
export const validatePod = (_pod: CoreV1.Pod): ReadonlyArray<FieldError.FieldError> => []
