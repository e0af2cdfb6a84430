/** Who may do what. */
import type { RbacV1 } from "@reddwarf/api-types"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Plugin } from "../admission/Admission.js"
import type { UserInfo } from "../authentication/UserInfo.js"

/**
 * What is asked for. For a request that is not about a resource, `verb` is the lower-case method and `path` says the rest.
 *
 * @category models
 */
export interface Attributes {
  readonly user: UserInfo
  readonly verb: string
  readonly isResource: boolean
  readonly group: string
  readonly version: string
  /** Plural name. */
  readonly resource: string
  readonly subresource: string | undefined
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly path: string
}

/** `reason` of a refusal is added to the message the client gets; that of a permission is shown to who asks for it. @category models */
export type Decision =
  | { readonly allowed: true; readonly reason?: string }
  | { readonly allowed: false; readonly reason?: string }

/** What somebody may do. `problems` are what kept the list from being complete. @category models */
export interface UserRules {
  readonly rules: ReadonlyArray<RbacV1.PolicyRule>
  readonly problems: ReadonlyArray<string>
}

/**
 * Decides about every request. Plain and synchronous because it is on the path of every request: keep the policy in memory.
 *
 * @category services
 */
export class Authorizer extends Context.Tag("@reddwarf/apiserver/Authorizer")<Authorizer, {
  readonly authorize: (attributes: Attributes) => Decision
  /** What a user may do everywhere and, with a namespace, there. Absent: this policy cannot be listed. */
  readonly rulesFor?: (user: UserInfo, namespace: string | undefined) => UserRules
  /** Checks on writes that the policy needs to hold, such as that nobody grants what they do not have. */
  readonly plugins?: ReadonlyArray<Plugin>
}>() {}

/** The request may be made. @category constructors */
export const allow: Decision = { allowed: true }
/** The request is refused, without a particular reason. @category constructors */
export const deny: Decision = { allowed: false }

/**
 * Grants `verbs` on `resources` (plural names, subresources as `pods/status`) of an API group.
 *
 * @category models
 */
export interface Rule {
  readonly group: string
  readonly resources: ReadonlyArray<string>
  readonly verbs: ReadonlyArray<string>
}

const read = ["get", "list", "watch"]
const all = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
const write = ["create", "patch", "update"]
const core = (resources: ReadonlyArray<string>, verbs: ReadonlyArray<string>): Rule => ({ group: "", resources, verbs })
const leases = (verbs: ReadonlyArray<string>): Rule => ({ group: "coordination.k8s.io", resources: ["leases"], verbs })

const nodeRules: ReadonlyArray<Rule> = [
  core(["services", "nodes", "pods"], read),
  core(["namespaces", "serviceaccounts"], read),
  core(["nodes"], write),
  core(["nodes/status"], ["patch", "update"]),
  core(["events"], write),
  core(["pods"], ["create", "delete"]),
  core(["pods/status"], ["patch", "update"]),
  core(["pods/eviction", "pods/finalize"], ["create"]),
  leases(["create", "delete", "get", "patch", "update", "list", "watch"]),
  { group: "node.k8s.io", resources: ["runtimeclasses"], verbs: read },
  { group: "certificates.k8s.io", resources: ["clustertrustbundles"], verbs: read },
  // Admission sees to it that they are those of its own node.
  { group: "reddwarf.io", resources: ["zoneinstances"], verbs: [...read, ...write, "delete"] },
  { group: "reddwarf.io", resources: ["zoneinstances/status"], verbs: ["patch", "update"] }
]

const schedulerRules: ReadonlyArray<Rule> = [
  core(["events"], write),
  leases(["create", "get", "list", "patch", "update", "watch"]),
  core(["nodes", "namespaces", "services", "replicationcontrollers", "persistentvolumeclaims", "persistentvolumes"], read),
  core(["pods"], [...read, "delete"]),
  core(["bindings", "pods/binding"], ["create"]),
  core(["pods/status"], ["patch", "update"]),
  core(["persistentvolumeclaims", "persistentvolumes"], ["patch", "update"]),
  { group: "storage.k8s.io", resources: ["csinodes", "storageclasses", "volumeattachments"], verbs: read },
  { group: "policy", resources: ["poddisruptionbudgets"], verbs: read },
  { group: "apps", resources: ["replicasets", "statefulsets"], verbs: read },
  { group: "metrics.k8s.io", resources: ["nodes"], verbs: read }
]

const controllerRules: ReadonlyArray<Rule> = [{ group: "*", resources: ["*"], verbs: all }]

const matches = (rules: ReadonlyArray<Rule>, attributes: Attributes): boolean => {
  const resource = attributes.subresource === undefined
    ? attributes.resource
    : `${attributes.resource}/${attributes.subresource}`
  return rules.some((rule) =>
    (rule.group === "*" || rule.group === attributes.group) &&
    (rule.resources.includes("*") || rule.resources.includes(resource)) &&
    rule.verbs.includes(attributes.verb)
  )
}

const readVerbs = new Set(read)

/** A node may write only the Node and the Lease that carry its name. */
const ownsTarget = (node: string, attributes: Attributes): boolean => {
  const { name, namespace, resource } = attributes
  if (resource === "nodes") return readVerbs.has(attributes.verb) || attributes.verb === "create" || name === node
  if (resource === "leases") {
    return namespace === "kube-node-lease" && (name === node || attributes.verb === "create")
  }
  return true
}

const nodePrefix = "system:node:"

/** The node whose agent a user is; undefined for everybody else. @category combinators */
export const nodeOf = ({ groups, name }: UserInfo): string | undefined =>
  groups.includes("system:nodes") && name.startsWith(nodePrefix) ? name.slice(nodePrefix.length) : undefined

const authorizeNode = (attributes: Attributes): Decision => {
  const node = nodeOf(attributes.user)
  if (node === undefined || !matches(nodeRules, attributes)) return deny
  return ownsTarget(node, attributes)
    ? allow
    : { allowed: false, reason: `node "${node}" may only change its own Node and Lease` }
}

const discoveryPaths = ["/api", "/apis", "/healthz", "/livez", "/readyz", "/openapi", "/version"]

/** Questions about oneself, which everyone authenticated may ask. */
const selfReviews: ReadonlyArray<Rule> = [
  { group: "authorization.k8s.io", resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], verbs: ["create"] },
  { group: "authentication.k8s.io", resources: ["selfsubjectreviews"], verbs: ["create"] }
]

const isDiscovery = (attributes: Attributes): boolean =>
  (attributes.verb === "get" || attributes.verb === "head") &&
  (attributes.path === "/" ||
    discoveryPaths.some((path) => attributes.path === path || attributes.path.startsWith(`${path}/`)))

const rulesByUser: ReadonlyMap<string, ReadonlyArray<Rule>> = new Map([
  ["system:kube-scheduler", schedulerRules],
  ["system:kube-controller-manager", controllerRules]
])

/**
 * The built-in policy: `system:masters` may do everything; nodes, scheduler and controllers what their work needs, nodes
 * writing only the Node and Lease of their own name; everyone authenticated may use discovery. Everything else is refused.
 *
 * @category constructors
 */
export const authorizeStatic = (attributes: Attributes): Decision => {
  const { user } = attributes
  if (user.groups.includes("system:masters")) return allow
  if (!attributes.isResource) {
    return user.groups.includes("system:authenticated") && isDiscovery(attributes) ? allow : deny
  }
  if (user.groups.includes("system:authenticated") && matches(selfReviews, attributes)) return allow
  const rules = rulesByUser.get(user.name)
  if (rules !== undefined && matches(rules, attributes)) return allow
  return authorizeNode(attributes)
}

/** The built-in policy, see `authorizeStatic`. @category layers */
export const layer: Layer.Layer<Authorizer> = Layer.succeed(Authorizer, { authorize: authorizeStatic })
