/** The roles of people: view, edit and admin, each of which collects the rules of the roles labelled for it. */
import type { RbacV1 } from "@reddwarf/api-types"
import { type ClusterRoleData, rule } from "./RoleData.js"

const read = ["get", "list", "watch"]
const write = ["create", "delete", "deletecollection", "patch", "update"]

const label = (role: string): string => `rbac.authorization.k8s.io/aggregate-to-${role}`

const viewRules: ReadonlyArray<RbacV1.PolicyRule> = [
  rule([""], [
    "configmaps",
    "endpoints",
    "persistentvolumeclaims",
    "persistentvolumeclaims/status",
    "pods",
    "replicationcontrollers",
    "replicationcontrollers/scale",
    "serviceaccounts",
    "services",
    "services/status"
  ], read),
  rule([""], [
    "bindings",
    "events",
    "limitranges",
    "namespaces/status",
    "pods/log",
    "pods/status",
    "replicationcontrollers/status",
    "resourcequotas",
    "resourcequotas/status"
  ], read),
  rule([""], ["namespaces"], read),
  rule(["events.k8s.io"], ["events"], read),
  rule(["discovery.k8s.io"], ["endpointslices"], read),
  rule(["apps"], [
    "controllerrevisions",
    "daemonsets",
    "daemonsets/status",
    "deployments",
    "deployments/scale",
    "deployments/status",
    "replicasets",
    "replicasets/scale",
    "replicasets/status",
    "statefulsets",
    "statefulsets/scale",
    "statefulsets/status"
  ], read),
  rule(["autoscaling"], ["horizontalpodautoscalers", "horizontalpodautoscalers/status"], read),
  rule(["batch"], ["cronjobs", "cronjobs/status", "jobs", "jobs/status"], read),
  rule(["policy"], ["poddisruptionbudgets", "poddisruptionbudgets/status"], read),
  rule(["networking.k8s.io"], ["ingresses", "ingresses/status", "networkpolicies"], read),
  rule(["resource.k8s.io"], ["resourceclaims", "resourceclaims/status", "resourceclaimtemplates"], read)
]

const editRules: ReadonlyArray<RbacV1.PolicyRule> = [
  rule([""], ["pods/attach", "pods/exec", "pods/portforward", "pods/proxy", "secrets", "services/proxy"], read),
  rule([""], ["serviceaccounts"], ["impersonate"]),
  rule([""], ["pods", "pods/attach", "pods/exec", "pods/portforward", "pods/proxy"], write),
  rule([""], ["pods/eviction"], ["create"]),
  rule([""], [
    "configmaps",
    "events",
    "persistentvolumeclaims",
    "replicationcontrollers",
    "replicationcontrollers/scale",
    "secrets",
    "serviceaccounts",
    "services",
    "services/proxy"
  ], write),
  rule([""], ["serviceaccounts/token"], ["create"]),
  rule(["events.k8s.io"], ["events"], write),
  rule(["apps"], [
    "daemonsets",
    "deployments",
    "deployments/rollback",
    "deployments/scale",
    "replicasets",
    "replicasets/scale",
    "statefulsets",
    "statefulsets/scale"
  ], write),
  rule(["autoscaling"], ["horizontalpodautoscalers"], write),
  rule(["batch"], ["cronjobs", "jobs"], write),
  rule(["policy"], ["poddisruptionbudgets"], write),
  rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], write),
  rule(["coordination.k8s.io"], ["leases"], [...write, ...read]),
  rule(["resource.k8s.io"], ["resourceclaims", "resourceclaimtemplates"], write)
]

const adminRules: ReadonlyArray<RbacV1.PolicyRule> = [
  rule(["authorization.k8s.io"], ["localsubjectaccessreviews"], ["create"]),
  rule(["rbac.authorization.k8s.io"], ["rolebindings", "roles"], [...write, ...read])
]

/** What is measured, for whoever may look at what it is measured of. */
const metricsRules: ReadonlyArray<RbacV1.PolicyRule> = [rule(["metrics.k8s.io"], ["nodes", "pods"], read)]

/** What is done to zones is for all to see. Their objects come and go with the pods; power, pause and update policy are set by a change. */
const zoneRules = {
  view: [rule(["reddwarf.io"], ["zoneinstances"], read)],
  edit: [rule(["reddwarf.io"], ["zoneinstances"], ["patch", "update"])]
}

const labelled = (...roles: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  Object.fromEntries(roles.map((role) => [label(role), "true"]))

/** The roles that people are bound to, and those that they are made of. @category constructors */
export const all: ReadonlyArray<ClusterRoleData> = [
  // What is collected is written down as well, for readers of the roles.
  { name: "admin", rules: [...adminRules, ...editRules, ...viewRules, ...metricsRules, ...zoneRules.edit, ...zoneRules.view], collects: [label("admin")] },
  { name: "edit", rules: [...editRules, ...viewRules, ...metricsRules, ...zoneRules.edit, ...zoneRules.view], collects: [label("edit")], labels: labelled("admin") },
  { name: "view", rules: [...viewRules, ...metricsRules, ...zoneRules.view], collects: [label("view")], labels: labelled("edit") },
  { name: "system:aggregated-metrics-reader", rules: metricsRules, labels: labelled("admin", "edit", "view") },
  { name: "reddwarf:zoneinstances-edit", rules: zoneRules.edit, labels: labelled("admin", "edit") },
  { name: "reddwarf:zoneinstances-view", rules: zoneRules.view, labels: labelled("admin", "edit", "view") },
  { name: "system:aggregate-to-admin", rules: adminRules, labels: labelled("admin") },
  { name: "system:aggregate-to-edit", rules: editRules, labels: labelled("edit") },
  { name: "system:aggregate-to-view", rules: viewRules, labels: labelled("view") }
]
