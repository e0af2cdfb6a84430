/** The parts of the library's interface for macros that ours use. */

/** A type as the checker knows it. */
export interface MacroType {
  readonly name: string
  readonly kind: string
  readonly keyType: MacroType
  readonly valueType: MacroType
}

/** Variables in sight; `reuse` and `setIterValue` give the scope in which a body runs. */
export interface Scope {
  readonly forkWithVariable: (name: string, type: MacroType) => Scope
  readonly reuse: (parent: Scope) => Scope
  readonly setIterValue: (value: unknown, evaluator: Evaluator) => Scope
}

export interface Checker {
  readonly check: (node: unknown, scope: Scope) => MacroType
  readonly getType: (name: string) => MacroType
  readonly createError: (code: string, message: string, node: unknown) => Error
  readonly registry: {
    readonly getListType: (item: MacroType) => MacroType
    readonly getMapType: (key: MacroType, value: MacroType) => MacroType
  }
}

export interface Evaluator {
  readonly run: (node: unknown, scope: Scope) => unknown
  readonly debugType: (value: unknown) => {
    readonly fieldLazy: (value: unknown, name: unknown, node: unknown, evaluator: Evaluator) => unknown
  }
}

/** How a macro is called. */
export interface Call {
  readonly args: ReadonlyArray<unknown>
  readonly receiver: unknown
}

/** What the library is given for a call of a macro. */
export interface Macro extends Call {
  readonly async: false
  readonly typeCheck: (checker: Checker, macro: Call, scope: Scope) => MacroType
  readonly evaluate: (evaluator: Evaluator, macro: Call, scope: Scope) => unknown
}

/** The name of the variable that an argument declares. */
export const variable = (checker: Checker, node: unknown): string => {
  if (typeof node === "object" && node !== null && "op" in node && node.op === "id" && "args" in node && typeof node.args === "string") return node.args
  throw checker.createError("invalid_macro_argument", "the argument must be a simple name", node)
}
