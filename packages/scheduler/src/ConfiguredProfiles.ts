/** Makes the profiles that a configuration describes. */
import type { ApiClient } from "@reddwarf/client"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Profile from "./Profile.js"
import type { Registry } from "./Registry.js"
import {
  InvalidSchedulerConfiguration,
  type PluginSet,
  type Point,
  points,
  type ProfileConfiguration,
  type SchedulerConfiguration
} from "./SchedulerConfiguration.js"
import type { SchedulerPlugin } from "./SchedulerPlugin.js"

interface Problem {
  readonly path: string
  readonly detail: string
}

/** What a point of the configuration is among the functions of a plugin. Filter and score are one with their preparation. */
const functions: Readonly<Record<Point, ReadonlyArray<Exclude<keyof SchedulerPlugin, "name" | "requeueOn" | "uses" | "nodeLocal">>>> = {
  preEnqueue: ["preEnqueue"],
  queueSort: ["queueSort"],
  preFilter: [],
  filter: ["preFilter", "filter"],
  postFilter: ["postFilter"],
  preScore: [],
  score: ["preScore", "score", "normalizeScores"],
  reserve: ["reserve", "unreserve"],
  permit: ["permit"],
  preBind: ["preBindWait", "preBind"],
  bind: ["bind"],
  postBind: ["postBind"]
}

const all: ReadonlySet<Point> = new Set(points)
const nothing: PluginSet = { enabled: [], disabled: [] }

interface Selected {
  readonly name: string
  readonly points: ReadonlySet<Point>
  readonly weight: number | undefined
}

const removes = ({ disabled }: PluginSet, name: string): boolean => disabled.some((each) => each.name === name || each.name === "*")

/** Which plugins, in order, take part at which points. */
const select = ({ plugins }: ProfileConfiguration, registry: Registry): ReadonlyArray<Selected> => {
  const multiPoint = plugins.multiPoint ?? nothing
  const chosen = new Map<string, { readonly points: Set<Point>; weight: number | undefined }>()
  for (const name of registry.defaults) if (!removes(multiPoint, name)) chosen.set(name, { points: new Set(all), weight: undefined })
  for (const { name, weight } of multiPoint.enabled) {
    const known = chosen.get(name)
    if (known === undefined) chosen.set(name, { points: new Set(all), weight })
    else known.weight = weight
  }
  for (const point of points) {
    const set = plugins[point] ?? nothing
    for (const [name, each] of chosen) if (removes(set, name)) each.points.delete(point)
    for (const { name, weight } of set.enabled) {
      const known = chosen.get(name)
      if (known === undefined) chosen.set(name, { points: new Set([point]), weight })
      else known.points.add(point)
      const now = chosen.get(name)
      if (now !== undefined && weight !== undefined) now.weight = weight
    }
  }
  return Array.from(chosen, ([name, each]) => ({ name, ...each }))
}

/** The plugin without the functions of the points at which it takes no part. */
const restricted = (plugin: SchedulerPlugin, { points: wanted }: Selected): SchedulerPlugin => {
  if (wanted.size === all.size) return plugin
  const copy: { -readonly [K in keyof SchedulerPlugin]: SchedulerPlugin[K] } = { ...plugin }
  for (const point of points) if (!wanted.has(point)) for (const name of functions[point]) delete copy[name]
  return copy
}

const isNamed = (set: PluginSet | undefined, list: "enabled" | "disabled", name: string): boolean =>
  set !== undefined && (list === "enabled" ? set.enabled.some((each) => each.name === name) : removes(set, name))

/** A preparation has no life of its own here: it goes with what it prepares. */
const pairs = [["preFilter", "filter"], ["preScore", "score"]] as const

const problemsOfPlugins = ({ plugins }: ProfileConfiguration, selected: ReadonlyArray<Selected>, registry: Registry): ReadonlyArray<Problem> => {
  const problems: Array<Problem> = []
  const known = [...registry.factories.keys()].sort().join(", ")
  for (const point of ["multiPoint", ...points] as const) {
    const set = plugins[point] ?? nothing
    for (const list of ["enabled", "disabled"] as const) {
      for (const [i, { name }] of set[list].entries()) {
        const path = `plugins.${point}.${list}.${i}.name`
        if (registry.factories.has(name) || (name === "*" && list === "disabled")) continue
        problems.push({ path, detail: `there is no plugin ${name}; there are ${known}` })
      }
    }
  }
  for (const { name, points: at } of selected) {
    for (const [before, main] of pairs) {
      const parted = (isNamed(plugins[before], "disabled", name) && at.has(main)) || (isNamed(plugins[before], "enabled", name) && !at.has(main))
      if (parted) problems.push({ path: `plugins.${before}`, detail: `${before} and ${main} of ${name} go together; enable or disable both` })
    }
  }
  return problems
}

const problemsOfArgs = ({ pluginConfig }: ProfileConfiguration, registry: Registry): ReadonlyArray<Problem> =>
  pluginConfig.flatMap(({ name }, i) => {
    const path = `pluginConfig.${i}.name`
    if (!registry.factories.has(name)) return [{ path, detail: `there is no plugin ${name}` }]
    return pluginConfig.findIndex((each) => each.name === name) < i ? [{ path, detail: `the arguments of ${name} are there already` }] : []
  })

const at = (prefix: string) => (problem: Problem): Problem => ({ path: `${prefix}.${problem.path}`, detail: problem.detail })

const invalid = (problems: ReadonlyArray<Problem>) => new InvalidSchedulerConfiguration({ problems })

const makeProfile = Effect.fnUntraced(function*(
  profile: ProfileConfiguration,
  prefix: string,
  registry: Registry,
  percentageOfNodesToScore: number
): Effect.fn.Return<Profile.Profile, InvalidSchedulerConfiguration, ApiClient.ApiClient | Scope.Scope> {
  const selected = select(profile, registry)
  const problems = [...problemsOfPlugins(profile, selected, registry), ...problemsOfArgs(profile, registry)]
  if (problems.length > 0) return yield* invalid(problems.map(at(prefix)))

  const plugins: Array<SchedulerPlugin> = []
  const weights: Record<string, number> = {}
  for (const each of selected) {
    const factory = registry.factories.get(each.name)
    if (factory === undefined || each.points.size === 0) continue
    const given = profile.pluginConfig.findIndex(({ name }) => name === each.name)
    const plugin = yield* Effect.mapError(factory.make(profile.pluginConfig[given]?.args ?? {}), (error) =>
      invalid(error.problems.map(({ detail, path }) => ({
        path: `${prefix}.pluginConfig.${given}.args${path === "" ? "" : `.${path}`}`,
        detail
      }))))
    plugins.push(restricted(plugin, each))
    // A weight of 0 means the usual one, as in Kubernetes.
    weights[plugin.name] = (each.weight ?? 0) === 0 ? registry.weights[plugin.name] ?? 1 : each.weight ?? 1
  }
  if (!plugins.some(({ queueSort }) => queueSort !== undefined)) {
    return yield* invalid([{ path: `${prefix}.plugins.queueSort`, detail: "no plugin sorts the queue; enable one, such as PrioritySort" }])
  }
  return yield* Either.mapLeft(
    Profile.make({
      schedulerName: profile.schedulerName,
      plugins,
      weights,
      percentageOfNodesToScore: profile.percentageOfNodesToScore ?? percentageOfNodesToScore
    }),
    ({ detail }) => invalid([{ path: `${prefix}.plugins`, detail }])
  )
})

/**
 * The profiles of a configuration, their plugins made from their arguments. Fails with the path of what a profile gets wrong.
 *
 * @category constructors
 */
export const make = Effect.fnUntraced(function*(
  configuration: SchedulerConfiguration,
  registry: Registry
): Effect.fn.Return<ReadonlyArray<Profile.Profile>, InvalidSchedulerConfiguration, ApiClient.ApiClient | Scope.Scope> {
  const profiles = yield* Effect.forEach(configuration.profiles, (profile, i) =>
    makeProfile(profile, `profiles.${i}`, registry, configuration.percentageOfNodesToScore))
  const sorts = profiles.map(({ plugins }) => plugins.find(({ queueSort }) => queueSort !== undefined)?.name)
  const different = sorts.findIndex((name) => name !== sorts[0])
  if (different > 0) {
    return yield* invalid([{
      path: `profiles.${different}.plugins.queueSort`,
      detail: `${sorts[different]} sorts the queue here, ${sorts[0]} in the first profile; all profiles share one queue, so give them the same`
    }])
  }
  return profiles
})
