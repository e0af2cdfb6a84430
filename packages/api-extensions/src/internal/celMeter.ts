/**
 * What an evaluation costs, counted while it runs: every evaluated node of the expression is a step, and what walks a value
 * costs as many steps as it walks. So nothing can run for long, whatever lists a rule makes for itself.
 */
import { isArray } from "../JsonSchema.js"

/** Thrown when an evaluation may go no further. One for all: a loop that catches failures throws it for each of its items. */
export const exceeded: Error = new Error("operation cancelled: actual cost limit exceeded")

/** Steps that one evaluation may take. */
const perCall = 1_000_000

/** Steps for all evaluations about one object. */
const altogether = 10_000_000

/** @category models */
export class Meter {
  #left = altogether
  #call = 0

  /** Everything that was to be spent is spent. */
  get isEmpty(): boolean {
    return this.#left < 0
  }

  /** The evaluation that ran last was stopped. */
  get wasStopped(): boolean {
    return this.#call < 0 || this.isEmpty
  }

  /** @internal */
  begin(): void {
    this.#call = perCall
  }

  /** Takes steps; throws when there are none left. */
  spend(steps: number): void {
    // What is asked for at once ends this evaluation at most.
    const taken = Math.min(steps, perCall + 1)
    this.#call -= taken
    this.#left -= taken
    if (this.wasStopped) throw exceeded
  }
}

// Evaluation is synchronous, so there is one at a time.
let current: Meter | undefined

/** Takes steps from the running evaluation. */
export const charge = (steps: number): void => current?.spend(steps)

/** Runs an evaluation, whose steps the meter pays. An evaluation inside of another one goes on with its limit. */
export const metered = <A>(meter: Meter, evaluate: () => A): A => {
  const before = current
  if (before !== meter) meter.begin()
  current = meter
  try {
    const value = evaluate()
    // A loop may have taken the failure for one of its conditions.
    if (meter.wasStopped) throw exceeded
    return value
  } finally {
    current = before
  }
}

const perText = 16

/** Steps for a look at each member of a value. */
const shallow = (value: unknown): number => {
  if (typeof value === "string") return value.length / perText
  if (isArray(value)) return value.length
  if (value instanceof Map) return value.size
  return value instanceof Uint8Array ? value.length / perText : 0
}

/** Steps for a look at everything in a value. */
export const deep = (value: unknown): number => {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 1 + shallow(value)
  const members: Iterable<unknown> = isArray(value) ? value : value instanceof Map ? value.values() : Object.values(value)
  let total = 1
  for (const member of members) total += deep(member)
  return total
}

type Evaluate = (this: unknown, evaluator: unknown, node: unknown, scope: unknown) => unknown
type Weigh = (value: unknown) => number

interface Node {
  readonly op: string
  readonly args: unknown
  readonly evaluate: Evaluate
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "op" in value && typeof value.op === "string" && "args" in value && "evaluate" in value &&
  typeof value.evaluate === "function"

const nothing: Weigh = () => 0

// Keys are looked up, items are searched.
const searched: Weigh = (value) => value instanceof Map ? 1 : deep(value)

const operands: ReadonlyMap<string, Weigh> = new Map([["==", deep], ["!=", deep], ["in", searched], ["+", shallow]])

/** Functions that do not walk what they are called on; loops pay for each round. */
const constant: ReadonlySet<unknown> = new Set([
  "all", "exists", "exists_one", "existsOne", "map", "filter", "sortBy", "transformList", "transformMap", "transformMapEntry", "size", "bind",
  "orValue", "or", "value", "hasValue"
])

const weighOperands = ({ args, op }: Node): Weigh => {
  if (op === "call" || op === "rcall") return isArray(args) && !constant.has(args[0]) ? shallow : nothing
  return operands.get(op) ?? nothing
}

const meterNode = (node: Node, weigh: Weigh): void => {
  const own = node.op === "+" || node.op === "rcall" || node.op === "call" ? shallow : nothing
  // The library replaces this method when a node is evaluated first.
  let inner = node.evaluate
  const evaluate: Evaluate = (evaluator, self, scope) => {
    charge(1)
    const value = inner.call(node, evaluator, self, scope)
    const steps = weigh(value) + own(value)
    if (steps > 0) charge(steps)
    return value
  }
  Object.defineProperty(node, "evaluate", {
    get: () => evaluate,
    set: (next: Evaluate) => {
      inner = next
    }
  })
}

/** Has every node of a parsed expression pay for its evaluation. */
export const instrument = (parsed: unknown, weigh: Weigh = nothing): void => {
  if (isArray(parsed)) {
    for (const one of parsed) instrument(one, weigh)
    return
  }
  if (!isNode(parsed)) return
  meterNode(parsed, weigh)
  instrument(parsed.args, weighOperands(parsed))
}
