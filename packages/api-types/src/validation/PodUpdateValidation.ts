/** Rules of a Pod's update. */
import type * as FieldError from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"

/** @category combinators */
export const validatePodUpdate = (_next: CoreV1.Pod, _old: CoreV1.Pod): ReadonlyArray<FieldError.FieldError> => []
