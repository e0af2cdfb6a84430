import * as FastCheck from "effect/FastCheck"

/**
 * How long and from where property tests search. A search from a new place each time finds more, so that is what a developer gets;
 * the gate says the same of the same commit, so it names its seed.
 */
const number = (name: string) => {
  const text = process.env[name]
  return text === undefined || text === "" ? undefined : Number(text)
}

const seed = number("REDDWARF_PROPERTY_SEED")
const numRuns = number("REDDWARF_PROPERTY_RUNS")

FastCheck.configureGlobal({
  ...FastCheck.readConfigureGlobal(),
  ...(seed === undefined ? {} : { seed }),
  ...(numRuns === undefined ? {} : { numRuns })
})
