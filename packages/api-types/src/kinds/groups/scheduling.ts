import type * as Kind from "../../Kind.js"
import { priorityClass } from "../PriorityClass.js"

export { priorityClass }

/** The kinds of `scheduling.k8s.io`, in the order of discovery. @category constructors */
export const scheduling: ReadonlyArray<Kind.Kind> = [priorityClass]
