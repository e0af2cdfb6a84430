import type * as Kind from "../../Kind.js"
import { lease } from "../Lease.js"

export { lease }

/** The kinds of `coordination.k8s.io`, in the order of discovery. @category constructors */
export const coordination: ReadonlyArray<Kind.Kind> = [lease]
