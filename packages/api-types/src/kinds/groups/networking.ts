import type * as Kind from "../../Kind.js"
import { ingress } from "../Ingress.js"
import { ingressClass } from "../IngressClass.js"
import { ipAddress } from "../IPAddress.js"
import { networkPolicy } from "../NetworkPolicy.js"
import { serviceCidr } from "../ServiceCIDR.js"

export { ingress, ingressClass, ipAddress, networkPolicy, serviceCidr }

/** The kinds of `networking.k8s.io`, in the order of discovery. @category constructors */
export const networking: ReadonlyArray<Kind.Kind> = [ingressClass, ingress, ipAddress, networkPolicy, serviceCidr]
