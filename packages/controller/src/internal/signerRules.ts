/** What the cluster's own signers sign. Pure. */
import type { CertificatesV1, SigningRequest } from "@reddwarf/api-types"

type Request = CertificatesV1.CertificateSigningRequest

const apiClient = "kubernetes.io/kube-apiserver-client"
const nodeClient = "kubernetes.io/kube-apiserver-client-kubelet"
const nodeServing = "kubernetes.io/kubelet-serving"
const legacy = "kubernetes.io/legacy-unknown"

const own: ReadonlySet<string> = new Set([apiClient, nodeClient, nodeServing, legacy])

export const isOwn = (signer: string): boolean => own.has(signer)

const hasUsages = ({ spec }: Request, required: string, optional: ReadonlyArray<string>): boolean => {
  const given: ReadonlySet<string> = new Set(spec.usages)
  return given.has(required) && [...given].every((usage) => usage === required || optional.includes(usage))
}

const isOfNodes = ({ commonName, organizations }: SigningRequest.Contents): boolean =>
  organizations.length === 1 && organizations[0] === "system:nodes" && commonName.startsWith("system:node:")

const nodeClientProblem = (request: Request, contents: SigningRequest.Contents): string | undefined => {
  if (!(contents.organizations.length === 1 && contents.organizations[0] === "system:nodes")) return "subject organization is not system:nodes"
  for (const [what, names] of [["DNS", contents.dnsNames], ["email", contents.emailAddresses], ["IP", contents.ipAddresses], ["URI", contents.uris]] as const) {
    if (names.length > 0) return `${what} subjectAltNames are not allowed`
  }
  if (!contents.commonName.startsWith("system:node:")) return "subject common name does not begin with system:node:"
  return hasUsages(request, "client auth", ["digital signature", "key encipherment"]) && request.spec.usages?.includes("digital signature") === true
    ? undefined
    : "usages did not match [\"client auth\" \"digital signature\" \"key encipherment\"] or [\"client auth\" \"digital signature\"]"
}

const nodeServingProblem = (request: Request, contents: SigningRequest.Contents): string | undefined => {
  if (!(contents.organizations.length === 1 && contents.organizations[0] === "system:nodes")) return "subject organization is not system:nodes"
  if (contents.dnsNames.length + contents.ipAddresses.length === 0) return "DNS or IP subjectAltName is required"
  if (contents.emailAddresses.length > 0) return "email subjectAltNames are not allowed"
  if (contents.uris.length > 0) return "URI subjectAltNames are not allowed"
  if (!contents.commonName.startsWith("system:node:")) return "subject common name does not begin with system:node:"
  return hasUsages(request, "server auth", ["digital signature", "key encipherment"]) && request.spec.usages?.includes("digital signature") === true
    ? undefined
    : "usages did not match [\"digital signature\" \"key encipherment\" \"server auth\"] or [\"digital signature\" \"server auth\"]"
}

/** Why the signer does not sign the request; undefined when it does. */
export const problemOf = (request: Request, contents: SigningRequest.Contents): string | undefined => {
  switch (request.spec.signerName) {
    case apiClient:
      return hasUsages(request, "client auth", ["digital signature", "key encipherment"])
        ? undefined
        : "usages did not match: expected client auth, and at most digital signature and key encipherment besides"
    case nodeClient:
      return nodeClientProblem(request, contents)
    case nodeServing:
      return nodeServingProblem(request, contents)
    default:
      return undefined
  }
}

/** Requests that are approved without a person, where the policy lets whoever asks ask. */
export interface Recognizer {
  /** The subresource that one must be permitted to create. */
  readonly subresource: string
  readonly message: string
  readonly recognizes: (request: Request, contents: SigningRequest.Contents) => boolean
}

const isNodeClient = (request: Request, contents: SigningRequest.Contents): boolean =>
  request.spec.signerName === nodeClient && isOfNodes(contents) && nodeClientProblem(request, contents) === undefined

export const recognizers: ReadonlyArray<Recognizer> = [
  {
    subresource: "selfnodeclient",
    message: "Auto approving self kubelet client certificate after SubjectAccessReview.",
    recognizes: (request, contents) => isNodeClient(request, contents) && request.spec.username === contents.commonName
  },
  {
    subresource: "nodeclient",
    message: "Auto approving kubelet client certificate after SubjectAccessReview.",
    recognizes: isNodeClient
  }
]
