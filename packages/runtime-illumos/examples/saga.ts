import { Saga } from "@reddwarf/runtime-illumos"
import { Console, Data, Effect } from "effect"

class NoSpace extends Data.TaggedError("NoSpace")<{ readonly message: string }> {}

// A host that is a set of names, and that has no room for a zone today.
const host = new Set<string>()
const step = (name: string, needs: ReadonlyArray<string> = []): Saga.Step<NoSpace> => ({
  name,
  needs,
  exists: Effect.sync(() => host.has(name)),
  ensure: name === "zone" ? Effect.fail(new NoSpace({ message: "the pool is full" })) : Effect.sync(() => void host.add(name)),
  remove: Effect.sync(() => void host.delete(name))
})

const program = Effect.gen(function*() {
  const failed = yield* Effect.flip(Saga.provision("web", [step("dataset"), step("link"), step("zone", ["dataset", "link"])]))
  yield* Console.log(failed.message)
  yield* Console.log(`left behind: ${host.size}`)
})

await Effect.runPromise(program)
