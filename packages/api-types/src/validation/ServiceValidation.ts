/** Rules of a Service. */
import type * as FieldError from "../FieldError.js"
import type * as CoreV1 from "../generated/CoreV1.js"

/** @category combinators */
export const validateService = (_service: CoreV1.Service): ReadonlyArray<FieldError.FieldError> => []

/** @category combinators */
export const validateServiceUpdate = (next: CoreV1.Service, _old: CoreV1.Service): ReadonlyArray<FieldError.FieldError> => validateService(next)
