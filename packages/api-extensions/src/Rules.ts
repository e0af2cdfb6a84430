/** `x-kubernetes-validations`: rules in the Common Expression Language, compiled once per schema. */
import type { ApiextensionsV1 } from "@reddwarf/api-types"
import { FieldError } from "@reddwarf/api-types"
import { type Environment, Optional } from "@marcbachmann/cel-js"
import * as Either from "effect/Either"
import * as FieldPath from "./FieldPath.js"
import * as celExpression from "./internal/celExpression.js"
import { charge, deep, exceeded, Meter, metered } from "./internal/celMeter.js"
import { type CelType, Declarations } from "./internal/celTypes.js"
import { additionalOf, child, equals, get, isArray, isObject, itemsOf, type JsonSchema, propertiesOf } from "./JsonSchema.js"

type Rule = ApiextensionsV1.ValidationRule
type Errors = ReadonlyArray<FieldError.FieldError>

/** A rule that can run. */
interface CompiledRule {
  readonly rule: Rule
  readonly expression: celExpression.Expression
  readonly message: celExpression.Expression | undefined
  /** Below the place of the rule; empty for that place itself. */
  readonly field: string
}

/** What is wrong with a rule, and in which of its fields. @category models */
export interface RuleProblem {
  readonly index: number
  readonly field: "rule" | "messageExpression"
  readonly rule: Rule
  readonly detail: string
}

/** The rules of a schema and of those below it; only branches that have rules. @category models */
export interface RuleTree {
  readonly schema: JsonSchema
  readonly rules: ReadonlyArray<CompiledRule>
  readonly problems: ReadonlyArray<RuleProblem>
  readonly usesOldSelf: ReadonlyArray<number>
  readonly toValue: (json: unknown) => unknown
  readonly items: RuleTree | undefined
  readonly additional: RuleTree | undefined
  readonly properties: ReadonlyMap<string, RuleTree>
}

const usesOldSelf = ({ names }: celExpression.Expression): boolean => names.has("oldSelf")

const fieldOf = (schema: JsonSchema, { fieldPath = "" }: Rule): string => {
  const found = fieldPath === "" ? undefined : FieldPath.find(fieldPath, schema, true)
  return found !== undefined && Either.isRight(found) ? found.right.path : ""
}

const compileRule = (schema: JsonSchema, rule: Rule, index: number, env: Environment): CompiledRule | RuleProblem => {
  const problem = (field: RuleProblem["field"], detail: string): RuleProblem => ({ index, field, rule, detail })
  const expression = celExpression.compile(env, rule.rule)
  if (typeof expression === "string") return problem("rule", `compilation failed: ${expression}`)
  if (expression.type !== "bool" && expression.type !== "dyn") return problem("rule", "cel expression must evaluate to a bool")
  const source = rule.messageExpression ?? ""
  const field = fieldOf(schema, rule)
  if (source === "") return { rule, expression, message: undefined, field }
  const message = celExpression.compile(env, source)
  if (typeof message === "string") return problem("messageExpression", `messageExpression compilation failed: ${message}`)
  if (message.type !== "string" && message.type !== "dyn") return problem("messageExpression", "messageExpression must evaluate to a string")
  return { rule, expression, message, field }
}

const hasRules = (schema: JsonSchema): boolean => {
  if ((schema["x-kubernetes-validations"]?.length ?? 0) > 0) return true
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  return items !== undefined && hasRules(items) || typeof additional === "object" && hasRules(additional) ||
    propertiesOf(schema).some(([, property]) => hasRules(property))
}

interface Declared {
  readonly schema: JsonSchema
  readonly isResource: boolean
}

/** Schemas that have rules themselves. */
const declaring = (schema: JsonSchema, isResource: boolean): ReadonlyArray<Declared> => {
  if (!hasRules(schema)) return []
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const own = (schema["x-kubernetes-validations"]?.length ?? 0) > 0 ? [{ schema, isResource }] : []
  const below = (one: JsonSchema) => declaring(one, one["x-kubernetes-embedded-resource"] === true)
  return [
    ...own,
    ...(items === undefined ? [] : below(items)),
    ...(typeof additional === "object" ? below(additional) : []),
    ...propertiesOf(schema).flatMap(([, property]) => below(property))
  ]
}

const build = (schema: JsonSchema, types: ReadonlyMap<JsonSchema, CelType>, declarations: Declarations): RuleTree | undefined => {
  if (!hasRules(schema)) return undefined
  const rules: Array<CompiledRule> = []
  const problems: Array<RuleProblem> = []
  const type = types.get(schema)
  for (const [index, rule] of (schema["x-kubernetes-validations"] ?? []).entries()) {
    if (type === undefined || rule.rule.trim() === "") continue
    const env = declarations.env.clone()
    env.registerVariable("self", type.name)
    env.registerVariable("oldSelf", rule.optionalOldSelf === true ? `optional<${type.name}>` : type.name)
    const compiled = compileRule(schema, rule, index, env)
    if ("detail" in compiled) problems.push(compiled)
    else rules.push(compiled)
  }
  const items = itemsOf(schema)
  const additional = additionalOf(schema)
  const properties = new Map<string, RuleTree>()
  for (const [name, property] of propertiesOf(schema)) {
    const tree = build(property, types, declarations)
    if (tree !== undefined) properties.set(name, tree)
  }
  return {
    schema,
    rules,
    problems,
    usesOldSelf: rules.flatMap(({ expression, rule }) =>
      usesOldSelf(expression) ? [(schema["x-kubernetes-validations"] ?? []).indexOf(rule)] : []),
    toValue: type?.toValue ?? ((json) => json),
    items: items === undefined ? undefined : build(items, types, declarations),
    additional: typeof additional === "object" ? build(additional, types, declarations) : undefined,
    properties
  }
}

/** Compiles the rules of a schema and of all below it; undefined when there are none. @category constructors */
export const compile = (schema: JsonSchema): RuleTree | undefined => {
  if (!hasRules(schema)) return undefined
  const declarations = new Declarations()
  const types = new Map(declaring(schema, true).map((one) => [one.schema, declarations.typeOf(one.schema, one.isResource)]))
  return build(schema, types, declarations)
}

// ---------------------------------------------------------------------------------------------------------------------
// Evaluation

const exhausted = "validation failed due to running out of cost budget, no further validation rules will be run"

class Run {
  readonly errors: Array<FieldError.FieldError> = []
  readonly meter = new Meter()
  stopped = false

  /** Reports that the rules may go no further: one of them has cost too much, or all of them together. */
  stop(path: string, type: string, rule: string): void {
    this.stopped = true
    const one = `'${exceeded.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${rule}`
    this.errors.push(FieldError.invalid(path, type, this.meter.isEmpty ? exhausted : one))
  }
}

const typeOf = ({ type }: JsonSchema): string => type ?? ""

const withReason = (path: string, value: unknown, detail: string, { reason }: Rule, type: string): FieldError.FieldError => {
  if (reason === "FieldValueForbidden") return FieldError.forbidden(path, detail)
  if (reason === "FieldValueRequired") return FieldError.required(path, detail)
  if (reason === "FieldValueDuplicate") return FieldError.duplicate(path, value)
  // The value of an object or list would drown the message.
  return type === "object" || type === "array"
    ? { path, reason: "FieldValueInvalid", message: `Invalid value: ${detail}` }
    : FieldError.invalid(path, value, detail)
}

const named = ({ message, rule }: Rule): string => (message === undefined || message === "" ? rule : message).trim()

const defaultMessage = (rule: Rule): string =>
  rule.message === undefined || rule.message === "" ? `failed rule: ${rule.rule.trim()}` : rule.message.trim()

const maximumMessage = 5120

const messageOf = (compiled: CompiledRule, variables: Record<string, unknown>, meter: Meter): string => {
  if (compiled.message === undefined) return defaultMessage(compiled.rule)
  try {
    const text = compiled.message.evaluate(variables, meter)
    const trimmed = typeof text === "string" ? text.trim() : ""
    return trimmed === "" || trimmed.includes("\n") || trimmed.length > maximumMessage ? defaultMessage(compiled.rule) : trimmed
  } catch {
    return defaultMessage(compiled.rule)
  }
}

/** The values that the rules of one place see. Making them is paid for as well. */
const variablesOf = (tree: RuleTree, value: unknown, old: unknown, meter: Meter) =>
  metered(meter, () => {
    charge(deep(value) + deep(old))
    return { self: tree.toValue(value), before: old === undefined || old === null ? undefined : tree.toValue(old) }
  })

const runRules = (tree: RuleTree, value: unknown, old: unknown, unchanged: boolean, path: string, run: Run): void => {
  if (tree.rules.length === 0) return
  const type = typeOf(tree.schema)
  let known: { readonly self: unknown; readonly before: unknown } | undefined
  for (const compiled of tree.rules) {
    const { expression, rule } = compiled
    const optional = rule.optionalOldSelf === true
    const transition = usesOldSelf(expression)
    if (transition && (old === undefined || old === null) && !optional) continue
    // What was stored before the rule came stays valid as long as nobody touches it.
    if (!transition && unchanged) continue
    let result: unknown
    let variables: Record<string, unknown> = {}
    try {
      known ??= variablesOf(tree, value, old, run.meter)
      const { before, self } = known
      variables = { self, oldSelf: optional ? before === undefined ? Optional.none() : Optional.of(before) : before ?? self }
      result = expression.evaluate(variables, run.meter)
    } catch (problem) {
      if (run.meter.wasStopped) return run.stop(path, type, named(rule))
      run.errors.push(FieldError.invalid(path, type, `${celExpression.summaryOf(problem)} evaluating rule: ${named(rule)}`))
      continue
    }
    if (result === true) continue
    const at = compiled.field === "" ? path : child(path, compiled.field)
    run.errors.push(withReason(at, value, messageOf(compiled, variables, run.meter), rule, type))
  }
}

/** Finds the old item with the same keys. */
const sameItem = (schema: JsonSchema, old: unknown): (item: unknown) => unknown => {
  if (schema["x-kubernetes-list-type"] !== "map" || !isArray(old)) return () => undefined
  const keys = schema["x-kubernetes-list-map-keys"] ?? []
  const keyOf = (item: unknown): string => JSON.stringify(keys.map((key) => get(item, key) ?? null))
  const known = new Map(old.toReversed().map((item) => [keyOf(item), item]))
  return (item) => known.get(keyOf(item))
}

const walk = (tree: RuleTree, value: unknown, old: unknown, isUpdate: boolean, path: string, run: Run): void => {
  if (run.stopped || value === null || value === undefined) return
  const unchanged = isUpdate && old !== undefined && equals(value, old)
  runRules(tree, value, old, unchanged, path, run)
  if (isArray(value) && tree.items !== undefined) {
    const correlated = sameItem(tree.schema, old)
    for (const [index, item] of value.entries()) {
      // Items that no key correlates are old as long as the whole list is.
      const before = unchanged ? item : correlated(item)
      walk(tree.items, item, before, isUpdate, `${path}[${index}]`, run)
    }
  }
  if (!isObject(value)) return
  // What is replaced as a whole has no old parts to compare with, unless nothing of it was changed.
  const isAtomic = tree.schema["x-kubernetes-map-type"] === "atomic"
  for (const name of Object.keys(value)) {
    const before = isAtomic && !unchanged ? undefined : get(old, name)
    const property = tree.properties.get(name)
    if (property !== undefined) walk(property, value[name], before, isUpdate, child(path, name), run)
    else if (tree.additional !== undefined) walk(tree.additional, value[name], before, isUpdate, `${path}[${name}]`, run)
  }
}

/** Broken rules of a new object, or of a new value that stands at `path`. @category combinators */
export const validate = (tree: RuleTree, value: unknown, path = ""): Errors => {
  const run = new Run()
  walk(tree, value, undefined, false, path, run)
  return run.errors
}

/** Broken rules of an object that replaces another one. @category combinators */
export const validateUpdate = (tree: RuleTree, value: unknown, old: unknown, path = ""): Errors => {
  const run = new Run()
  walk(tree, value, old, true, path, run)
  return run.errors
}
