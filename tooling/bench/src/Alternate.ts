/** Comparisons within one run: the contestants take turns, so that what else the machine does touches all of them. */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Result, run } from "./Load.ts"
import * as Pods from "./Pods.ts"
import { RawConnection } from "./RawClient.ts"
import { creates } from "./Requests.ts"
import { type Server, start } from "./Server.ts"
import { fill, stored } from "./Start.ts"

/** Somebody to be measured. */
interface Contestant {
  readonly name: string
  readonly server: Server
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

const rounds = 3

/** Creates with 64 connections, `rounds` times each in turn; ends with the ratio of the medians of the first to the second. */
const alternate = async (first: Contestant, second: Contestant, count: number): Promise<ReadonlyArray<Result>> => {
  const results: Array<Result> = []
  const speeds = new Map<Contestant, Array<number>>([[first, []], [second, []]])
  for (let round = 0; round < rounds; round++) {
    for (const [contestant, measured] of speeds) {
      const load = creates(64, count, round * count, round === 0 ? 2000 : 200)
      const result = await run(contestant.server, load)
      measured.push(result.perSecond)
      results.push({ ...result, name: `create at 64, ${contestant.name}, round ${String(round + 1)}` })
    }
  }
  const [ours = Number.NaN, theirs = Number.NaN] = [...speeds.values()].map(median)
  const last = results.at(-1)
  if (last !== undefined) results[results.length - 1] = { ...last, note: `${first.name} : ${second.name} = ${(ours / theirs).toFixed(2)} (medians ${ours.toFixed(0)} : ${theirs.toFixed(0)})` }
  return results
}

const BARE = join(import.meta.dirname, "bareServer.ts")

/** Starts the bare server with the certificates of a running one, whose clients it then serves. */
const startBare = async (port: number, beside: Server): Promise<Server> => {
  if (beside.directory === undefined) throw new Error("the bare server needs the certificates of a server that was started for the run")
  const pki = join(beside.directory, "data", "pki")
  const home = mkdtempSync(join(tmpdir(), "reddwarf-bare-"))
  const child = spawn(
    process.execPath,
    [BARE, "--port", String(port), "--data", home, "--cert", join(pki, "apiserver.crt"), "--key", join(pki, "apiserver.key"), "--ca", join(pki, "ca.crt")],
    { stdio: ["ignore", "ignore", "inherit"] }
  )
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  const server: Server = {
    ...beside,
    target: { ...beside.target, port, authority: `${beside.target.host}:${String(port)}` },
    pid: child.pid,
    started: undefined,
    directory: home,
    stop: async () => {
      child.kill("SIGTERM")
      await exited
      rmSync(home, { recursive: true, force: true })
    }
  }
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt++) {
    const connection = await RawConnection.open(server.target).catch(() => undefined)
    if (connection !== undefined) {
      connection.close()
      return server
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await server.stop()
  throw new Error("the bare server did not start")
}

/** The server and a bare one, in turn. */
export const sideBySide = async (port: number, count: number): Promise<ReadonlyArray<Result>> => {
  const server = await start(port)
  try {
    await Pods.prepare(server)
    const bare = await startBare(port + 1, server)
    try {
      return await alternate({ name: "reddwarf-server", server }, { name: "bare server", server: bare }, count)
    } finally {
      await bare.stop()
    }
  } finally {
    await server.stop()
  }
}

/** A server on many stored objects and an empty one, in turn. */
export const besides = async (port: number, objects: number, count: number): Promise<ReadonlyArray<Result>> => {
  const home = mkdtempSync(join(tmpdir(), "reddwarf-full-"))
  try {
    const template = await stored(port, home)
    await fill(home, template, objects)
    const full = await start(port, home)
    try {
      const empty = await start(port + 1)
      try {
        for (const server of [full, empty]) await Pods.prepare(server)
        return await alternate({ name: `${String(objects)} objects`, server: full }, { name: "no objects", server: empty }, count)
      } finally {
        await empty.stop()
      }
    } finally {
      await full.stop()
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}
