/** Labels of a node that its own agent may set. Others of Kubernetes' domains say where work may go. */

type Labels = Readonly<Record<string, string>>

const allowed: ReadonlySet<string> = new Set([
  "kubernetes.io/hostname",
  "kubernetes.io/os",
  "kubernetes.io/arch",
  "topology.kubernetes.io/zone",
  "topology.kubernetes.io/region",
  "failure-domain.beta.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region",
  "node.kubernetes.io/instance-type",
  "beta.kubernetes.io/instance-type",
  "beta.kubernetes.io/os",
  "beta.kubernetes.io/arch"
])

/** Domains that are for agents. */
const agentDomains = ["kubelet.kubernetes.io", "node.kubernetes.io"]

const restricted = "node-restriction.kubernetes.io"

const isUnder = (domain: string, parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`)

const isForbidden = (label: string): boolean => {
  const slash = label.indexOf("/")
  const domain = slash < 0 ? "" : label.slice(0, slash)
  if (isUnder(domain, restricted)) return true
  if (!isUnder(domain, "kubernetes.io") && !isUnder(domain, "k8s.io")) return false
  return !allowed.has(label) && !agentDomains.some((parent) => isUnder(domain, parent))
}

/** Labels that were set, changed or removed and that are not for an agent to change, in alphabetical order. */
export const forbidden = (next: Labels = {}, old: Labels = {}): ReadonlyArray<string> =>
  [...new Set([...Object.keys(next), ...Object.keys(old)])].filter((label) => next[label] !== old[label] && isForbidden(label)).sort()
