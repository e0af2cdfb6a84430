/** The language with all functions that Kubernetes adds to it. */
import { Environment } from "@marcbachmann/cel-js"
import { register as registerAddresses } from "./celAddresses.js"
import { register as registerFormats } from "./celFormats.js"
import { register } from "./celFunctions.js"
import { register as registerLists } from "./celLists.js"
import { register as registerLoops } from "./celLoops.js"
import { register as registerSemver } from "./celSemver.js"
import { register as registerSets } from "./celSets.js"
import { register as registerTexts } from "./celTexts.js"

const makeBase = (): Environment => {
  const base = new Environment({
    enableOptionalTypes: true,
    homogeneousAggregateLiterals: false,
    limits: { maxDepth: 64, maxAstNodes: 10_000, maxListElements: 1000, maxMapEntries: 1000, maxCallArguments: 32 }
  })
  for (const add of [register, registerTexts, registerLists, registerLoops, registerSets, registerAddresses, registerFormats, registerSemver]) add(base)
  return base
}

// Most processes never see an expression.
let base: Environment | undefined

/** An environment of its own to declare types and variables in. */
export const make = (): Environment => (base ??= makeBase()).clone()
