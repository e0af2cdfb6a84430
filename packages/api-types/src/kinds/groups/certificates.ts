import type * as Kind from "../../Kind.js"
import { certificateSigningRequest } from "../CertificateSigningRequest.js"
import { clusterTrustBundle } from "../ClusterTrustBundle.js"

export { certificateSigningRequest, clusterTrustBundle }

/** The kinds of `certificates.k8s.io`, in the order of discovery. @category constructors */
export const certificates: ReadonlyArray<Kind.Kind> = [certificateSigningRequest, clusterTrustBundle]
