import type * as Kind from "../../Kind.js"

/** The kinds of `flowcontrol.apiserver.k8s.io`, in the order of discovery. @category constructors */
export const flowcontrol: ReadonlyArray<Kind.Kind> = []
