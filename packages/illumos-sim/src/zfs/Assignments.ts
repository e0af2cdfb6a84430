/** `property=value` arguments of zfs. */
import type { Dataset } from "../HostState.js"
import * as Properties from "./Properties.js"

/** Values by full property name, or why they were refused. @category models */
export type Assignments = { readonly values: Record<string, string> } | { readonly refused: string; readonly bare?: boolean }

/** Checks the arguments of `-o` or of `zfs set`. `bare`: the complaint stands for itself, without the name of a dataset. @category combinators */
export const parse = (pairs: ReadonlyArray<string>, type: Dataset["type"], creating: boolean): Assignments => {
  const values: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf("=")
    if (at <= 0) return { refused: "missing '=' for property=value argument", bare: true }
    const name = pair.slice(0, at)
    const full = Properties.canonical(name)
    if (full === undefined) return { refused: `invalid property '${name}'` }
    if (values[full] !== undefined) return { refused: `property '${full}' specified multiple times`, bare: true }
    const checked = Properties.check(full, pair.slice(at + 1), type, creating)
    if ("refused" in checked) return checked
    values[full] = checked.value
  }
  return { values }
}
