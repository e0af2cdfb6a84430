/**
 * Roles and their bindings in memory, found by subject. Kept by the change feed, in the same step in which the watch cache is:
 * whoever was answered a write of a role is judged by it.
 */
import { type Kind, Kinds, type KubeObject, LabelSelector, type RbacV1 } from "@reddwarf/api-types"
import type { WatchCache } from "@reddwarf/event-bus"
import type { ObjectStore } from "@reddwarf/store"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import type { UserInfo } from "../authentication/UserInfo.js"
import { prefixOf } from "./keys.js"

/** A role that a subject is bound to, and by what. */
export interface Grant {
  readonly binding: RbacV1.RoleBinding | RbacV1.ClusterRoleBinding
  readonly subject: RbacV1.Subject
}

/** The rules of a role; undefined when there is no such role. */
export type Rules = ReadonlyArray<RbacV1.PolicyRule> | undefined

/** The policy in memory. */
export interface RbacIndex {
  /** What a user has everywhere and, with a namespace, there. */
  readonly grants: (user: UserInfo, namespace: string | undefined) => Iterable<Grant>
  /** The rules of the role that a binding in `namespace` (of the cluster when undefined) refers to. */
  readonly rulesOf: (ref: RbacV1.RoleRef, namespace: string | undefined) => Rules
  /** Counts the changes of the policy. */
  readonly version: () => number
}

const serviceAccountName = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`

/** The key under which a subject is found, as users and groups have it. */
const subjectKey = (subject: RbacV1.Subject, namespace: string): string => {
  switch (subject.kind) {
    case "Group":
      return `group ${subject.name}`
    case "ServiceAccount":
      return `user ${serviceAccountName((subject.namespace ?? "") === "" ? namespace : subject.namespace ?? "", subject.name)}`
    default:
      return `user ${subject.name}`
  }
}

/** The grants of one scope: of the cluster, or of a namespace. */
class Scoped {
  readonly #bySubject = new Map<string, Map<string, Grant>>()
  readonly #subjects = new Map<string, ReadonlyArray<string>>()

  remove(key: string): void {
    for (const subject of this.#subjects.get(key) ?? []) {
      const grants = this.#bySubject.get(subject)
      grants?.delete(key)
      if (grants?.size === 0) this.#bySubject.delete(subject)
    }
    this.#subjects.delete(key)
  }

  put(key: string, binding: Grant["binding"], namespace: string): void {
    this.remove(key)
    const keys: Array<string> = []
    for (const subject of binding.subjects ?? []) {
      const found = subjectKey(subject, namespace)
      keys.push(found)
      const grants = this.#bySubject.get(found)
      if (grants === undefined) this.#bySubject.set(found, new Map([[key, { binding, subject }]]))
      else grants.set(key, { binding, subject })
    }
    this.#subjects.set(key, keys)
  }

  *of(user: UserInfo): Generator<Grant> {
    yield* this.#bySubject.get(`user ${user.name}`)?.values() ?? []
    for (const group of user.groups) yield* this.#bySubject.get(`group ${group}`)?.values() ?? []
  }
}

const isSelected = (role: RbacV1.ClusterRole, selectors: ReadonlyArray<LabelSelector.LabelSelector>): boolean =>
  selectors.some((selector) => LabelSelector.matches(selector, role.metadata.labels))

/** Cluster roles; the rules of those that collect others' are put together when first asked for after a change. */
class ClusterRoles {
  readonly #roles = new Map<string, RbacV1.ClusterRole>()
  readonly #collected = new Map<string, Rules>()

  put(name: string, role: RbacV1.ClusterRole | undefined): void {
    if (role === undefined) this.#roles.delete(name)
    else this.#roles.set(name, role)
    this.#collected.clear()
  }

  rules(name: string): Rules {
    const role = this.#roles.get(name)
    if (role?.aggregationRule === undefined) return role === undefined ? undefined : role.rules ?? []
    const known = this.#collected.get(name)
    if (known !== undefined) return known
    const rules = this.#collect(role, new Set())
    this.#collected.set(name, rules)
    return rules
  }

  #collect(role: RbacV1.ClusterRole, visited: Set<RbacV1.ClusterRole>): ReadonlyArray<RbacV1.PolicyRule> {
    if (visited.has(role)) return []
    visited.add(role)
    const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).flatMap((selector) =>
      Either.match(LabelSelector.fromObject(selector), { onLeft: () => [], onRight: (parsed) => [parsed] })
    )
    // What a collecting role says itself is a copy of what it collects, kept for readers; the roles themselves decide.
    if (role.aggregationRule === undefined) return role.rules ?? []
    const others = [...this.#roles.values()].filter((other) => other !== role && isSelected(other, selectors))
    return others.flatMap((other) => this.#collect(other, visited))
  }
}

const decoder = new TextDecoder()

// Under the prefix of a kind there are objects of that kind only.
const isOf = <A extends KubeObject.KubeObject>(value: unknown, kind: Kind.Kind<A>): value is A =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === kind.kind

/** Follows the store until the scope closes. */
export const make = (
  store: Context.Tag.Service<ObjectStore.ObjectStore>,
  cache: Context.Tag.Service<WatchCache.WatchCache>
): Effect.Effect<RbacIndex, never, Scope.Scope> =>
  Effect.gen(function*() {
    const clusterRoles = new ClusterRoles()
    const roles = new Map<string, RbacV1.Role>()
    const everywhere = new Scoped()
    const namespaces = new Map<string, Scoped>()
    const scopeOf = (namespace: string): Scoped => {
      const known = namespaces.get(namespace)
      if (known !== undefined) return known
      const made = new Scoped()
      namespaces.set(namespace, made)
      return made
    }
    const namespaceOf = (rest: string): string => rest.slice(0, Math.max(0, rest.indexOf("/")))
    // One function to a kind, by the prefix of its keys; the object is undefined when it was deleted.
    const takers: ReadonlyArray<readonly [prefix: string, take: (rest: string, object: unknown) => void]> = [
      [prefixOf(Kinds.clusterRole, undefined), (name, object) =>
        clusterRoles.put(name, isOf(object, Kinds.clusterRole) ? object : undefined)],
      [prefixOf(Kinds.role, undefined), (rest, object) => {
        if (isOf(object, Kinds.role)) roles.set(rest, object)
        else roles.delete(rest)
      }],
      [prefixOf(Kinds.clusterRoleBinding, undefined), (name, object) => {
        if (isOf(object, Kinds.clusterRoleBinding)) everywhere.put(name, object, "")
        else everywhere.remove(name)
      }],
      [prefixOf(Kinds.roleBinding, undefined), (rest, object) => {
        const namespace = namespaceOf(rest)
        if (isOf(object, Kinds.roleBinding)) scopeOf(namespace).put(rest, object, namespace)
        else namespaces.get(namespace)?.remove(rest)
      }]
    ]
    let version = 0
    const common = `/${Kinds.role.group}/`
    yield* store.subscribe((changes) => {
      for (const { bytes, key, object, type } of changes) {
        if (!key.startsWith(common)) continue
        version++
        for (const [prefix, take] of takers) {
          if (!key.startsWith(prefix)) continue
          const value: unknown = type === "delete" ? undefined : object ?? JSON.parse(decoder.decode(bytes))
          take(key.slice(prefix.length), value)
        }
      }
    })
    // Nothing is committed between the subscription and this: both run in one step.
    for (const [prefix, take] of takers) for (const entry of cache.list(prefix)) take(entry.key.slice(prefix.length), entry.object)
    return {
      version: () => version,
      grants: function*(user, namespace) {
        yield* everywhere.of(user)
        if (namespace !== undefined) yield* namespaces.get(namespace)?.of(user) ?? []
      },
      rulesOf: (ref, namespace) => {
        if (ref.kind === "ClusterRole") return clusterRoles.rules(ref.name)
        const role = roles.get(`${namespace ?? ""}/${ref.name}`)
        return role === undefined ? undefined : role.rules ?? []
      }
    }
  })
