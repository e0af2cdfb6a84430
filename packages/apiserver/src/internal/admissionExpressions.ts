/** Expressions of webhooks and policies, compiled once. */
import { Expressions } from "@reddwarf/api-extensions"
import { Kinds, type KubeObject } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { Attributes, ClusterView } from "../admission/Admission.js"
import type * as Authorizer from "../authorization/Authorizer.js"
import * as UserInfo from "../authentication/UserInfo.js"
import * as admissionRequest from "./admissionRequest.js"

type Compiled = Either.Either<Expressions.Expression, string>

// A cluster has a few hundred of them; a compiled expression takes memory by its length.
const limit = 2048
const maximumCharacters = 1_000_000
const known = new Map<string, Compiled>()
let characters = 0

/** The compiled expression, or what is wrong with it. */
export const compile = (source: string): Compiled => {
  const found = known.get(source)
  if (found !== undefined) return found
  if (known.size >= limit || characters + source.length > maximumCharacters) {
    known.clear()
    characters = 0
  }
  const made = Expressions.compile(source)
  known.set(source, made)
  characters += source.length
  return made
}

/** The value of an expression, or why there is none in the words of Kubernetes. */
export const evaluate = (source: string, values: Expressions.Values, budget: Expressions.Budget): Either.Either<unknown, string> =>
  compile(source).pipe(
    Either.mapLeft((problem) => `compilation error: ${problem}`),
    Either.flatMap((expression) =>
      Either.mapLeft(expression.evaluate(values, budget), (problem) => `expression '${source}' resulted in error: ${problem}`))
  )

type Authorize = (attributes: Authorizer.Attributes) => Authorizer.Decision

const accessOf = (authorize: Authorize, user: UserInfo.UserInfo, attributes: Attributes): Expressions.Access => {
  const { kind, name, namespace, subresource } = attributes
  return {
    check: ({ group = "", name, namespace, path, resource = "", subresource, verb }) => {
      const decision = authorize({
        user,
        verb,
        isResource: path === undefined,
        group,
        version: "*",
        resource,
        subresource: subresource === "" ? undefined : subresource,
        namespace: namespace === "" ? undefined : namespace,
        name: name === "" ? undefined : name,
        path: path ?? ""
      })
      return { allowed: decision.allowed, reason: decision.reason ?? "" }
    },
    serviceAccount: (namespace, name) =>
      accessOf(
        authorize,
        UserInfo.authenticated(`system:serviceaccount:${namespace}:${name}`, ["system:serviceaccounts", `system:serviceaccounts:${namespace}`]),
        attributes
      ),
    request: {
      group: kind.group,
      resource: kind.plural,
      ...(subresource === undefined ? {} : { subresource }),
      ...(namespace === undefined ? {} : { namespace }),
      name
    }
  }
}

/** What expressions are about. */
export interface Question {
  readonly attributes: Attributes
  readonly shown: admissionRequest.Shown
  readonly params: KubeObject.KubeObject | undefined
}

/** The values of the variables for a request. Throws when the budget does not suffice to look at its objects. */
export const valuesOf = (
  { attributes, params, shown }: Question,
  view: ClusterView,
  authorize: Authorize,
  budget: Expressions.Budget
): Expressions.Values => {
  const { object, oldObject, ...head } = admissionRequest.make("", attributes, shown)
  const namespace = attributes.namespace === undefined ? undefined : view.get(Kinds.namespace, undefined, attributes.namespace)
  return {
    object: Expressions.valueOf(object, budget),
    oldObject: Expressions.valueOf(oldObject, budget),
    request: Expressions.valueOf(head, budget),
    namespaceObject: Expressions.valueOf(namespace, budget),
    params: Expressions.valueOf(params, budget),
    variables: Expressions.composed([], {}, budget),
    authorizer: Expressions.authorizer(accessOf(authorize, attributes.user, attributes))
  }
}

const joined = (problems: ReadonlyArray<string>): string => problems.length === 1 ? problems[0] ?? "" : `[${problems.join(", ")}]`

/** Whether all conditions are true. One that is false decides, also when others fail. */
const conditionsHold = (
  conditions: ReadonlyArray<{ readonly expression: string }>,
  values: Expressions.Values,
  budget: Expressions.Budget
): Either.Either<boolean, string> => {
  const failures: Array<string> = []
  for (const { expression } of conditions) {
    const result = evaluate(expression, values, budget)
    if (Either.isLeft(result)) {
      if (!failures.includes(result.left)) failures.push(result.left)
    } else if (result.right !== true) return Either.right(false)
  }
  return failures.length === 0 ? Either.right(true) : Either.left(joined(failures))
}

/** The same with a budget of their own. */
export const conditionsOf = (
  conditions: ReadonlyArray<{ readonly expression: string }>,
  question: Question,
  view: ClusterView,
  authorize: Authorize
): Either.Either<boolean, string> => {
  const budget = new Expressions.Budget()
  return Either.try({
    try: () => valuesOf(question, view, authorize, budget),
    catch: (problem) => problem instanceof Error ? problem.message : String(problem)
  }).pipe(Either.flatMap((values) => conditionsHold(conditions, values, budget)))
}
