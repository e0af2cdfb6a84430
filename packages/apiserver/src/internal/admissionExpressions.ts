/** Expressions of webhooks and policies, compiled once. */
import { Expressions } from "@reddwarf/api-extensions"
import { Kinds } from "@reddwarf/api-types"
import * as Either from "effect/Either"
import type { ClusterView } from "../admission/Admission.js"
import type * as Authorizer from "../authorization/Authorizer.js"
import * as UserInfo from "../authentication/UserInfo.js"
import type { Subject } from "./admissionMatch.js"
import type * as admissionRequest from "./admissionRequest.js"

type Compiled = Either.Either<Expressions.Expression, string>

// A cluster has a few hundred of them.
const limit = 2048
const known = new Map<string, Compiled>()

/** The compiled expression, or what is wrong with it. */
export const compile = (source: string): Compiled => {
  const found = known.get(source)
  if (found !== undefined) return found
  if (known.size >= limit) known.clear()
  const made = Expressions.compile(source)
  known.set(source, made)
  return made
}

/** The value of an expression, or why there is none in the words of Kubernetes. */
export const evaluate = (source: string, values: Expressions.Values, budget: Expressions.Budget): Either.Either<unknown, string> =>
  compile(source).pipe(
    Either.mapLeft((problem) => `compilation error: ${problem}`),
    Either.flatMap((expression) =>
      Either.mapLeft(expression.evaluate(values, budget), (problem) => `expression '${source}' resulted in error: ${problem}`))
  )

const accessOf = (
  authorize: (attributes: Authorizer.Attributes) => Authorizer.Decision,
  user: UserInfo.UserInfo,
  { attributes }: Subject
): Expressions.Access => {
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
        { attributes, object: undefined }
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

/** The values of the variables for a request. */
export const valuesOf = (
  subject: Subject,
  request: ReturnType<typeof admissionRequest.make>,
  view: ClusterView,
  authorize: (attributes: Authorizer.Attributes) => Authorizer.Decision,
  budget: Expressions.Budget
): Expressions.Values => {
  const { attributes } = subject
  const { object, oldObject, ...head } = request
  const namespace = attributes.namespace === undefined ? undefined : view.get(Kinds.namespace, undefined, attributes.namespace)
  return {
    object: Expressions.valueOf(object, budget),
    oldObject: Expressions.valueOf(oldObject, budget),
    request: Expressions.valueOf(head, budget),
    namespaceObject: Expressions.valueOf(namespace, budget),
    params: null,
    variables: Expressions.composed([], {}, budget),
    authorizer: Expressions.authorizer(accessOf(authorize, attributes.user, subject))
  }
}

/** Whether all conditions are true. One that is false decides, also when another one fails. */
export const conditionsHold = (
  conditions: ReadonlyArray<{ readonly expression: string }>,
  values: Expressions.Values,
  budget: Expressions.Budget
): Either.Either<boolean, string> => {
  let failure: string | undefined
  for (const { expression } of conditions) {
    const result = evaluate(expression, values, budget)
    if (Either.isLeft(result)) failure ??= result.left
    else if (result.right !== true) return Either.right(false)
  }
  return failure === undefined ? Either.right(true) : Either.left(failure)
}
