/** Groups under the domains of Kubernetes itself, whose definitions have to say who has approved them. */

/** Says where a definition was approved, or why it was not. @category models */
export const annotation = "api-approved.kubernetes.io"

const domain = /(^|\.)(k8s\.io|kubernetes\.io)$/

/** Whether a group needs an approval. @category combinators */
export const isProtected = (group: string): boolean => domain.test(group)

/** @category models */
export interface Approval {
  readonly state: "Approved" | "Bypassed" | "Invalid" | "Missing"
  readonly reason: string
}

const rule = `protected groups must have approval annotation "${annotation}"`
const see = "see https://github.com/kubernetes/enhancements/pull/1111"

const hasHost = (text: string): boolean => URL.canParse(text) && new URL(text).host !== ""

/** What the annotations of a definition say about its approval. @category combinators */
export const of = (annotations: Readonly<Record<string, string>> | undefined): Approval => {
  const text = annotations?.[annotation] ?? ""
  if (text === "") return { state: "Missing", reason: `${rule}, ${see}` }
  if (text.startsWith("unapproved")) return { state: "Bypassed", reason: `not approved: ${JSON.stringify(text)}` }
  return hasHost(text)
    ? { state: "Approved", reason: `approved in ${text}` }
    : { state: "Invalid", reason: `${rule} with either a URL or a reason starting with "unapproved", ${see}` }
}

/** The condition of a definition that says whether it conforms; undefined for groups that need no approval. @category combinators */
export const conditionOf = (group: string, annotations: Readonly<Record<string, string>> | undefined) => {
  if (!isProtected(group)) return undefined
  const { reason, state } = of(annotations)
  const reasons = { Approved: "ApprovedAnnotation", Bypassed: "UnapprovedAnnotation", Invalid: "InvalidAnnotation", Missing: "MissingAnnotation" }
  return {
    type: "KubernetesAPIApprovalPolicyConformant",
    status: state === "Approved" ? "True" : "False",
    reason: reasons[state],
    message: reason
  }
}
