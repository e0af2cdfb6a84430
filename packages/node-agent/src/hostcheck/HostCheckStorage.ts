/** Checks of where data goes: the pool of the zones, and the agent's own directory. */
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { ZfsOutput, ZpoolCommands } from "@reddwarf/storage-zfs"
import * as Effect from "effect/Effect"
import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import { type Check, ok, type Outcome, problem, unknown, warning, worst } from "./HostCheck.js"

const gibibyte = 1024 ** 3
const size = (bytes: number): string => `${(bytes / gibibyte).toFixed(1)} GiB`

/** From this share on, ZFS takes longer to find free blocks; from the second, little is left. */
const slowShare = 0.8
const fullShare = 0.95

const ofPool = ({ allocated, health, name, size: total }: ZfsOutput.PoolRow): Outcome => {
  const share = total === 0 ? 0 : allocated / total
  const found = `${name} is ${health}, ${Math.round(share * 100)} % of ${size(total)} used`
  const state = health === "ONLINE"
    ? ok(found)
    : health === "DEGRADED"
    ? warning(found, `a device of the pool is gone: see zpool status ${name}, and replace it`)
    : problem(found, `see zpool status ${name}; nothing can be stored before it is ONLINE`)
  const room = share >= fullShare
    ? problem(found, "remove images, snapshots or data, or add devices to the pool")
    : share >= slowShare
    ? warning(found, "the pool gets slow from 80 % on: remove what is not needed, or add devices")
    : ok(found)
  return worst([state, room])
}

/** The pool that holds zones, images and volumes; `dataset` is a pool, or a dataset below one. @category constructors */
export const pool = (dataset: string): Check<CommandRunner.CommandRunner> => ({
  name: "pool",
  ask: Effect.gen(function*() {
    const runner = yield* CommandRunner.CommandRunner
    const name = dataset.split("/")[0] ?? dataset
    const { exitCode, stderr, stdout } = yield* runner.run(ZpoolCommands.listAll)
    if (exitCode !== 0) return unknown(`the pools cannot be listed: ${stderr.trim()}`, "run zpool list by hand")
    const pools = ZfsOutput.parsePools(stdout)
    const found = pools.find((row) => row.name === name)
    if (found !== undefined) return ofPool(found)
    const others = pools.map((row) => row.name).join(", ")
    return problem(`there is no pool ${name}`, others === "" ? "create one with zpool create" : `name one with --storage-pool: ${others}`)
  })
})

/** What is known of the space below a directory, in bytes. @category models */
export interface Space {
  readonly available: number
  /** Whether the agent may write there. */
  readonly writable: boolean
}

/** The space below a directory, or below the nearest one above it that exists. @category constructors */
export const spaceOf = (directory: string): Effect.Effect<Space, { readonly message: string }> =>
  Effect.tryPromise({
    try: async () => {
      const { bavail, bsize } = await fs.statfs(directory)
      return { available: bavail * bsize, writable: await fs.access(directory, fs.constants.W_OK).then(() => true, () => false) }
    },
    catch: (error) => ({ message: error instanceof Error ? error.message : String(error), code: error instanceof Error && "code" in error ? error.code : undefined })
  }).pipe(
    Effect.catchIf(
      ({ code }) => code === "ENOENT" && dirname(directory) !== directory,
      () => Effect.suspend(() => spaceOf(dirname(directory)))
    )
  )

const littleSpace = gibibyte
const noSpace = gibibyte / 10

/** Where the agent keeps its ledger and the logs of containers. @category constructors */
export const dataDirectory = (
  directory: string,
  look: (directory: string) => Effect.Effect<Space, { readonly message: string }> = spaceOf
): Check => ({
  name: "data-directory",
  ask: Effect.map(look(directory), ({ available, writable }) => {
    const found = `${directory}, ${size(available)} free`
    if (!writable) return problem(`${directory} cannot be written`, "create it with mode 0700 for the account that runs the agent, or name another with --data-dir")
    if (available < noSpace) return problem(found, "free some space: the agent cannot keep its records")
    return available < littleSpace ? warning(found, "container logs may fill it: free some space, or put it on a dataset of its own") : ok(found)
  })
})
