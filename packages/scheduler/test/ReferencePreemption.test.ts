/** Preemption beside the reference model: who would have to leave which node, and which node is taken. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { DefaultPreemption, PodInfo, Profile, SchedulingCycle } from "../src/index.js"
import * as Candidates from "../src/preemption/Candidates.js"
import * as preemption from "./reference/preemption.js"
import { bind, pick, snapshotOf } from "./reference/scheduler.js"
import { empty, nameOf, priorityOf, type World } from "./reference/world.js"
import * as worlds from "./reference/worlds.js"

const profile = Profile.builtIn
const plugins = profile.plugins.map(({ name }) => name)

const keyOf = (node: string, victims: ReadonlyArray<string>, violations: number): string => `${node}: ${victims.toSorted().join(" ")} (${violations})`

describe("preemption and the reference model", () => {
  it("agree on victims and nodes", () => {
    fc.assert(
      fc.property(
        worlds.nodes,
        worlds.surroundings,
        worlds.budgets,
        fc.array(fc.tuple(worlds.podShape, fc.nat(9)), { minLength: 4, maxLength: 16, size: "max" }),
        worlds.podShape,
        (nodes, surroundings, budgets, placed, shape) => {
          const pods = placed.map(([each, at], i) => {
            const pod = bind(worlds.pod(`p${i}`, each), pick(nodes.map(nameOf), at) ?? "")
            // No two began at the same time: then it is not certain which of them is the more important.
            return { ...pod, status: { startTime: `2026-01-01T00:${10 + ((i * 7) % 50)}:00Z` } }
          })
          const world: World = { ...empty, ...surroundings, budgets, nodes, pods }
          const info = PodInfo.make(worlds.pod("new", { ...shape, spec: { ...shape.spec, priority: 3 } }))
          const snapshot = snapshotOf(world)
          const decision = SchedulingCycle.schedule(profile, info, snapshot, { random: Math.random })
          if (decision._tag === "Placed") return
          const { diagnosis, trial } = decision
          const { found } = DefaultPreemption.candidates({ pod: info, snapshot, diagnosis, trial, offset: 0 }, DefaultPreemption.usual)
          const wanted = preemption.candidates(world, info.pod, plugins)
          assert.deepStrictEqual(
            found.map(({ node, victims }) => keyOf(node, victims.pods.map(({ id }) => id), victims.violations)).toSorted(),
            wanted.all.map(({ node, victims, violations }) => keyOf(node, victims.map(PodInfo.idOf), violations)).toSorted()
          )
          for (const { victims } of found) assert.isTrue(victims.pods.every(({ pod }) => priorityOf(pod) < 3))
          const chosen = Candidates.choose(found)
          if (chosen !== undefined) assert.include(wanted.best.map(({ node }) => node), chosen.node)
          else assert.deepStrictEqual(wanted.best, [])
        }
      ),
      { numRuns: 1000 }
    )
  }, 60_000)
})
