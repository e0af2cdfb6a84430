import type * as Kind from "../../Kind.js"
import { runtimeClass } from "../RuntimeClass.js"

export { runtimeClass }

/** The kinds of `node.k8s.io`, in the order of discovery. @category constructors */
export const nodeGroup: ReadonlyArray<Kind.Kind> = [runtimeClass]
