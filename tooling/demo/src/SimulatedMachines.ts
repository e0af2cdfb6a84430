/** The machines of the demo: one agent on one simulated illumos host each. Stopping the demo is their power switch. */
import { FileSystem } from "@effect/platform"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { join } from "node:path"
import { type Options, podCidr } from "./Options.ts"
import { keepRunning, programs, runProgram } from "./Processes.ts"

const home = (options: Options, index: number): string => join(options.directory, `agent-${String(index)}`)

/** Runs one host command on the machine of a node. */
export const host = (options: Options, index: number, ...command: ReadonlyArray<string>) =>
  runProgram(programs.agent, ["host", "--data-dir", home(options, index), "--", ...command])

/** Zone names and their states, as `zoneadm list -cp` of the machine tells. */
export const zoneStates = (options: Options, index: number) =>
  Effect.map(host(options, index, "zoneadm", "list", "-cp"), (text) =>
    new Map(text.split("\n").flatMap((line) => {
      const [, name, state] = line.split(":")
      return name === undefined || state === undefined || name === "global" ? [] : [[name, state] as const]
    })))

const decodeLeases = Schema.decode(Schema.parseJson(Schema.Struct({ cidr: Schema.String })))

/** The pods' addresses of a node: those it has leased from before, whatever the port was then, or else those of this port. */
const addressesOf = (options: Options, index: number) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const [leases = ""] = (yield* fs.readFileString(join(home(options, index), "addresses.json"))).split("\n")
    return (yield* decodeLeases(leases)).cidr
  }).pipe(Effect.orElseSucceed(() => podCidr(options, index)))

/** Issues the node's credentials and starts its agent. */
export const startAgent = (options: Options, index: number) =>
  Effect.gen(function*() {
    const node = `node-${String(index)}`
    const kubeconfig = join(home(options, index), "kubeconfig")
    const fs = yield* FileSystem.FileSystem
    yield* fs.makeDirectory(home(options, index), { recursive: true, mode: 0o700 })
    yield* runProgram(programs.server, [
      "kubeconfig", "--data-dir", join(options.directory, "server"), "--server", `https://127.0.0.1:${String(options.port)}`, "--node", node, "--out", kubeconfig
    ])
    return yield* keepRunning(options.directory, `agent-${String(index)}`, programs.agent, [
      "run",
      "--kubeconfig", kubeconfig,
      "--node-name", node,
      "--data-dir", home(options, index),
      "--host", "sim",
      "--kubelet-bind", "127.0.0.1:0", "--healthz-port", "0",
      "--pod-cidr", yield* addressesOf(options, index)
    ])
  })

/** Halts every zone and ends the supervisor, as turning a machine off does. Called after its agent has stopped. */
export const powerOff = (options: Options, index: number) =>
  runProgram(programs.agent, ["stop-zones", "--data-dir", home(options, index)])
