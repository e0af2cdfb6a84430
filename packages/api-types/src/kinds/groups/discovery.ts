import type * as Kind from "../../Kind.js"
import { endpointSlice } from "../EndpointSlice.js"

export { endpointSlice }

/** The kinds of `discovery.k8s.io`, in the order of discovery. @category constructors */
export const discovery: ReadonlyArray<Kind.Kind> = [endpointSlice]
