/** Short forms in which the default policy is written down. */
import type { RbacV1 } from "@reddwarf/api-types"

const apiVersion = "rbac.authorization.k8s.io/v1"
const apiGroup = "rbac.authorization.k8s.io"

/** A ClusterRole by what is particular to it. @category models */
export interface ClusterRoleData {
  readonly name: string
  readonly rules: ReadonlyArray<RbacV1.PolicyRule>
  readonly labels?: Readonly<Record<string, string>>
  /** The role also has the rules of the roles with one of these labels set to `"true"`. */
  readonly collects?: ReadonlyArray<string>
}

/** Verbs on resources of groups. @category constructors */
export const rule = (apiGroups: ReadonlyArray<string>, resources: ReadonlyArray<string>, verbs: ReadonlyArray<string>): RbacV1.PolicyRule => ({
  verbs,
  apiGroups,
  resources
})

/** Verbs on paths. @category constructors */
export const nonResource = (nonResourceURLs: ReadonlyArray<string>, verbs: ReadonlyArray<string>): RbacV1.PolicyRule => ({
  verbs,
  nonResourceURLs
})

// How tools tell the objects that come with every cluster, and that these are completed at every start.
const bootstrapLabel = { "kubernetes.io/bootstrapping": "rbac-defaults" }
const annotations = { "rbac.authorization.kubernetes.io/autoupdate": "true" }

/** The ClusterRole of its data. @category constructors */
export const clusterRole = ({ collects, labels, name, rules }: ClusterRoleData): RbacV1.ClusterRole => ({
  apiVersion,
  kind: "ClusterRole",
  metadata: { name, labels: { ...bootstrapLabel, ...labels }, annotations },
  rules,
  ...(collects === undefined
    ? {}
    : { aggregationRule: { clusterRoleSelectors: collects.map((label) => ({ matchLabels: { [label]: "true" } })) } })
})

/** A Role. @category constructors */
export const role = (namespace: string, name: string, rules: ReadonlyArray<RbacV1.PolicyRule>): RbacV1.Role => ({
  apiVersion,
  kind: "Role",
  metadata: { namespace, name, labels: bootstrapLabel, annotations },
  rules
})

/** Members of a group. @category constructors */
export const group = (name: string): RbacV1.Subject => ({ kind: "Group", apiGroup, name })

/** One user. @category constructors */
export const user = (name: string): RbacV1.Subject => ({ kind: "User", apiGroup, name })

/** A ServiceAccount. @category constructors */
export const serviceAccount = (namespace: string, name: string): RbacV1.Subject => ({ kind: "ServiceAccount", name, namespace })

/** Binds a ClusterRole under its own name. @category constructors */
export const bind = (name: string, subjects: ReadonlyArray<RbacV1.Subject>): RbacV1.ClusterRoleBinding => ({
  apiVersion,
  kind: "ClusterRoleBinding",
  metadata: { name, labels: bootstrapLabel, annotations },
  ...(subjects.length === 0 ? {} : { subjects }),
  roleRef: { apiGroup, kind: "ClusterRole", name }
})

/** Binds a Role of the same namespace. @category constructors */
export const bindRole = (namespace: string, name: string, to: string, subjects: ReadonlyArray<RbacV1.Subject>): RbacV1.RoleBinding => ({
  apiVersion,
  kind: "RoleBinding",
  metadata: { namespace, name, labels: bootstrapLabel, annotations },
  subjects,
  roleRef: { apiGroup, kind: "Role", name: to }
})
