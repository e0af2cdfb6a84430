/** The roles of controllers that run under their own ServiceAccounts in `kube-system`. */
import type { RbacV1 } from "@reddwarf/api-types"
import { type ClusterRoleData, rule } from "./RoleData.js"

const read = ["get", "list", "watch"]
const events: RbacV1.PolicyRule = rule(["", "events.k8s.io"], ["events"], ["create", "patch", "update"])

const controller = (name: string, rules: ReadonlyArray<RbacV1.PolicyRule>): ClusterRoleData => ({
  name: `system:controller:${name}`,
  rules
})

const podOwner = (group: string, resource: string): ReadonlyArray<RbacV1.PolicyRule> => [
  rule([group], [resource], ["get", "list", "update", "watch"]),
  rule([group], [`${resource}/status`], ["update"]),
  rule([group], [`${resource}/finalizers`], ["update"]),
  rule([""], ["pods"], ["create", "delete", "list", "patch", "watch"]),
  events
]

/** Default roles of controllers. @category constructors */
export const roles: ReadonlyArray<ClusterRoleData> = [
  controller("clusterrole-aggregation-controller", [
    rule(["rbac.authorization.k8s.io"], ["clusterroles"], ["escalate", "get", "list", "patch", "update", "watch"])
  ]),
  controller("cronjob-controller", [
    rule(["batch"], ["cronjobs"], ["get", "list", "update", "watch"]),
    rule(["batch"], ["jobs"], ["create", "delete", "get", "list", "patch", "update", "watch"]),
    rule(["batch"], ["cronjobs/status"], ["update"]),
    rule(["batch"], ["cronjobs/finalizers"], ["update"]),
    rule([""], ["pods"], ["delete", "list"]),
    events
  ]),
  controller("daemon-set-controller", [
    ...podOwner("apps", "daemonsets"),
    rule([""], ["nodes"], ["list", "watch"]),
    rule([""], ["pods/binding"], ["create"]),
    rule(["apps"], ["controllerrevisions"], ["create", "delete", "get", "list", "patch", "update", "watch"])
  ]),
  controller("deployment-controller", [
    rule(["apps"], ["deployments"], ["get", "list", "update", "watch"]),
    rule(["apps"], ["deployments/status"], ["update"]),
    rule(["apps"], ["deployments/finalizers"], ["update"]),
    rule(["apps"], ["replicasets"], ["create", "delete", "get", "list", "patch", "update", "watch"]),
    rule([""], ["pods"], ["get", "list", "update", "watch"]),
    events
  ]),
  controller("disruption-controller", [
    rule(["apps"], ["deployments", "replicasets", "statefulsets"], ["get", "list", "watch"]),
    rule([""], ["replicationcontrollers"], read),
    rule(["policy"], ["poddisruptionbudgets"], read),
    rule(["policy"], ["poddisruptionbudgets/status"], ["update"]),
    rule([""], ["pods/status"], ["patch", "update"]),
    rule(["*"], ["*/scale"], ["get"]),
    events
  ]),
  controller("endpointslice-controller", [
    rule([""], ["nodes", "pods", "services"], read),
    rule([""], ["services/finalizers"], ["update"]),
    rule(["discovery.k8s.io"], ["endpointslices"], ["create", "delete", "get", "list", "update"]),
    events
  ]),
  controller("generic-garbage-collector", [rule(["*"], ["*"], ["delete", "get", "list", "patch", "update", "watch"]), events]),
  controller("horizontal-pod-autoscaler", [
    rule(["autoscaling"], ["horizontalpodautoscalers"], read),
    rule(["autoscaling"], ["horizontalpodautoscalers/status"], ["update"]),
    rule(["*"], ["*/scale"], ["get", "update"]),
    rule([""], ["pods"], ["list"]),
    rule(["metrics.k8s.io"], ["pods"], ["list"]),
    rule(["custom.metrics.k8s.io", "external.metrics.k8s.io"], ["*"], ["get", "list"]),
    events
  ]),
  controller("job-controller", [
    rule(["batch"], ["jobs"], ["get", "list", "patch", "update", "watch"]),
    rule(["batch"], ["jobs/status"], ["update"]),
    rule(["batch"], ["jobs/finalizers"], ["update"]),
    rule([""], ["pods"], ["create", "delete", "list", "patch", "watch"]),
    events
  ]),
  controller("namespace-controller", [
    rule([""], ["namespaces"], ["delete", "get", "list", "watch"]),
    rule([""], ["namespaces/finalize", "namespaces/status"], ["update"]),
    rule(["*"], ["*"], ["delete", "deletecollection", "get", "list"])
  ]),
  controller("node-controller", [
    rule([""], ["nodes"], ["delete", "get", "list", "patch", "update"]),
    rule([""], ["nodes/status"], ["patch", "update"]),
    rule([""], ["pods"], ["delete", "get", "list"]),
    rule([""], ["pods/status"], ["patch", "update"]),
    events
  ]),
  controller("pod-garbage-collector", [
    rule([""], ["pods"], ["delete", "list", "watch"]),
    rule([""], ["nodes"], ["get", "list"]),
    rule([""], ["pods/status"], ["patch"])
  ]),
  controller("replicaset-controller", podOwner("apps", "replicasets")),
  controller("replication-controller", podOwner("", "replicationcontrollers")),
  controller("resourcequota-controller", [
    rule(["*"], ["*"], ["list", "watch"]),
    rule([""], ["resourcequotas/status"], ["update"]),
    events
  ]),
  controller("root-ca-cert-publisher", [rule([""], ["configmaps"], ["create", "update"]), events]),
  controller("service-account-controller", [rule([""], ["serviceaccounts"], ["create"]), events]),
  controller("statefulset-controller", [
    rule([""], ["pods"], ["list", "watch"]),
    rule(["apps"], ["statefulsets"], ["get", "list", "watch"]),
    rule(["apps"], ["statefulsets/status"], ["update"]),
    rule(["apps"], ["statefulsets/finalizers"], ["update"]),
    rule([""], ["pods"], ["create", "delete", "get", "patch", "update"]),
    rule(["apps"], ["controllerrevisions"], ["create", "delete", "get", "list", "patch", "update", "watch"]),
    rule([""], ["persistentvolumeclaims"], ["create", "delete", "get", "list", "update", "watch"]),
    events
  ]),
  controller("ttl-after-finished-controller", [rule(["batch"], ["jobs"], ["delete", "get", "list", "watch"]), events])
]
