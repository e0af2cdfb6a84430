/** A process of its own that uses a host: `worker.ts <directory> <json array of argv> [install delay]`, one after the other. */
import { CommandRunner } from "@reddwarf/runtime-illumos"
import { Console, Effect, Schema } from "effect"
import { SimulatedHost } from "../src/index.js"

const [, , directory = "", json = "[]", delay = "0"] = process.argv
const lines = Schema.decodeUnknownSync(Schema.parseJson(Schema.Array(Schema.Array(Schema.String))))(json)

const program = Effect.gen(function*() {
  const { run } = yield* CommandRunner.CommandRunner
  for (const [name = "", ...args] of lines) {
    const result = yield* run({ program: name, args })
    yield* Console.log(JSON.stringify(result))
  }
})

await Effect.runPromise(Effect.provide(program, SimulatedHost.layer({ directory, installDelay: Number(delay) })))
