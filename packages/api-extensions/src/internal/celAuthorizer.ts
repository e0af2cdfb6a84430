/** `authorizer`: questions of an expression about what the user of the request may do. */
import type { Environment } from "@marcbachmann/cel-js"
import { charge } from "./celMeter.js"

/** What is asked for. */
export interface Asked {
  readonly verb: string
  /** Set for questions about a path; the rest is about a resource. */
  readonly path?: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
}

/** Answers for one user. */
export interface Access {
  readonly check: (asked: Asked) => { readonly allowed: boolean; readonly reason: string }
  /** The same for a ServiceAccount. */
  readonly serviceAccount: (namespace: string, name: string) => Access
  /** What the request itself is about. */
  readonly request: Omit<Asked, "verb">
}

class CheckValue {
  readonly access: Access
  readonly asked: Omit<Asked, "verb">
  constructor(access: Access, asked: Omit<Asked, "verb">) {
    this.access = access
    this.asked = asked
  }
}

class PathCheck extends CheckValue {}
class GroupCheck extends CheckValue {}
class ResourceCheck extends CheckValue {}

/** The value of the variable. */
export class AuthorizerValue {
  readonly access: Access
  readonly requestResource: ResourceCheck
  constructor(access: Access) {
    this.access = access
    this.requestResource = new ResourceCheck(access, access.request)
  }
}

class DecisionValue {
  readonly allowed: boolean
  readonly reason: string
  constructor(allowed: boolean, reason: string) {
    this.allowed = allowed
    this.reason = reason
  }
}

const root = "kubernetes.authorization"

/** Names of the types. */
export const types = {
  authorizer: `${root}.Authorizer`,
  path: `${root}.PathCheck`,
  group: `${root}.GroupCheck`,
  resource: `${root}.ResourceCheck`,
  decision: `${root}.Decision`
} as const

// As much as a question costs in Kubernetes.
const checkSteps = 350_000

const check = ({ access, asked }: CheckValue, verb: string): DecisionValue => {
  charge(checkSteps)
  const { allowed, reason } = access.check({ ...asked, verb })
  return new DecisionValue(allowed, reason)
}

/** Adds the types and their functions to an environment. */
export const register = (env: Environment): void => {
  const { authorizer, decision, group, path, resource } = types
  env.registerType(path, { ctor: PathCheck, fields: {} })
  env.registerType(group, { ctor: GroupCheck, fields: {} })
  env.registerType(resource, { ctor: ResourceCheck, fields: {} })
  env.registerType(decision, { ctor: DecisionValue, fields: {} })
  env.registerType(authorizer, { ctor: AuthorizerValue, fields: { requestResource: resource } })
  env.registerFunction(`${authorizer}.path(string): ${path}`, ({ access }: AuthorizerValue, asked: string) => new PathCheck(access, { path: asked }))
  env.registerFunction(`${authorizer}.group(string): ${group}`, ({ access }: AuthorizerValue, asked: string) => new GroupCheck(access, { group: asked }))
  env.registerFunction(
    `${authorizer}.serviceAccount(string, string): ${authorizer}`,
    ({ access }: AuthorizerValue, namespace: string, name: string) => new AuthorizerValue(access.serviceAccount(namespace, name))
  )
  env.registerFunction(`${group}.resource(string): ${resource}`, ({ access, asked }: CheckValue, name: string) =>
    new ResourceCheck(access, { ...asked, resource: name }))
  for (const field of ["subresource", "namespace", "name"] as const) {
    env.registerFunction(`${resource}.${field}(string): ${resource}`, ({ access, asked }: CheckValue, value: string) =>
      new ResourceCheck(access, { ...asked, [field]: value }))
  }
  // No policy of this server looks at selectors, so whoever may do something may do it to a part.
  for (const selector of ["fieldSelector", "labelSelector"]) env.registerFunction(`${resource}.${selector}(string): ${resource}`, (asked: CheckValue) => asked)
  env.registerFunction(`${path}.check(string): ${decision}`, check)
  env.registerFunction(`${resource}.check(string): ${decision}`, check)
  env.registerFunction(`${decision}.allowed(): bool`, ({ allowed }: DecisionValue) => allowed)
  env.registerFunction(`${decision}.reason(): string`, ({ reason }: DecisionValue) => reason)
  env.registerFunction(`${decision}.errored(): bool`, () => false)
  env.registerFunction(`${decision}.error(): string`, () => "")
}
