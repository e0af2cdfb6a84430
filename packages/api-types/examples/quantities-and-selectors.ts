import { LabelSelector, Quantity } from "@reddwarf/api-types"
import { Console, Effect } from "effect"

const program = Effect.gen(function*() {
  const memory = yield* Quantity.parse("1.5Gi")
  const more = Quantity.add(memory, Quantity.fromBytes(512 * 1024 * 1024))
  yield* Console.log(Quantity.toCanonical(more), Quantity.toNumber(more)) // 2Gi 2147483648

  const selector = yield* LabelSelector.parse("app in (web, api), !canary")
  yield* Console.log(LabelSelector.matches(selector, { app: "web" })) // true

  const error = yield* Effect.flip(LabelSelector.parse("app web"))
  yield* Console.log(error.message) // unable to parse requirement: found 'web', expected: in, notin, =, ==, !=, gt, lt
})

await Effect.runPromise(program)
