import { assert, describe, it } from "@effect/vitest"
import { Data, Deferred, Effect, FastCheck as fc, Fiber } from "effect"
import * as Saga from "../src/Saga.js"

class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

/** A host that is a set of names. A step fails as often as it is told to, before or after it did its work. */
const world = (present: ReadonlyArray<string> = []) => {
  const things = new Set(present)
  const journal: Array<string> = []
  const step = (
    name: string,
    options: { readonly ensure?: "before" | "after"; readonly remove?: boolean; readonly needs?: ReadonlyArray<string> } = {}
  ): Saga.Step<Broken> => ({
    name,
    exists: Effect.sync(() => things.has(name)),
    ensure: Effect.suspend(() => {
      journal.push(`+${name}`)
      if (options.ensure === "before") return Effect.fail(new Broken({ message: `no ${name}` }))
      things.add(name)
      return options.ensure === "after" ? Effect.fail(new Broken({ message: `half a ${name}` })) : Effect.void
    }),
    remove: Effect.suspend(() => {
      journal.push(`-${name}`)
      if (options.remove === false) return Effect.fail(new Broken({ message: `${name} is busy` }))
      things.delete(name)
      return Effect.void
    }),
    ...(options.needs === undefined ? {} : { needs: options.needs })
  })
  return { things, journal, step }
}

describe("Saga.provision", () => {
  it.effect("makes everything in order, and does so again without harm", () =>
    Effect.gen(function*() {
      const { journal, step, things } = world()
      const steps = [step("dataset"), step("link"), step("zone")]
      yield* Saga.provision("pod", steps)
      yield* Saga.provision("pod", steps)
      assert.deepStrictEqual(journal, ["+dataset", "+link", "+zone", "+dataset", "+link", "+zone"])
      assert.strictEqual(things.size, 3)
    }))

  it.effect("takes back what this attempt made, half made things included, and leaves what was there", () =>
    Effect.gen(function*() {
      const { journal, step, things } = world(["dataset"])
      const error = yield* Effect.flip(Saga.provision("pod", [step("dataset"), step("link"), step("zone", { ensure: "after" })]))
      assert.deepStrictEqual([error.step, error.tag, error.message], ["zone", "Broken", "zone of pod: half a zone"])
      assert.deepStrictEqual(journal, ["+dataset", "+link", "+zone", "-zone", "-link"])
      assert.deepStrictEqual([...things], ["dataset"])
    }))

  it.effect("says what it could not take back", () =>
    Effect.gen(function*() {
      const { step, things } = world()
      const error = yield* Effect.flip(Saga.provision("pod", [step("dataset"), step("link", { remove: false }), step("zone", { ensure: "before" })]))
      assert.strictEqual(error.message, "zone of pod: no zone; not taken back: link: link is busy")
      assert.deepStrictEqual([...things], ["link"])
    }))

  it.effect("takes nothing back when it is interrupted", () =>
    Effect.gen(function*() {
      const { step, things } = world()
      const reached = yield* Deferred.make<void>()
      const slow: Saga.Step<Broken> = { ...step("zone"), ensure: Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never) }
      const fiber = yield* Effect.fork(Saga.provision("pod", [step("dataset"), slow]))
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual([...things], ["dataset"])
    }))
})

describe("Saga.deprovision", () => {
  it.effect("goes on past failures, keeps what something stands on, and reports all of it", () =>
    Effect.gen(function*() {
      const { step, things } = world(["address", "dataset", "link", "zone", "log"])
      const error = yield* Effect.flip(Saga.deprovision("pod", [
        step("address"),
        step("dataset"),
        step("link", { remove: false }),
        step("zone", { remove: false, needs: ["dataset"] }),
        step("log")
      ]))
      assert.strictEqual(error.message, "pod was not removed completely: zone: zone is busy; link: link is busy; kept because of that: dataset")
      assert.deepStrictEqual([...things], ["dataset", "link", "zone"])
    }))

  const names = ["a", "b", "c", "d", "e"]
  it.effect.prop(
    "after any failures a repeated removal leaves nothing behind, and never removed what something stood on",
    [fc.array(fc.record({ stuck: fc.boolean(), needs: fc.subarray(names) }), { minLength: 5, maxLength: 5 })],
    ([plan]) =>
      Effect.gen(function*() {
        const { step, things } = world(names)
        const steps = (broken: boolean) =>
          plan.map(({ needs, stuck }, index) =>
            step(names[index] ?? "", { remove: !(stuck && broken), needs: needs.filter((name) => names.indexOf(name) < index) }))
        yield* Effect.exit(Saga.deprovision("pod", steps(true)))
        for (const { name, needs } of steps(true)) {
          if (things.has(name)) for (const needed of needs ?? []) assert.isTrue(things.has(needed), `${name} stands on ${needed}`)
        }
        yield* Saga.deprovision("pod", steps(false))
        assert.strictEqual(things.size, 0)
      })
  )
})
