/** Two servers in one run: each case goes to one and then to the other, so that what else the machine does touches both. */
import type { Case } from "./Cases.ts"
import type { Result } from "./Load.ts"
import { prepare, tidy } from "./Pods.ts"
import { external, start } from "./Server.ts"

/** A case that runs on a server that others use too. */
type Shared = Extract<Case, { on: unknown }>

/** The results of one case, a pair from each round. */
export interface Pair {
  readonly name: string
  readonly ours: ReadonlyArray<Result>
  readonly theirs: ReadonlyArray<Result>
}

/** Where the other server is. */
export interface Other {
  readonly kubeconfig: string
  readonly url: string | undefined
}

/**
 * Runs `rounds` rounds of all `cases`, each case first on a reddwarf-server that is new in each round, then on the other server, whose
 * objects of the round before are deleted. Both processes run all the time: whoever is not measured has nothing to do.
 */
export const beside = async (cases: ReadonlyArray<Shared>, port: number, other: Other, rounds: number, seen: (result: Result, server: string) => void): Promise<ReadonlyArray<Pair>> => {
  const pairs = cases.map((entry) => ({ name: entry.name, ours: new Array<Result>(), theirs: new Array<Result>() }))
  for (let round = 0; round < rounds; round++) {
    const ours = await start(port)
    try {
      const theirs = await external(other.kubeconfig, other.url)
      for (const server of [ours, theirs]) await prepare(server)
      await tidy(theirs)
      for (const [at, entry] of cases.entries()) {
        const mine = await entry.on(ours)
        seen(mine, "reddwarf-server")
        const yours = await entry.on(theirs)
        seen(yours, "the other")
        pairs[at]?.ours.push(mine)
        pairs[at]?.theirs.push(yours)
      }
      await tidy(theirs)
    } finally {
      await ours.stop()
    }
  }
  return pairs
}

const median = (results: ReadonlyArray<Result>, of: (result: Result) => number): number => {
  const sorted = results.map(of).toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const cell = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : "-").padStart(11)

/** The medians of all rounds, one line for each case: operations a second and p99 of both, and how many times the other's they are. */
export const table = (pairs: ReadonlyArray<Pair>): string => {
  const head = ["ours per s", "theirs", "times", "ours p99", "theirs p99", "times"]
  const lines = pairs.map(({ name, ours, theirs }) => {
    const speeds = [ours, theirs].map((results) => median(results, (result) => result.perSecond))
    const tails = [ours, theirs].map((results) => median(results, (result) => result.p99))
    const ratio = ([a = Number.NaN, b = Number.NaN]: ReadonlyArray<number>): number => a / b
    const cells = [cell(speeds[0] ?? Number.NaN, 1), cell(speeds[1] ?? Number.NaN, 1), cell(ratio(speeds), 2), cell(tails[0] ?? Number.NaN, 1), cell(tails[1] ?? Number.NaN, 1), cell(ratio(tails), 2)]
    return `${name.padEnd(20)}${cells.join("")}`
  })
  return [`${"medians".padEnd(20)}${head.map((word) => word.padStart(11)).join("")}`, ...lines].join("\n")
}
