/** Lists as sets: `sets.contains`, `sets.equivalent`, `sets.intersects`. */
import type { Environment } from "@marcbachmann/cel-js"
import { celEquals } from "./celFunctions.js"
import { charge } from "./celMeter.js"
import { registerNamespace } from "./celNamespace.js"

type List = ReadonlyArray<unknown>

const has = (list: List, item: unknown): boolean => {
  charge(list.length)
  return list.some((other) => celEquals(other, item))
}

const contains = (list: List, sublist: List): boolean => sublist.every((item) => has(list, item))

/** Adds them to an environment. */
export const register = (env: Environment): void => {
  const type = registerNamespace(env, "sets")
  env.registerFunction(`${type}.contains(list, list): bool`, (_: unknown, list: List, sublist: List) => contains(list, sublist))
  env.registerFunction(`${type}.equivalent(list, list): bool`, (_: unknown, a: List, b: List) => contains(a, b) && contains(b, a))
  env.registerFunction(`${type}.intersects(list, list): bool`, (_: unknown, a: List, b: List) => a.some((item) => has(b, item)))
}
