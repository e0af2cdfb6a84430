import { assert, describe, it } from "@effect/vitest"
import { FakeApi } from "@reddwarf/client"
import { Effect, Either } from "effect"
import { ConfiguredProfiles, PluginFactory, Profile, Registry, SchedulerConfiguration } from "../src/index.js"

const header = { apiVersion: "kubescheduler.config.k8s.io/v1", kind: "KubeSchedulerConfiguration" }

const decoded = (fields: object) => SchedulerConfiguration.decode({ ...header, ...fields })

/** The profiles of a configuration, or what is wrong with it. */
const profilesOf = (fields: object, registry = Registry.builtIn) =>
  Effect.flatMap(decoded(fields), (configuration) => ConfiguredProfiles.make(configuration, registry)).pipe(
    Effect.either,
    Effect.scoped,
    Effect.provide(FakeApi.layer())
  )

const only = (profiles: Either.Either<ReadonlyArray<Profile.Profile>, unknown>): Profile.Profile => {
  const [profile] = Either.getOrThrow(profiles)
  assert(profile !== undefined)
  return profile
}

const refusal = (fields: object) => Effect.map(profilesOf(fields), (result) => Either.getOrThrow(Either.flip(result)).message)

describe("scheduler configuration", () => {
  it.effect("says nothing, means the built-in profile", () =>
    Effect.gen(function*() {
      const profile = only(yield* profilesOf({}))
      assert.deepStrictEqual(profile.plugins.map(({ name }) => name), Profile.builtInPlugins.map(({ name }) => name))
      assert.strictEqual(profile.schedulerName, "default-scheduler")
      for (const [name, weight] of Object.entries(Profile.builtInWeights)) assert.strictEqual(profile.weights.get(name), weight, name)
      const { leaderElection, podInitialBackoffSeconds, podMaxBackoffSeconds } = SchedulerConfiguration.defaults
      assert.deepStrictEqual([podInitialBackoffSeconds, podMaxBackoffSeconds], [1, 10])
      assert.deepStrictEqual(leaderElection, {
        leaseDuration: 15_000,
        renewDeadline: 10_000,
        retryPeriod: 2_000,
        resourceLock: "leases",
        resourceName: "kube-scheduler",
        resourceNamespace: "kube-system"
      })
    }))

  it.effect("enables, disables and weighs plugins", () =>
    Effect.gen(function*() {
      const plugins = {
        multiPoint: { enabled: [{ name: "ImageLocality", weight: 7 }], disabled: [{ name: "DefaultPreemption" }] },
        score: { enabled: [{ name: "NodeAffinity", weight: 9 }], disabled: [{ name: "NodeResourcesFit" }] }
      }
      const profile = only(yield* profilesOf({ percentageOfNodesToScore: 30, profiles: [{ schedulerName: "mine", plugins }] }))
      const byName = new Map(profile.plugins.map((plugin) => [plugin.name, plugin]))
      assert.isFalse(byName.has("DefaultPreemption"))
      assert.deepStrictEqual([profile.weights.get("ImageLocality"), profile.weights.get("NodeAffinity")], [7, 9])
      const fit = byName.get("NodeResourcesFit")
      assert.isTrue(fit?.filter !== undefined || fit?.preFilter !== undefined)
      assert.isUndefined(fit?.score)
      assert.isUndefined(fit?.preScore)
      assert.strictEqual(profile.percentageOfNodesToScore, 30)
      assert.strictEqual(profile.schedulerName, "mine")
    }))

  it.effect("makes a profile of nothing but what is named", () =>
    Effect.gen(function*() {
      const plugins = {
        multiPoint: { disabled: [{ name: "*" }] },
        queueSort: { enabled: [{ name: "PrioritySort" }] },
        filter: { enabled: [{ name: "NodeResourcesFit" }] }
      }
      const profile = only(yield* profilesOf({ profiles: [{ plugins }] }))
      assert.deepStrictEqual(profile.plugins.map(({ name }) => name), ["PrioritySort", "NodeResourcesFit"])
      assert.isUndefined(profile.plugins[1]?.score)
    }))

  it.effect("takes plugins that a program brings along", () =>
    Effect.gen(function*() {
      const registry = Registry.withPlugins(Registry.builtIn, PluginFactory.of({ name: "Mine", filter: () => undefined }))
      const profile = only(yield* profilesOf({ profiles: [{ plugins: { multiPoint: { enabled: [{ name: "Mine" }] } } }] }, registry))
      assert.strictEqual(profile.plugins.at(-1)?.name, "Mine")
    }))

  it.effect("names the field that is wrong", () =>
    Effect.gen(function*() {
      const profile = (fields: object) => refusal({ profiles: [fields] })
      assert.match(yield* refusal({ profils: [] }), /^scheduler configuration: profils: is unexpected/)
      assert.match(yield* refusal({ leaderElection: { leaseDuration: "soon" } }), /leaderElection\.leaseDuration: "soon" is no time; write it like 15s or 1m30s/)
      assert.match(yield* refusal({ leaderElection: { leaseDuration: "5s" } }), /leaderElection\.renewDeadline: must be shorter than leaseDuration/)
      assert.match(yield* refusal({ podInitialBackoffSeconds: 20 }), /podMaxBackoffSeconds: is 10, less than podInitialBackoffSeconds \(20\)/)
      assert.match(yield* refusal({ percentageOfNodesToScore: 101 }), /^scheduler configuration: percentageOfNodesToScore: Expected/)
      assert.match(yield* refusal({ profiles: [{}, {}] }), /profiles\.1\.schedulerName: default-scheduler is there already/)
      assert.match(
        yield* profile({ plugins: { filter: { enabled: [{ name: "Nope" }] } } }),
        /^scheduler configuration: profiles\.0\.plugins\.filter\.enabled\.0\.name: there is no plugin Nope; there are ActualUsage, /
      )
      assert.match(yield* profile({ pluginConfig: [{ name: "Nope" }] }), /profiles\.0\.pluginConfig\.0\.name: there is no plugin Nope/)
      assert.match(
        yield* profile({ pluginConfig: [{ name: "NodeResourcesFit", args: { scoringStrategy: { type: "Roomiest" } } }] }),
        /^scheduler configuration: profiles\.0\.pluginConfig\.0\.args\.scoringStrategy\.type: Expected one of "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio", actual "Roomiest"$/
      )
      assert.match(
        yield* profile({ pluginConfig: [{ name: "InterPodAffinity", args: { hardPodAffinityWeight: 500 } }] }),
        /profiles\.0\.pluginConfig\.0\.args\.hardPodAffinityWeight: /
      )
      assert.match(yield* profile({ plugins: { queueSort: { disabled: [{ name: "*" }] } } }), /profiles\.0\.plugins\.queueSort: no plugin sorts the queue/)
      assert.match(
        yield* profile({ plugins: { preFilter: { disabled: [{ name: "NodeAffinity" }] } } }),
        /profiles\.0\.plugins\.preFilter: preFilter and filter of NodeAffinity go together/
      )
    }))

  it("reads times as Go writes them", () => {
    const configuration = Either.getOrThrow(decoded({ leaderElection: { leaderElect: true, leaseDuration: "1m30s", renewDeadline: "1.5s", retryPeriod: "250ms" } }))
    const { leaseDuration, renewDeadline, retryPeriod } = configuration.leaderElection
    assert.deepStrictEqual([leaseDuration, renewDeadline, retryPeriod], [90_000, 1_500, 250])
  })
})
