import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Expressions from "../src/Expressions.js"

const evaluate = (source: string, given: Record<string, unknown> = {}): unknown => {
  const budget = new Expressions.Budget()
  const object = { metadata: { name: "a", labels: { x: "y" } }, spec: { replicas: 3, list: [{ n: 1 }, { n: 2 }] } }
  const access: Expressions.Access = {
    check: ({ resource, verb }) => ({ allowed: resource === "pods" && verb === "get", reason: "because" }),
    serviceAccount: () => ({ ...access, check: () => ({ allowed: true, reason: "" }) }),
    request: { group: "", resource: "pods", namespace: "default", name: "a" }
  }
  const json = { object, oldObject: null, request: { operation: "CREATE" }, params: null, namespaceObject: null, ...given }
  const values = Object.fromEntries(Object.entries(json).map(([name, value]) => [name, Expressions.valueOf(value, budget)]))
  const all = { ...values, authorizer: Expressions.authorizer(access) }
  const definition = (name: string, text: string) => ({ name, expression: Expressions.compile(text) })
  const composed = Expressions.composed(
    [definition("n", "object.spec.replicas"), definition("twice", "variables.n * 2"), definition("broken", "object.nothing"), definition("itself", "variables.itself"), definition("early", "variables.late"), definition("late", "1")],
    all,
    budget
  )
  return Either.getOrElse(
    Either.flatMap(Expressions.compile(source), (expression) => expression.evaluate({ ...all, variables: composed }, budget)),
    (problem) => `problem: ${problem}`
  )
}

describe("expressions", () => {
  it.each([
    "object.spec.replicas == 3 && has(object.spec.list) && !has(object.spec.other)",
    "object.spec.list.all(i, i.n > 0) && object.metadata.labels['x'] == 'y'",
    "oldObject == null && request.operation == 'CREATE' && params == null",
    "variables.twice == 6 && variables.n == 3",
    "authorizer.group('').resource('pods').namespace('default').check('get').allowed()",
    "!authorizer.path('/x').check('get').allowed() && authorizer.requestResource.check('get').reason() == 'because'",
    "authorizer.serviceAccount('a', 'b').group('apps').resource('deployments').check('delete').allowed()",
    "authorizer.group('').resource('pods').fieldSelector('spec.nodeName=n').labelSelector('a=b').check('get').allowed()",
    "object.?spec.?other.orValue(1) == 1"
  ])("%s", (source) => {
    expect(evaluate(source)).toBe(true)
  })

  it.each([
    ["object.nothing == 1", "no such key: nothing"],
    ["variables.broken == 1", "no such key: nothing"],
    // Variables see those before them.
    ["variables.itself == 1", "no such key: itself"],
    ["variables.early == 1", "no such key: late"],
    ["nobody == 1", "Unknown variable: nobody"],
    ["object.spec.replicas +", ""],
    ["authorizer.path('/a').check('get').allowed() || authorizer.path('/b').check('get').allowed() || authorizer.path('/c').check('get').allowed()", "operation cancelled: actual cost limit exceeded"]
  ])("%s says what is wrong", (source, text) => {
    expect(evaluate(source)).toContain(`problem: ${text}`)
  })
})
