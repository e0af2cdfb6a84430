/**
 * The roles and bindings that every cluster begins with. Whoever starts a cluster creates those that are missing; they carry
 * the label and annotation by which Kubernetes' tools know them.
 */
import type { RbacV1 } from "@reddwarf/api-types"
import * as controllers from "./ControllerRoles.js"
import { bind, bindRole, clusterRole, type ClusterRoleData, group, nonResource, role, rule, serviceAccount, user } from "./RoleData.js"
import * as UserRoles from "./UserRoles.js"

const discoveryPaths = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"]
const publicPaths = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
const healthPaths = ["/healthz", "/healthz/*", "/livez", "/livez/*", "/readyz", "/readyz/*"]

const read = ["get", "list", "watch"]
const events: RbacV1.PolicyRule = rule(["", "events.k8s.io"], ["events"], ["create", "patch", "update"])

const nodeRules: ReadonlyArray<RbacV1.PolicyRule> = [
  rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
  rule(["authorization.k8s.io"], ["localsubjectaccessreviews", "subjectaccessreviews"], ["create"]),
  rule([""], ["services"], read),
  rule([""], ["nodes"], ["create", ...read]),
  rule([""], ["nodes/status"], ["patch", "update"]),
  rule([""], ["nodes"], ["patch", "update"]),
  rule([""], ["events"], ["create", "patch", "update"]),
  rule([""], ["pods"], read),
  rule([""], ["pods"], ["create", "delete"]),
  rule([""], ["pods/status"], ["patch", "update"]),
  rule([""], ["pods/eviction"], ["create"]),
  rule([""], ["configmaps", "secrets"], read),
  rule([""], ["persistentvolumeclaims", "persistentvolumes"], ["get"]),
  rule([""], ["endpoints"], ["get"]),
  rule(["certificates.k8s.io"], ["certificatesigningrequests"], ["create", ...read]),
  rule(["coordination.k8s.io"], ["leases"], ["create", "delete", "get", "patch", "update"]),
  rule(["storage.k8s.io"], ["volumeattachments"], ["get"]),
  rule([""], ["serviceaccounts/token"], ["create"]),
  rule([""], ["persistentvolumeclaims/status"], ["get", "patch", "update"]),
  rule(["storage.k8s.io"], ["csidrivers"], read),
  rule(["storage.k8s.io"], ["csinodes"], ["create", "delete", "get", "patch", "update"]),
  rule(["node.k8s.io"], ["runtimeclasses"], read),
  rule(["resource.k8s.io"], ["resourceclaims"], ["get"]),
  rule([""], ["serviceaccounts"], ["get"]),
  rule(["certificates.k8s.io"], ["clustertrustbundles"], read),
  rule(["reddwarf.io"], ["zoneinstances"], ["create", "delete", ...read, "patch", "update"]),
  rule(["reddwarf.io"], ["zoneinstances/status"], ["patch", "update"])
]

const schedulerRules: ReadonlyArray<RbacV1.PolicyRule> = [
  events,
  rule(["coordination.k8s.io"], ["leases"], ["create"]),
  { ...rule(["coordination.k8s.io"], ["leases"], ["get", "list", "update", "watch"]), resourceNames: ["kube-scheduler"] },
  rule([""], ["nodes"], read),
  rule([""], ["pods"], ["delete", ...read]),
  rule([""], ["bindings", "pods/binding"], ["create"]),
  rule([""], ["pods/status"], ["patch", "update"]),
  rule([""], ["replicationcontrollers", "services"], read),
  rule(["apps", "extensions"], ["replicasets"], read),
  rule(["apps"], ["statefulsets"], read),
  rule(["policy"], ["poddisruptionbudgets"], read),
  rule([""], ["persistentvolumeclaims", "persistentvolumes"], ["get", "list", "patch", "update", "watch"]),
  rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
  rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
  rule(["storage.k8s.io"], ["csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"], read),
  rule([""], ["namespaces"], read),
  rule(["metrics.k8s.io"], ["nodes"], ["get", "list"])
]

const managerRules: ReadonlyArray<RbacV1.PolicyRule> = [
  events,
  rule(["coordination.k8s.io"], ["leases"], ["create"]),
  { ...rule(["coordination.k8s.io"], ["leases"], ["get", "update"]), resourceNames: ["kube-controller-manager"] },
  rule([""], ["secrets", "serviceaccounts"], ["create"]),
  rule([""], ["secrets"], ["delete"]),
  rule([""], ["configmaps", "namespaces", "secrets", "serviceaccounts"], ["get"]),
  rule([""], ["secrets", "serviceaccounts"], ["update"]),
  rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
  rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"]),
  rule(["*"], ["*"], ["list", "watch"]),
  rule([""], ["serviceaccounts/token"], ["create"])
]

const proxierRules: ReadonlyArray<RbacV1.PolicyRule> = [
  rule([""], ["endpoints", "services"], ["list", "watch"]),
  rule([""], ["nodes"], read),
  events,
  rule(["discovery.k8s.io"], ["endpointslices"], ["list", "watch"]),
  rule(["networking.k8s.io"], ["servicecidrs"], ["list", "watch"])
]

const signerRole = (name: string, signer: string, verb: string): ClusterRoleData => ({
  name,
  rules: [{ ...rule(["certificates.k8s.io"], ["signers"], [verb]), resourceNames: [signer] }]
})

const approver = (purpose: string): ClusterRoleData =>
  signerRole(`system:certificates.k8s.io:${purpose}-approver`, `kubernetes.io/${purpose}`, "approve")

const systemRoles: ReadonlyArray<ClusterRoleData> = [
  { name: "cluster-admin", rules: [rule(["*"], ["*"], ["*"]), nonResource(["*"], ["*"])] },
  { name: "system:discovery", rules: [nonResource(discoveryPaths, ["get"])] },
  { name: "system:public-info-viewer", rules: [nonResource(publicPaths, ["get"])] },
  {
    name: "system:monitoring",
    rules: [
      nonResource([...healthPaths, "/flagz", "/metrics", "/metrics/slis", "/statusz"], ["get"]),
      rule([""], ["nodes/metrics"], ["get"])
    ]
  },
  {
    name: "system:basic-user",
    rules: [
      rule(["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
      rule(["authentication.k8s.io"], ["selfsubjectreviews"], ["create"])
    ]
  },
  {
    name: "system:service-account-issuer-discovery",
    rules: [nonResource(["/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/"], ["get"])]
  },
  { name: "system:heapster", rules: [rule([""], ["events", "namespaces", "nodes", "pods"], read), rule(["extensions"], ["deployments"], read)] },
  { name: "system:node", rules: nodeRules },
  {
    name: "system:node-problem-detector",
    rules: [rule([""], ["nodes"], ["get"]), rule([""], ["nodes/status"], ["patch"]), events]
  },
  { name: "system:node-proxier", rules: proxierRules },
  {
    name: "system:kubelet-api-admin",
    rules: [
      rule([""], ["nodes"], [...read, "proxy"]),
      rule([""], ["nodes/log", "nodes/metrics", "nodes/proxy", "nodes/stats"], ["*"])
    ]
  },
  {
    name: "system:node-bootstrapper",
    rules: [rule(["certificates.k8s.io"], ["certificatesigningrequests"], ["create", ...read])]
  },
  {
    name: "system:auth-delegator",
    rules: [
      rule(["authentication.k8s.io"], ["tokenreviews"], ["create"]),
      rule(["authorization.k8s.io"], ["subjectaccessreviews"], ["create"])
    ]
  },
  { name: "system:kube-aggregator", rules: [rule([""], ["endpoints", "services"], read)] },
  { name: "system:kube-controller-manager", rules: managerRules },
  { name: "system:kube-dns", rules: [rule([""], ["endpoints", "services"], ["list", "watch"])] },
  {
    name: "system:persistent-volume-provisioner",
    rules: [
      rule([""], ["persistentvolumes"], ["create", "delete", ...read]),
      rule([""], ["persistentvolumeclaims"], [...read, "update"]),
      rule(["storage.k8s.io"], ["storageclasses"], read),
      rule([""], ["events"], ["watch"]),
      events
    ]
  },
  { name: "system:volume-scheduler", rules: [
    rule([""], ["persistentvolumes"], ["get", "list", "patch", "update", "watch"]),
    rule(["storage.k8s.io"], ["storageclasses"], read),
    rule([""], ["persistentvolumeclaims"], ["get", "list", "patch", "update", "watch"])
  ] },
  { name: "system:kube-scheduler", rules: schedulerRules },
  approver("kube-apiserver-client"),
  approver("kube-apiserver-client-kubelet"),
  approver("kubelet-serving"),
  approver("legacy-unknown"),
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:nodeclient",
    rules: [rule(["certificates.k8s.io"], ["certificatesigningrequests/nodeclient"], ["create"])]
  },
  {
    name: "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
    rules: [rule(["certificates.k8s.io"], ["certificatesigningrequests/selfnodeclient"], ["create"])]
  },
  { name: "system:cluster-trust-bundle-discovery", rules: [rule(["certificates.k8s.io"], ["clustertrustbundles"], read)] }
]

/** Default ClusterRoles. @category constructors */
export const clusterRoles: ReadonlyArray<RbacV1.ClusterRole> = [
  ...systemRoles,
  ...UserRoles.all,
  ...controllers.roles
].map(clusterRole)

const everyone = group("system:authenticated")

/** Default ClusterRoleBindings. @category constructors */
export const clusterRoleBindings: ReadonlyArray<RbacV1.ClusterRoleBinding> = [
  bind("cluster-admin", [group("system:masters")]),
  bind("system:monitoring", [group("system:monitoring")]),
  bind("system:discovery", [everyone]),
  bind("system:basic-user", [everyone]),
  bind("system:public-info-viewer", [everyone, group("system:unauthenticated")]),
  bind("system:service-account-issuer-discovery", [group("system:serviceaccounts")]),
  bind("system:cluster-trust-bundle-discovery", [group("system:serviceaccounts")]),
  bind("system:node-proxier", [user("system:kube-proxy")]),
  bind("system:kube-controller-manager", [user("system:kube-controller-manager")]),
  bind("system:kube-dns", [serviceAccount("kube-system", "kube-dns")]),
  bind("system:kube-scheduler", [user("system:kube-scheduler")]),
  bind("system:volume-scheduler", [user("system:kube-scheduler")]),
  // The rules of nodes depend on the node, which a role cannot say; the role stands for tools that look for it.
  bind("system:node", []),
  ...controllers.roles.map(({ name }) => bind(name, [serviceAccount("kube-system", name.slice(name.lastIndexOf(":") + 1))]))
]

const leaderRules = (name: string): ReadonlyArray<RbacV1.PolicyRule> => [
  rule([""], ["configmaps"], ["watch"]),
  { ...rule([""], ["configmaps"], ["get", "update"]), resourceNames: [name] }
]

/** Default Roles. @category constructors */
export const roles: ReadonlyArray<RbacV1.Role> = [
  role("kube-system", "extension-apiserver-authentication-reader", [
    { ...rule([""], ["configmaps"], read), resourceNames: ["extension-apiserver-authentication"] }
  ]),
  role("kube-system", "system:controller:bootstrap-signer", [rule([""], ["secrets"], read)]),
  role("kube-system", "system:controller:cloud-provider", [rule([""], ["configmaps"], ["create", ...read, "update"])]),
  role("kube-system", "system:controller:token-cleaner", [rule([""], ["secrets"], ["delete", ...read]), events]),
  role("kube-system", "system::leader-locking-kube-controller-manager", leaderRules("kube-controller-manager")),
  role("kube-system", "system::leader-locking-kube-scheduler", leaderRules("kube-scheduler")),
  role("kube-public", "system:controller:bootstrap-signer", [
    rule([""], ["configmaps"], read),
    { ...rule([""], ["configmaps"], ["update"]), resourceNames: ["cluster-info"] },
    events
  ])
]

/** Default RoleBindings. @category constructors */
export const roleBindings: ReadonlyArray<RbacV1.RoleBinding> = [
  bindRole("kube-system", "system::extension-apiserver-authentication-reader", "extension-apiserver-authentication-reader", [
    user("system:kube-controller-manager"),
    user("system:kube-scheduler")
  ]),
  bindRole("kube-system", "system::leader-locking-kube-controller-manager", "system::leader-locking-kube-controller-manager", [
    user("system:kube-controller-manager"),
    serviceAccount("kube-system", "kube-controller-manager")
  ]),
  bindRole("kube-system", "system::leader-locking-kube-scheduler", "system::leader-locking-kube-scheduler", [
    user("system:kube-scheduler"),
    serviceAccount("kube-system", "kube-scheduler")
  ]),
  bindRole("kube-system", "system:controller:bootstrap-signer", "system:controller:bootstrap-signer", [serviceAccount("kube-system", "bootstrap-signer")]),
  bindRole("kube-system", "system:controller:cloud-provider", "system:controller:cloud-provider", [serviceAccount("kube-system", "cloud-provider")]),
  bindRole("kube-system", "system:controller:token-cleaner", "system:controller:token-cleaner", [serviceAccount("kube-system", "token-cleaner")]),
  bindRole("kube-public", "system:controller:bootstrap-signer", "system:controller:bootstrap-signer", [serviceAccount("kube-system", "bootstrap-signer")])
]

/** All default objects, in the order in which they are created: roles before what binds them. @category constructors */
export const all: ReadonlyArray<RbacV1.ClusterRole | RbacV1.Role | RbacV1.ClusterRoleBinding | RbacV1.RoleBinding> = [
  ...clusterRoles,
  ...roles,
  ...clusterRoleBindings,
  ...roleBindings
]
