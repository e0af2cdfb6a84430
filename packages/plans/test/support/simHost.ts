/** A small model of a host with one zone: what tasks change, what can be seen, and where things go wrong. */
import { Deferred, Effect } from "effect"
import { Observation, PlanError, type PlanTask, TaskHandler, TaskRegistry, type ZoneInstance } from "@reddwarf/plans"

type TaskType = PlanTask.TaskType

export interface Root {
  readonly digest: string
  readonly tag: string
}

export interface Ticks {
  /** Called around every effect; never comes back when the agent is killed there. */
  readonly tick: (label: string) => Effect.Effect<void>
}

export class SimHost {
  state: Observation.ZoneState = "absent"
  shouldRun = true
  root: Root | undefined
  staged: Root | undefined
  previous: Array<Root> = []
  snapshots: Array<string> = []
  images = new Set<string>()
  liveCaps: Record<string, number> = {}
  persistedCaps: Record<string, number> = {}
  networkFaults: Array<string> = ["no link"]
  configCurrent = "c1"
  configWanted = "c1"
  companionFault: string | undefined
  capsChange: "possible" | "infeasible" | "deferred" = "possible"
  capsRestart = false
  datasets = false
  dataVolume = true
  zonecfg = false
  boots = 0
  halts = 0
  installs = 0
  pid = 100
  restarts = 0
  /** Digests of images that do not boot. */
  readonly broken = new Set<string>()
  /** Failures left per task; `Infinity` for ever. */
  readonly failures = new Map<string, number>()
  readonly terminal = new Set<string>()
  /** Tasks that never end. */
  readonly hanging = new Set<string>()
  readonly unknown = new Set<keyof Observation.Observation>()
  readonly journal: Array<string> = []
  rootsActive = 0
  mostRootsActive = 0
  ip = "10.0.0.7"

  resolved: Record<string, string> = {}

  observation(_instance: ZoneInstance.ZoneInstance): Observation.Observation {
    const fact = <A>(name: keyof Observation.Observation, value: A): Observation.Fact<A> =>
      this.unknown.has(name) ? Observation.unknown("cannot look") : Observation.known(value)
    return {
      zone: fact("zone", { state: this.state, name: "z1", shouldRun: this.shouldRun }),
      digests: fact("digests", this.root === undefined || this.root.digest === "" ? {} : { app: this.root.digest }),
      resolved: fact("resolved", this.resolved),
      network: fact("network", { vnic: "net0", ip: this.ip, faults: this.state === "absent" ? [] : [...this.networkFaults] }),
      config: fact("config", { current: this.configCurrent, wanted: this.configWanted, apply: true }),
      caps: this.state === "running"
        ? fact("caps", { live: { ...this.liveCaps }, change: this.capsChange, restart: this.capsRestart })
        : Observation.unknown("the zone does not run"),
      companions: fact("companions", [{ name: "logs", ...(this.companionFault === undefined ? {} : { fault: this.companionFault }) }]),
      restarts: this.restarts,
      ...(this.previous[0] === undefined ? {} : { previous: { app: this.previous[0].digest } })
    }
  }

  crash(): void {
    this.state = this.state === "running" ? "installed" : this.state
  }

  boot(): void {
    if (this.state === "running") throw new Error("booted a zone that runs")
    this.state = "running"
    this.boots += 1
    this.pid += 1
    this.liveCaps = { ...this.persistedCaps }
  }
}

const digestOf = (params: PlanTask.TaskParams): string => {
  const digests = params["digests"]
  return typeof digests === "object" && digests !== null && "app" in digests ? String(digests.app) : ""
}

const planIdOf = (params: PlanTask.TaskParams): string => String(params["planId"])

const capsOf = (params: PlanTask.TaskParams): Record<string, number> => ({ ...(params["caps"] as Record<string, number>) })

interface Step {
  readonly done?: (params: PlanTask.TaskParams) => boolean
  readonly run: (params: PlanTask.TaskParams, context: TaskHandler.TaskContext) => void
  readonly undo?: (params: PlanTask.TaskParams) => void
}

const fail = (task: TaskType, detail: string) => new PlanError.TaskFailed({ task, reason: "Simulated", detail })

/** What each task does to the model. */
const steps = (host: SimHost): Partial<Record<TaskType, Step>> => ({
  "resolve-image": { run: () => {} },
  "pull-image": {
    done: (params) => images(params).every(({ digest }) => digest !== undefined && host.images.has(digest)),
    run: (params) => {
      for (const { digest } of images(params)) if (digest !== undefined) host.images.add(digest)
    }
  },
  "ensure-datasets": { done: () => host.datasets, run: () => void (host.datasets = true) },
  "ensure-network": { done: () => host.networkFaults.length === 0, run: () => void (host.networkFaults = []) },
  "ensure-vnic": { done: () => host.networkFaults.length === 0, run: () => void (host.networkFaults = []) },
  "ensure-address": { done: () => true, run: () => {} },
  "ensure-filter": { done: () => true, run: () => {} },
  "write-zonecfg": {
    done: () => host.zonecfg,
    run: (params) => {
      host.zonecfg = true
      host.persistedCaps = capsOf(params)
      if (host.state === "absent") host.state = "configured"
    }
  },
  "install-zone": {
    done: () => host.state === "installed" || host.state === "running",
    run: (_params, { plan }) => {
      host.installs += 1
      host.root = { digest: plan.target.digests["app"] ?? "", tag: plan.id }
      host.state = "installed"
    }
  },
  "boot-zone": {
    done: () => host.state === "running",
    run: () => {
      if (host.root !== undefined && host.broken.has(host.root.digest)) throw fail("boot-zone", "init exited")
      host.boot()
    }
  },
  "wait-init": { run: () => {} },
  "snapshot-root": { done: (params) => host.snapshots.includes(planIdOf(params)), run: (params) => void host.snapshots.push(planIdOf(params)) },
  "stage-root": {
    done: (params) => host.staged?.tag === planIdOf(params),
    run: (params) => void (host.staged = { digest: digestOf(params), tag: planIdOf(params) }),
    undo: (params) => {
      if (host.staged?.tag === planIdOf(params)) host.staged = undefined
    }
  },
  "pre-stop": { done: () => host.state !== "running", run: () => {} },
  "halt-zone": {
    done: () => host.state !== "running" && host.state !== "shutting_down" && host.state !== "down",
    run: () => {
      host.state = "installed"
      host.halts += 1
    }
  },
  "swap-root": {
    done: (params) => host.root?.digest === digestOf(params),
    run: (params) => {
      if (host.state === "running") throw fail("swap-root", "the zone runs")
      if (params["rollback"] === true) {
        const [kept, ...rest] = host.previous
        if (kept === undefined) throw fail("swap-root", "no kept root")
        host.root = kept
        host.previous = rest
        return
      }
      if (host.staged === undefined || host.staged.digest !== digestOf(params)) throw fail("swap-root", "nothing staged")
      if (host.root !== undefined) host.previous = [host.root, ...host.previous]
      host.root = host.staged
      host.staged = undefined
    }
  },
  "observe-image": {
    run: (params) => {
      if (host.root?.digest !== digestOf(params)) throw fail("observe-image", `runs ${host.root?.digest ?? "nothing"}`)
    }
  },
  "commit": {
    run: (params) => {
      host.previous = host.previous.slice(0, Number(params["keepPrevious"]))
      host.snapshots = []
    }
  },
  "render-files": { run: () => void (host.configCurrent = host.configWanted) },
  "reload-or-restart": { run: () => {} },
  "set-caps-live": { run: (params) => void (host.liveCaps = capsOf(params)) },
  "persist-zonecfg": { run: (params) => void (host.persistedCaps = capsOf(params)) },
  "observe-caps": {
    run: (params) => {
      for (const [name, value] of Object.entries(capsOf(params))) {
        if (host.liveCaps[name] !== value) throw fail("observe-caps", `${name} is ${host.liveCaps[name]}`)
      }
    }
  },
  "repair-companion": { done: () => host.companionFault === undefined, run: () => void (host.companionFault = undefined) },
  "uninstall-zone": {
    done: () => host.state === "absent" || host.state === "configured",
    run: () => {
      host.state = "configured"
      host.root = undefined
      host.staged = undefined
      host.previous = []
    }
  },
  "delete-zonecfg": {
    done: () => host.state === "absent",
    run: () => {
      host.state = "absent"
      host.zonecfg = false
    }
  },
  "remove-network": { run: () => void (host.networkFaults = ["no link"]) },
  "destroy-datasets": { done: () => !host.datasets, run: () => void (host.datasets = false) }
})

const images = (params: PlanTask.TaskParams) => params["images"] as ReadonlyArray<{ readonly digest?: string }>

/** Handlers for every task, with the faults of the host. */
export const registry = (host: SimHost, { tick }: Ticks): TaskRegistry.TaskRegistry =>
  TaskRegistry.make(Object.entries(steps(host)).map(([name, step]) => {
    const type = name as TaskType
    const effect = (params: PlanTask.TaskParams, context: TaskHandler.TaskContext) =>
      Effect.gen(function*() {
        yield* tick(`before ${type}`)
        yield* host.hanging.has(type) ? Effect.never : Effect.void
        const left = host.failures.get(type) ?? 0
        if (left > 0) {
          host.failures.set(type, left - 1)
          const error = new PlanError.TaskFailed({ task: type, reason: "Simulated", detail: "it failed", terminal: host.terminal.has(type) })
          return yield* error
        }
        host.journal.push(type)
        yield* Effect.try({
          try: () => step.run(params, context),
          catch: (error) => error instanceof PlanError.TaskFailed ? error : fail(type, String(error))
        })
        return yield* tick(`after ${type}`)
      })
    const { done, undo } = step
    return TaskHandler.fromEffect({
      type,
      run: effect,
      ...(done === undefined ? {} : { done: (params: PlanTask.TaskParams) => Effect.sync(() => done(params)) }),
      ...(undo === undefined ? {} : { undo: (params: PlanTask.TaskParams) => Effect.sync(() => undo(params)) })
    })
  }))

/** Kills the agent at the `at`-th effect. */
export const killer = () => {
  const state = { count: 0, at: Number.POSITIVE_INFINITY, labels: [] as Array<string>, killed: Deferred.unsafeMake<void>(undefined as never) }
  const ticks: Ticks = {
    tick: (label) =>
      Effect.suspend(() => {
        state.count += 1
        state.labels.push(label)
        return state.count === state.at ? Effect.zipRight(Deferred.succeed(state.killed, undefined), Effect.never) : Effect.void
      })
  }
  return { state, ticks }
}
