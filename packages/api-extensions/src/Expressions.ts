/** Expressions in the Common Expression Language over requests and whole objects, as admission policies and match conditions have them. */
import type { Environment } from "@marcbachmann/cel-js"
import * as Either from "effect/Either"
import { type Access, AuthorizerValue, register, types } from "./internal/celAuthorizer.js"
import { make as makeEnvironment } from "./internal/celEnvironment.js"
import * as celExpression from "./internal/celExpression.js"
import { charge, deep, Meter, metered } from "./internal/celMeter.js"
import { dynamic } from "./internal/celTypes.js"

export type { Access } from "./internal/celAuthorizer.js"

/** What evaluations about one request may cost altogether. Make one for each policy that looks at a request. @category models */
export class Budget extends Meter {}

/** Values by the names of their variables, made when they are first asked for. @category models */
export type Values = Readonly<Record<string, unknown>>

/** A compiled expression. @category models */
export interface Expression {
  /** Its value, or why there is none in one line. */
  readonly evaluate: (values: Values, budget: Budget) => Either.Either<unknown, string>
  /** Name of the type of its value; `dyn` when that is not known in advance. */
  readonly type: string
}

/** The variables that every expression may use; those that a request lacks are null. @category models */
export const variables: ReadonlyArray<string> = ["object", "oldObject", "request", "params", "namespaceObject"]

/** Holds a property for each variable. */
class Composed {
  readonly [name: string]: unknown
}

const environment = (): Environment => {
  const env = makeEnvironment()
  register(env)
  for (const name of variables) env.registerVariable(name, "dyn")
  env.registerVariable("authorizer", types.authorizer)
  env.registerType("kubernetes.Variables", Composed)
  env.registerVariable("variables", "kubernetes.Variables")
  return env
}

let shared: Environment | undefined

const readable = (problem: string): string => problem.replace(/^No such key: /, "no such key: ")

/** Compiles an expression; left is what is wrong with it. @category constructors */
export const compile = (source: string): Either.Either<Expression, string> => {
  const compiled = celExpression.compile(shared ??= environment(), source)
  if (typeof compiled === "string") return Either.left(compiled)
  return Either.right({
    type: compiled.type,
    evaluate: (values, budget) => {
      try {
        return Either.right(compiled.evaluate(values, budget))
      } catch (problem) {
        return Either.left(readable(celExpression.summaryOf(problem)))
      }
    }
  })
}

/** A JSON value as expressions see it. @category combinators */
export const valueOf = (json: unknown, budget: Budget): unknown =>
  json === undefined || json === null ? null : metered(budget, () => {
    charge(deep(json))
    return dynamic(json)
  })

/** The `authorizer` of a request: asks what its user may do. @category constructors */
export const authorizer = (access: Access): unknown => new AuthorizerValue(access)

/**
 * The `variables` of a policy. Each is evaluated when an expression asks for it first, with those before it in sight; others are fields that
 * nobody has defined.
 *
 * @category constructors
 */
export const composed = (
  definitions: ReadonlyArray<{ readonly name: string; readonly expression: Either.Either<Expression, string> }>,
  values: Values,
  budget: Budget
): unknown => {
  let scope = new Composed()
  for (const { expression, name } of definitions) {
    const before = scope
    const evaluated = (): Either.Either<unknown, string> =>
      Either.flatMap(expression, (found) => found.evaluate({ ...values, variables: before }, budget))
    let known: Either.Either<unknown, string> | undefined
    scope = new Composed()
    Object.setPrototypeOf(scope, before)
    Object.defineProperty(scope, name, {
      enumerable: true,
      get: () => {
        known ??= evaluated()
        if (Either.isRight(known)) return known.right
        throw new Error(known.left)
      }
    })
  }
  return scope
}
