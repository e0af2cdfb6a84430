/** Loops with two variables (key and value, or index and item), and `sortBy`. */
import type { Environment } from "@marcbachmann/cel-js"
import { isArray, isObject } from "../JsonSchema.js"
import { sortedPlaces } from "./celLists.js"
import { fail } from "./celFailure.js"
import { type Call, type Checker, type Evaluator, type Macro, type MacroType, type Scope, variable } from "./celMacro.js"

type Entry = readonly [key: unknown, value: unknown]

const entriesOf = (value: unknown): ReadonlyArray<Entry> => {
  if (isArray(value)) return value.map((item, index) => [BigInt(index), item])
  if (value instanceof Map) return [...value]
  return isObject(value) ? Object.entries(value) : fail("a loop needs a list or a map")
}

/** Runs the body of a loop for one entry. */
type Body = (entry: Entry) => unknown

interface Loop {
  /** Type of the whole, given that of the keys and of the body. */
  readonly typeOf: (checker: Checker, key: MacroType, body: MacroType) => MacroType
  readonly run: (entries: ReadonlyArray<Entry>, body: Body) => unknown
}

const truth = (value: unknown): boolean => typeof value === "boolean" ? value : fail("the predicate of a loop must be a bool")

/** A failure counts only when no other entry decides. */
const decide = (decisive: boolean) => (entries: ReadonlyArray<Entry>, body: Body): boolean => {
  let failure: { readonly cause: unknown } | undefined
  for (const entry of entries) {
    try {
      if (truth(body(entry)) === decisive) return decisive
    } catch (cause) {
      failure ??= { cause }
    }
  }
  if (failure !== undefined) throw failure.cause
  return !decisive
}

const merged = (maps: ReadonlyArray<unknown>): ReadonlyMap<unknown, unknown> => {
  const result = new Map<unknown, unknown>()
  for (const [key, value] of maps.flatMap(entriesOf)) {
    if (result.has(key)) return fail(`insert failed: key '${String(key)}' already exists`)
    result.set(key, value)
  }
  return result
}

const bool: Loop["typeOf"] = (checker) => checker.getType("bool")

const predicates: Readonly<Record<string, Loop>> = {
  all: { typeOf: bool, run: decide(false) },
  exists: { typeOf: bool, run: decide(true) },
  existsOne: { typeOf: bool, run: (entries, body) => entries.filter((entry) => truth(body(entry))).length === 1 }
}

const transforms: Readonly<Record<string, Loop>> = {
  transformList: {
    typeOf: (checker, _, body) => checker.registry.getListType(body),
    run: (entries, body) => entries.map(body)
  },
  transformMap: {
    typeOf: (checker, key, body) => checker.registry.getMapType(key, body),
    run: (entries, body) => new Map(entries.map((entry) => [entry[0], body(entry)]))
  },
  transformMapEntry: { typeOf: (_, _key, body) => body, run: (entries, body) => merged(entries.map(body)) }
}

interface Scopes {
  readonly outer: Scope
  readonly inner: Scope
}

const macroOf = ({ run, typeOf }: Loop, hasFilter: boolean) => ({ args, receiver }: Call): Macro => {
  let scopes: Scopes | undefined
  const filter = hasFilter ? args[2] : undefined
  const body = args[hasFilter ? 3 : 2]
  const within = (evaluator: Evaluator, scope: Scope, node: unknown): Body => {
    if (scopes === undefined) return fail("the loop was not checked")
    const { inner, outer } = scopes
    return ([key, value]) => evaluator.run(node, inner.reuse(outer.reuse(scope).setIterValue(key, evaluator)).setIterValue(value, evaluator))
  }
  return {
    args,
    receiver,
    async: false,
    typeCheck: (checker, _, scope) => {
      const over = checker.check(receiver, scope)
      if (!["list", "map", "dyn"].includes(over.kind)) {
        throw checker.createError("invalid_comprehension_range", `Expression of type '${over.name}' cannot be range of a comprehension (must be list, map, or dynamic).`, receiver)
      }
      const key = over.kind === "map" ? over.keyType : checker.getType(over.kind === "list" ? "int" : "dyn")
      const outer = scope.forkWithVariable(variable(checker, args[0]), key)
      const inner = outer.forkWithVariable(variable(checker, args[1]), over.kind === "dyn" ? over : over.valueType)
      scopes = { outer, inner }
      if (filter !== undefined) checker.check(filter, inner)
      return typeOf(checker, key, checker.check(body, inner))
    },
    evaluate: (evaluator, _, scope) => {
      const entries = entriesOf(evaluator.run(receiver, scope))
      const passes = within(evaluator, scope, filter)
      return run(filter === undefined ? entries : entries.filter((entry) => truth(passes(entry))), within(evaluator, scope, body))
    }
  }
}

const sortBy = ({ args, receiver }: Call): Macro => {
  let inner: Scope | undefined
  return {
    args,
    receiver,
    async: false,
    typeCheck: (checker, _, scope) => {
      const over = checker.check(receiver, scope)
      if (over.kind !== "list" && over.kind !== "dyn") throw checker.createError("no_matching_overload", `found no matching overload for '${over.name}.sortBy'`, receiver)
      inner = scope.forkWithVariable(variable(checker, args[0]), over.kind === "list" ? over.valueType : over)
      checker.check(args[1], inner)
      return over
    },
    evaluate: (evaluator, _, scope) => {
      const list = evaluator.run(receiver, scope)
      if (!isArray(list) || inner === undefined) return fail("sortBy needs a list")
      const of = inner
      return sortedPlaces(list.map((item) => evaluator.run(args[1], of.reuse(scope).setIterValue(item, evaluator)))).map((place) => list[place])
    }
  }
}

/** Adds them to an environment. */
export const register = (env: Environment): void => {
  for (const [name, loop] of Object.entries(predicates)) env.registerFunction(`list.${name}(ast, ast, ast): bool`, macroOf(loop, false))
  for (const [name, loop] of Object.entries(transforms)) {
    env.registerFunction(`list.${name}(ast, ast, ast): dyn`, macroOf(loop, false))
    env.registerFunction(`list.${name}(ast, ast, ast, ast): dyn`, macroOf(loop, true))
  }
  env.registerFunction("list.sortBy(ast, ast): list<dyn>", sortBy)
}
