import type * as Kind from "../../Kind.js"

/** The kinds of `apiregistration.k8s.io`, in the order of discovery. @category constructors */
export const apiregistration: ReadonlyArray<Kind.Kind> = []
