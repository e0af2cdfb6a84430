/** Agents that end at a chosen place of a plan: as if the machine had lost its power there. */
import * as FileSystem from "@effect/platform/FileSystem"
import type { NodeAgent } from "@reddwarf/node-agent"
import { type Plan, type PlanTask, Precedence, TaskHandler } from "@reddwarf/plans"
import * as Effect from "effect/Effect"
import * as h from "./harness.js"

/**
 * A place in a plan: something that the ledger is told. `intent` is its beginning, `end` its end, and otherwise a task is about to begin.
 * `unwritten`: what goes before is done, and nobody will know. `written`: it is on disk, and has no effect yet.
 */
export interface Place {
  readonly what: string
  readonly when: "unwritten" | "written"
}

/** Both places of each of these. */
export const places = (...names: ReadonlyArray<string>): ReadonlyArray<Place> =>
  names.flatMap((what) => [{ what, when: "unwritten" as const }, { what, when: "written" as const }])

/** Tasks of a type of plan that change something; of the others the ledger is told nothing. */
const changing = (type: Plan.PlanType): ReadonlyArray<PlanTask.TaskType> =>
  [...new Set(Precedence.rules[type].tasks)].filter((task) => !TaskHandler.defaultRules[task].readOnly)

/** Every place of a type of plan, as the planner has it: its beginning, before and after each task, its end. */
export const placesOf = (type: Plan.PlanType): ReadonlyArray<Place> => places("intent", ...changing(type), "end")

/** Those at which a plan is struck in the middle of a life: all, or only what nobody may cut off. */
export const strikesOf = (type: Plan.PlanType, whole: boolean): ReadonlyArray<Place> =>
  places(...changing(type).filter((task, at) => whole || at === 0 || !TaskHandler.defaultRules[task].interruptible), "end")

/** A life of an agent ends when every pod is where it shall be next. */
export interface Crashes {
  /** Where the plans of a pod stop, one place for each life of an agent; `dies` strikes with a defect and goes on in the same life. */
  readonly at: Map<string, Array<Place & { readonly dies?: boolean }>>
  readonly fs: FileSystem.FileSystem
  /** Waits until every pod that has a place in this life is there. */
  readonly reached: Effect.Effect<void, h.WaitedInVain>
  /** Whether no life of an agent is to end any more. */
  readonly isOver: () => boolean
  /** Places that no plan came to yet. */
  readonly left: () => ReadonlyArray<Place>
}

const bodyOf = (text: string): { readonly kind?: string; readonly plan?: Pick<Plan.Plan, "tasks">; readonly tasks?: ReadonlyArray<readonly [number, PlanTask.PlanTask]> } =>
  JSON.parse(text.split(" ").slice(4).join(" "))

/** What a piece of the ledger tells of: a line of its log, or a whole record. */
const tellingOf = (path: string, text: string): string | undefined => {
  const { kind, plan, tasks = [] } = bodyOf(text)
  if (kind === "intent") return "intent"
  if (kind === undefined && plan === undefined) return path.endsWith(".tmp") ? "end" : undefined
  return [...plan?.tasks ?? [], ...tasks.map(([, task]) => task)].find(({ deadline, status }) => status === "Pending" && deadline !== undefined)?.type
}

/** Over the ledger of a node; everything else goes to the file system as it is. */
export const make = ({ dataDir }: h.Directories): Effect.Effect<Crashes, never, FileSystem.FileSystem> =>
  Effect.map(FileSystem.FileSystem, (fs) => {
    const folder = `${dataDir}/ledger/pods/`
    const at: Crashes["at"] = new Map()
    const there = new Set<string>()

    const written = (path: string, what: string | undefined, write: ReturnType<FileSystem.File["writeAll"]>) =>
      Effect.suspend(() => {
        const uid = path.slice(folder.length).replace(/\.(?:log|tmp)$/, "")
        const [next, ...later] = at.get(uid) ?? []
        if (next === undefined || there.has(uid) || what !== next.what) return write
        at.set(uid, later)
        const strike = next.dies === true
          ? Effect.die(new Error(`struck at ${next.what}`))
          // The ledger lets nobody interrupt it; a lost power does not ask.
          : Effect.zipRight(Effect.sync(() => void there.add(uid)), Effect.interruptible(Effect.never))
        return next.when === "unwritten" ? strike : Effect.zipRight(write, strike)
      })

    const toldIn = (path: string, bytes: Uint8Array) => tellingOf(path, new TextDecoder().decode(bytes).trimEnd())

    const watched = (path: string, file: FileSystem.File): FileSystem.File =>
      new Proxy(file, {
        get: (target, key) => {
          if (key === "writeAll") return (bytes: Uint8Array) => written(path, toldIn(path, bytes), target.writeAll(bytes))
          const found: unknown = Reflect.get(target, key, target)
          return typeof found === "function" ? found.bind(target) : found
        }
      })

    return {
      at,
      fs: {
        ...fs,
        open: (path, options) => Effect.map(fs.open(path, options), (file) => path.startsWith(folder) && options?.flag !== "r" ? watched(path, file) : file),
        writeFile: (path, bytes, options) => path.startsWith(folder) ? written(path, toldIn(path, bytes), fs.writeFile(path, bytes, options)) : fs.writeFile(path, bytes, options),
        // After the last of all plans its records go, and the log goes first.
        remove: (path, options) => path.startsWith(folder) && path.endsWith(".log") ? written(path, "end", fs.remove(path, options)) : fs.remove(path, options)
      },
      reached: Effect.suspend(() => {
        const expected = [...at].filter(([, rest]) => rest.some(({ dies }) => dies !== true)).map(([uid]) => uid)
        return h.until(
          "every plan to be where it shall stop",
          Effect.sync(() => expected.every((uid) => there.has(uid)) ? true : undefined),
          30
        ).pipe(
          Effect.mapError((error) => new h.WaitedInVain({ what: error.what, seconds: error.seconds, last: JSON.stringify([...at].filter(([uid]) => !there.has(uid))) })),
          Effect.zipRight(Effect.sync(() => there.clear()))
        )
      }),
      isOver: () => there.size === 0 && [...at.values()].every((rest) => rest.every(({ dies }) => dies === true)),
      left: () => [...at.values()].flat()
    }
  })

type Life = Effect.Effect.Success<ReturnType<typeof h.agent>>

/** One life of an agent. */
export const life = (folders: h.Directories, crashes: Crashes, changes: Partial<NodeAgent.Options> = {}): ReturnType<typeof h.agent> =>
  h.agent(folders, { parallelism: 32, shutdownGrace: 0, gateProbeInterval: "500 millis", networkInterval: "500 millis", ...changes }).pipe(Effect.provideService(FileSystem.FileSystem, crashes.fs))

/** Lives of agents, one after the other, until no place is left; gives the last one, which nothing ends. */
export const lives = (
  folders: h.Directories,
  crashes: Crashes,
  first?: Life,
  changes: Partial<NodeAgent.Options> = {}
): Effect.Effect<Life, Effect.Effect.Error<ReturnType<typeof h.agent>> | h.WaitedInVain, Effect.Effect.Context<ReturnType<typeof h.agent>>> =>
  Effect.gen(function*() {
    let agent = first ?? (yield* life(folders, crashes, changes))
    while (!crashes.isOver()) {
      yield* crashes.reached
      yield* agent.stop
      agent = yield* life(folders, crashes, changes)
    }
    return agent
  })
