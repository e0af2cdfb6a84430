/** The scheduler beside the reference model, over random clusters in which pods come and go and nodes change. */
import { assert, describe, it } from "@effect/vitest"
import type { CoreV1 } from "@reddwarf/api-types"
import { FastCheck as fc } from "effect"
import { ClusterCache, Diagnosis, Explanation, PodInfo, Profile, SchedulingCycle, type Snapshot } from "../src/index.js"
import * as decide from "./reference/decide.js"
import { bind, listersOf, pick, snapshotOf } from "./reference/scheduler.js"
import * as scores from "./reference/scores.js"
import * as worlds from "./reference/worlds.js"
import { empty, nameOf, podsOn, type World } from "./reference/world.js"

const profile = Profile.builtIn
const plugins = profile.plugins.map(({ name }) => name)

/** A cluster as the scheduler keeps it, and the same as the reference model sees it. */
interface Both {
  readonly cache: ClusterCache.ClusterCache
  /** Of earlier decisions; undefined when each is made afresh. */
  readonly memory: SchedulingCycle.Memory | undefined
  readonly random: () => number
  readonly shapes: Array<worlds.PodShape>
  world: World
}

const replacePod = (both: Both, pod: CoreV1.Pod): void => {
  both.cache.setPod(PodInfo.placed(pod), pod.spec?.nodeName ?? "")
  both.world = { ...both.world, pods: both.world.pods.map((each) => each.metadata.uid === pod.metadata.uid ? pod : each) }
}
const dropPod = (both: Both, pod: CoreV1.Pod): void => {
  both.cache.removePod(PodInfo.idOf(pod))
  both.world = { ...both.world, pods: both.world.pods.filter((each) => each !== pod) }
}
const setNode = (both: Both, node: CoreV1.Node): void => {
  both.cache.setNode(node)
  const others = both.world.nodes.filter((each) => nameOf(each) !== nameOf(node))
  both.world = { ...both.world, nodes: [...others, node] }
}

/** Everything that the reference says about one pod must be what the scheduler says. */
const compare = (world: World, info: PodInfo.PodInfo, snapshot: Snapshot.Snapshot, options: SchedulingCycle.Options): string | undefined => {
  const { pod } = info
  const byName = new Map(world.nodes.map((node) => [nameOf(node), node]))
  // Sums do not depend on the order of nodes, messages do neither.
  const ordered = snapshot.nodes.map(({ name }) => byName.get(name)).filter((node) => node !== undefined)
  const here: World = { ...world, nodes: ordered }
  const verdicts = decide.verdicts(here, pod, plugins)
  const fitting = ordered.filter((_, i) => verdicts[i] === undefined)
  const names = fitting.map(nameOf)
  const explained = Explanation.of(profile, info, snapshot)
  const decision = SchedulingCycle.schedule(profile, info, snapshot, options)
  assert.strictEqual(explained.feasible, names.length)
  for (const [i, node] of ordered.entries()) {
    const shown = explained.nodes.find(({ name }) => name === nameOf(node))
    const refusal = explained.refusals[0] ?? shown?.objections[0]
    assert.deepStrictEqual(refusal && { code: refusal.code, reasons: refusal.reasons }, verdicts[i], `${nameOf(node)}: ${JSON.stringify(refusal)} is not ${JSON.stringify(verdicts[i])}`)
  }
  if (decision._tag === "Unschedulable") {
    assert.deepStrictEqual(names, [])
    assert.deepStrictEqual(decision.diagnosis.rejections, verdicts)
    assert.strictEqual(Diagnosis.message(decision.diagnosis), decide.message(here, pod, plugins))
    assert.strictEqual(explained.message, decide.message(here, pod, plugins))
    return undefined
  }
  assert.deepStrictEqual(decision.feasible.map(({ name }) => name), names)
  const totals = decide.totals(here, pod, fitting, plugins, profile.weights)
  for (const [plugin, score] of Object.entries(scores.scores).filter(([name]) => plugins.includes(name))) {
    const wanted = score(here, pod, fitting)
    const given = names.map((name) => explained.nodes.find((node) => node.name === name)?.scores.find((each) => each.plugin === plugin)?.normalized)
    // A plugin that has nothing to say about a pod adds the same to every node.
    if (given.some((each) => each !== undefined)) assert.deepStrictEqual(given, [...wanted], `${plugin} on ${names.join(" ")}`)
    else assert.isTrue(wanted.every((each) => each === wanted[0]), `${plugin} is left out but would have said ${wanted.join(" ")}`)
  }
  assert.strictEqual(totals[names.indexOf(decision.node)], Math.max(...totals), `${decision.node} of ${names.join(" ")}: ${totals.join(" ")}`)
  return decision.node
}

const place = (both: Both, shape: worlds.PodShape, name: string): void => {
  const { cache, memory, random, world } = both
  const pod = worlds.pod(name, shape)
  const info = PodInfo.make(pod)
  const node = compare(world, info, { ...cache.snapshot(), listers: listersOf(world) }, memory === undefined ? { random } : { random, memory })
  if (node === undefined) return
  cache.assume(info, node)
  both.world = { ...both.world, pods: [...both.world.pods, bind(pod, node)] }
}

const play = (both: Both, step: worlds.Step, name: string): void => {
  const { cache, world } = both
  switch (step._tag) {
    case "Place":
      both.shapes.push(step.shape)
      place(both, step.shape, name)
      return
    case "Again": {
      const shape = pick(both.shapes, step.shape)
      if (shape !== undefined) place(both, shape, name)
      return
    }
    case "Delete": {
      const pod = pick(world.pods, step.pod)
      if (pod !== undefined) dropPod(both, pod)
      return
    }
    case "Finish": {
      const pod = pick(world.pods, step.pod)
      if (pod === undefined) return
      cache.removePod(PodInfo.idOf(pod))
      both.world = { ...world, pods: world.pods.map((each) => each === pod ? { ...pod, status: { phase: "Succeeded" } } : each) }
      return
    }
    case "Terminate": {
      const pod = pick(world.pods.filter((each) => each.status?.phase === undefined), step.pod)
      if (pod !== undefined) replacePod(both, { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-02T00:00:00Z" } })
      return
    }
    case "Relabel": {
      const pod = pick(world.pods.filter((each) => each.status?.phase === undefined), step.pod)
      if (pod !== undefined) replacePod(both, { ...pod, metadata: { ...pod.metadata, labels: step.labels } })
      return
    }
    case "Change": {
      const node = pick(world.nodes, step.node)
      if (node !== undefined) setNode(both, worlds.node(nameOf(node), step.shape))
      return
    }
    case "Remove": {
      const node = pick(world.nodes, step.node)
      if (node === undefined || world.nodes.length === 1) return
      cache.removeNode(nameOf(node))
      both.world = { ...world, nodes: world.nodes.filter((each) => each !== node) }
      return
    }
    case "Add":
      setNode(both, worlds.node(name, step.shape))
  }
}

const generator = (seed: number) => {
  let state = seed
  return () => ((state = (state * 1_103_515_245 + 12_345) & 0x7fffffff), state / 0x80000000)
}

describe("the scheduler and the reference model", () => {
  it("agree on nodes, reasons and scores while a cluster lives", () => {
    fc.assert(
      fc.property(worlds.nodes, worlds.surroundings, worlds.steps, fc.integer(), fc.boolean(), (nodes, surroundings, steps, seed, remembers) => {
        const world: World = { ...empty, ...surroundings }
        const memory = remembers ? SchedulingCycle.memory() : undefined
        const both: Both = { cache: ClusterCache.make(), memory, random: generator(seed), shapes: [], world }
        for (const node of nodes) setNode(both, node)
        for (const [i, step] of steps.entries()) play(both, step, `p${i}`)
        for (const { name, pods } of both.cache.snapshot().nodes) {
          const node = both.world.nodes.find((each) => nameOf(each) === name)
          assert.deepStrictEqual(
            pods.map(({ id }) => id).toSorted(),
            node === undefined ? undefined : podsOn(both.world, node).map(PodInfo.idOf).toSorted()
          )
        }
      }),
      { numRuns: 1000 }
    )
  }, 60_000)

  it("agree on clusters that were there from the beginning", () => {
    fc.assert(
      fc.property(worlds.nodes, worlds.surroundings, fc.array(fc.tuple(worlds.podShape, fc.nat(9)), { maxLength: 12 }), worlds.podShape, (nodes, surroundings, placed, shape) => {
        // Nobody asked whether these pods fit: nodes may be overfull, rules may be broken already.
        const pods = placed.map(([each, at], i) => bind(worlds.pod(`p${i}`, each), pick(nodes.map(nameOf), at) ?? ""))
        const world: World = { ...empty, ...surroundings, nodes, pods }
        compare(world, PodInfo.make(worlds.pod("new", shape)), snapshotOf(world), { random: generator(1) })
      }),
      { numRuns: 1000 }
    )
  }, 60_000)

  it("agree on what is allowed where only a part of a large cluster is looked at", () => {
    fc.assert(
      fc.property(fc.array(worlds.nodeShape, { minLength: 2, maxLength: 6 }), worlds.surroundings, fc.array(worlds.podShape, { minLength: 1, maxLength: 6 }), (shapes, surroundings, kinds) => {
        const nodes = Array.from({ length: 130 }, (_, i) => pick(shapes, i)).flatMap((shape, i) => shape === undefined ? [] : [worlds.node(`n${i}`, shape)])
        const both: Both = { cache: ClusterCache.make(), memory: SchedulingCycle.memory(), random: generator(1), shapes: [], world: { ...empty, ...surroundings } }
        for (const node of nodes) setNode(both, node)
        let start = 0
        for (let i = 0; i < 12; i++) {
          const pod = worlds.pod(`p${i}`, pick(kinds, i) ?? assert.fail("no kinds"))
          const info = PodInfo.make(pod)
          const { cache, memory, random, world } = both
          const snapshot = { ...cache.snapshot(), listers: listersOf(world) }
          const decision = SchedulingCycle.schedule(profile, info, snapshot, { start, random, ...(memory === undefined ? {} : { memory }) })
          start = decision.nextStart
          const allowed = decide.feasible(world, pod, plugins).map(nameOf)
          if (decision._tag === "Unschedulable") assert.deepStrictEqual(allowed, [])
          else {
            for (const { name } of decision.feasible) assert.include(allowed, name)
            assert.isAtLeast(decision.feasible.length, Math.min(allowed.length, SchedulingCycle.feasibleNodesToFind(nodes.length)))
            cache.assume(info, decision.node)
            both.world = { ...world, pods: [...world.pods, bind(pod, decision.node)] }
          }
        }
      }),
      { numRuns: 20 }
    )
  }, 60_000)
})
