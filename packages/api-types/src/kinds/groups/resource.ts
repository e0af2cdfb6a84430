import type * as Kind from "../../Kind.js"

/** The kinds of `resource.k8s.io`, in the order of discovery. @category constructors */
export const resource: ReadonlyArray<Kind.Kind> = []
