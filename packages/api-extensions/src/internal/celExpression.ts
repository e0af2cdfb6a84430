/** Expressions that can run: parsed, checked, and paying for their steps. */
import type { Environment } from "@marcbachmann/cel-js"
import { isArray } from "../JsonSchema.js"
import { instrument, type Meter, metered } from "./celMeter.js"
import { rename } from "./celSource.js"

/** A compiled expression. */
export interface Expression {
  /** Its value; throws when the expression fails, or when the meter is empty. */
  readonly evaluate: (variables: Readonly<Record<string, unknown>>, meter: Meter) => unknown
  /** Name of the type of its value. */
  readonly type: string
  /** Names in it that may be those of variables. */
  readonly names: ReadonlySet<string>
}

const namesIn = (node: unknown, names: Set<string>): Set<string> => {
  if (isArray(node)) for (const one of node) namesIn(one, names)
  else if (typeof node === "object" && node !== null && "op" in node && "args" in node) {
    if (node.op === "id" && typeof node.args === "string") names.add(node.args)
    else namesIn(node.args, names)
  }
  return names
}

/** What a failure says, in one line. */
export const summaryOf = (problem: unknown): string => {
  if (!(problem instanceof Error)) return String(problem)
  const summary: unknown = Reflect.get(problem, "summary")
  return typeof summary === "string" ? summary : problem.message.split("\n")[0] ?? ""
}

/** Longer expressions are refused. */
const maximumLength = 20_000

/** Compiles an expression; a text says what is wrong with it. */
export const compile = (env: Environment, source: string): Expression | string => {
  if (source.length > maximumLength) return `the expression is longer than ${maximumLength} characters`
  try {
    const parsed = env.parse(rename(source))
    const names = namesIn(parsed.ast, new Set())
    const checked = parsed.check()
    if (!checked.valid) return summaryOf(checked.error)
    instrument(parsed.ast)
    return { evaluate: (variables, meter) => metered(meter, (): unknown => parsed(variables)), type: checked.type ?? "dyn", names }
  } catch (problem) {
    return summaryOf(problem)
  }
}
