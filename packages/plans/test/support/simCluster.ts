/** An API with one object, a host with one zone, and agents that come and go. */
import {
  type Gate,
  GateClient,
  InstanceWriter,
  type Observation,
  PlanError,
  PlanLedger,
  type PlanTask,
  ZoneInstance,
  ZoneReconciler
} from "@reddwarf/plans"
import { Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Option, Scope, TestClock } from "effect"
import { settle } from "vitest-config/waiting"
import { killer, registry, SimHost } from "./simHost.js"

export const key = "default/web"

export const specOf = (more: Partial<ZoneInstance.Spec> = {}): ZoneInstance.Spec => ({
  podUID: "uid-1",
  nodeName: "node-1",
  brand: "lx",
  containers: [{ name: "app", image: "app:1", digest: "sha256:1" }],
  specHash: "h1",
  ...more
})

export const instanceOf = (spec: Partial<ZoneInstance.Spec> = {}, status?: ZoneInstance.Status): ZoneInstance.ZoneInstance => ({
  apiVersion: ZoneInstance.apiVersion,
  kind: "ZoneInstance",
  metadata: { name: "web", namespace: "default", uid: "zi-1", generation: 1, resourceVersion: "1", finalizers: [ZoneInstance.finalizer] },
  spec: specOf(spec),
  ...(status === undefined ? {} : { status })
})

export type Ledger = Context.Tag.Service<PlanLedger.PlanLedger>

/** A process of the agent; the scope is its life. */
export interface Agent {
  readonly reconciler: ZoneReconciler.ZoneReconciler
  readonly scope: Scope.CloseableScope
}

/** A gate that answers as told. */
export class SimGate {
  /** HTTP status of the next probes; approvals set it to 200 when they work. */
  code = 200
  approvalCode = 202
  opensOnApproval = true
  unreachable = false
  readonly approvals: Array<string> = []
  probes = 0
}

export interface Cluster {
  readonly host: SimHost
  readonly gates: Map<string, SimGate>
  object: ZoneInstance.ZoneInstance | undefined
  reachable: boolean
  /** What a patch waits for. */
  answering: Effect.Effect<void>
  patches: number
  finalizerRemoved: boolean
  clientAvailable: boolean
  readonly events: Array<string>
  readonly edit: (change: (spec: ZoneInstance.Spec) => ZoneInstance.Spec, annotations?: Record<string, string>) => void
  readonly status: () => ZoneInstance.Status
}

export interface Settings {
  readonly spec?: Partial<ZoneInstance.Spec>
  readonly gates?: ReadonlyArray<string>
  readonly noGateClient?: boolean
  readonly options?: Partial<ZoneReconciler.Options>
}

export const gate = (name: string, approval: Gate.Approval = "Always"): Gate.Gate => ({
  name,
  probe: { httpGet: { port: 7777, path: "/healthz" } },
  approve: { httpPost: { port: 7777, path: "/tasks", format: "task" } },
  approval
})

/** How often an agent looks, and at most: a test that needs more never converges. */
const mostPasses = 400

export const make = (settings: Settings = {}) =>
  Effect.sync(() => {
    const host = new SimHost()
    const kill = killer()
    const gates = new Map((settings.spec?.gates ?? []).map(({ name }) => [name, new SimGate()]))
    let version = 1
    const cluster: Cluster = {
      host,
      gates,
      object: instanceOf(settings.spec),
      reachable: true,
      answering: Effect.void,
      patches: 0,
      finalizerRemoved: false,
      clientAvailable: true,
      events: [],
      edit: (change, annotations) => {
        if (cluster.object === undefined) throw new Error("the object is gone")
        const { metadata, spec } = cluster.object
        version += 1
        cluster.object = {
          ...cluster.object,
          spec: change(spec),
          metadata: {
            ...metadata,
            generation: (metadata.generation ?? 0) + 1,
            resourceVersion: String(version),
            annotations: { ...metadata.annotations, ...annotations }
          }
        }
      },
      status: () => cluster.object?.status ?? {}
    }
    const write = (
      instance: ZoneInstance.ZoneInstance,
      change: (object: ZoneInstance.ZoneInstance) => ZoneInstance.ZoneInstance
    ): Effect.Effect<ZoneInstance.ZoneInstance, InstanceWriter.WriteError> =>
      Effect.suspend((): Effect.Effect<ZoneInstance.ZoneInstance, InstanceWriter.WriteError> => {
        if (!cluster.reachable) return Effect.fail(new PlanError.InstanceUnreachable({ key, detail: "down" }))
        if (cluster.object === undefined) return Effect.fail(new PlanError.InstanceGone({ key }))
        if (cluster.object.metadata.resourceVersion !== instance.metadata.resourceVersion) {
          return Effect.fail(new PlanError.InstanceConflict({ key }))
        }
        version += 1
        const changed = change(cluster.object)
        cluster.object = { ...changed, metadata: { ...changed.metadata, resourceVersion: String(version) } }
        return Effect.succeed(cluster.object)
      })
    const { tick } = kill.ticks
    const around = <A, E>(label: string, effect: Effect.Effect<A, E>) =>
      Effect.zipRight(tick(`before ${label}`), Effect.zipLeft(effect, tick(`after ${label}`)))
    const writer = InstanceWriter.InstanceWriter.of({
      read: () =>
        Effect.suspend(() =>
          cluster.reachable
            ? Effect.succeed(Option.fromNullable(cluster.object))
            : Effect.fail(new PlanError.InstanceUnreachable({ key, detail: "down" }))
        ),
      ensureFinalizer: (instance) =>
        write(instance, (object) => ({ ...object, metadata: { ...object.metadata, finalizers: [ZoneInstance.finalizer] } })),
      removeFinalizer: (instance) =>
        Effect.asVoid(Effect.tap(write(instance, (object) => object), () =>
          Effect.sync(() => {
            cluster.object = undefined
            cluster.finalizerRemoved = true
          }))),
      removeAnnotations: (instance, names) =>
        write(instance, (object) => ({
          ...object,
          metadata: {
            ...object.metadata,
            annotations: Object.fromEntries(Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !names.includes(name)))
          }
        })),
      patchStatus: (instance, status) =>
        around(
          "patch",
          Effect.tap(
            // As the wire does it.
            Effect.suspend(() => cluster.answering).pipe(Effect.zipRight(write(instance, (object) => ({ ...object, status: JSON.parse(JSON.stringify(status)) as ZoneInstance.Status })))),
            () => Effect.sync(() => void (cluster.patches += 1))
          )
        )
    })
    const client: GateClient.GateClient = {
      probe: ({ name }) =>
        Effect.sync(() => {
          const it = gates.get(name)
          if (it === undefined || it.unreachable || host.state !== "running") return { _tag: "Unreachable", detail: "refused" } as const
          it.probes += 1
          return { _tag: "Status", code: it.code } as const
        }),
      approve: ({ name }, id) =>
        Effect.sync(() => {
          const it = gates.get(name)
          if (it === undefined || it.unreachable) return { _tag: "Unreachable", detail: "refused" } as const
          it.approvals.push(id)
          if (it.opensOnApproval && it.approvalCode < 300) it.code = 200
          return { _tag: "Status", code: it.approvalCode } as const
        })
    }

    /** Starts an agent on a ledger; the scope is its life. */
    const start = (ledger: Ledger): Effect.Effect<Agent, PlanError.LedgerFailed> =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const watched = PlanLedger.PlanLedger.of({
          ...ledger,
          save: (instance) => around("ledger save", ledger.save(instance)),
          intent: (instance) => around("ledger intent", ledger.intent(instance)),
          accepted: (uid, id) => around("ledger accepted", ledger.accepted(uid, id)),
          tasks: (...args) => around("ledger tasks", ledger.tasks(...args)),
          ended: (instance) => around("ledger ended", ledger.ended(instance)),
          remove: (uid) => around("ledger remove", ledger.remove(uid))
        })
        const reconciler = yield* ZoneReconciler.make({
          tasks: registry(host, kill.ticks),
          observe: (instance) => Effect.sync(() => host.observation(instance)),
          events: (_instance, { reason }) => Effect.sync(() => void cluster.events.push(reason)),
          uidOf: () => "uid-1",
          ...(settings.noGateClient === true ? {} : {
            gateClient: () =>
              cluster.clientAvailable
                ? Effect.succeed(client)
                : Effect.fail(new GateClient.GateClientUnavailable({ detail: "no address" }))
          }),
          ...settings.options
        }).pipe(
          Effect.provideService(PlanLedger.PlanLedger, watched),
          Effect.provideService(InstanceWriter.InstanceWriter, writer),
          Scope.extend(scope)
        )
        return { reconciler, scope }
      })

    /** One pass, and the time until the next one. Undefined: the agent was killed in it. */
    const pass = (agent: Agent) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(Effect.raceFirst(
          Effect.asSome(agent.reconciler.pass(key)),
          Effect.as(Deferred.await(kill.state.killed), Option.none<ZoneReconciler.Requeue>())
        ))
        // A pass waits a moment for a task that hangs; nothing else in it takes time.
        while (host.hanging.size > 0) {
          yield* settle
          if (fiber.unsafePoll() !== null) break
          yield* TestClock.adjust("1 second")
        }
        return yield* Fiber.join(fiber)
      })
    const elapse = (requeue: ZoneReconciler.Requeue) =>
      TestClock.adjust(requeue._tag === "After" ? requeue.delay : Duration.seconds(30))

    /** Passes until nothing has to be done, and then some. Gives the number of passes. */
    const settleWith = (agent: Agent, isSettled: () => boolean = () => isQuiet(cluster)): Effect.Effect<number> =>
      Effect.gen(function*() {
        for (let count = 1; count <= mostPasses; count++) {
          const requeue = yield* Effect.orDie(pass(agent))
          if (Option.isNone(requeue)) return -count
          yield* elapse(requeue.value)
          if (isSettled()) return count
        }
        return yield* Effect.dieMessage(`never settled: ${JSON.stringify({ status: cluster.status(), state: host.state })}`)
      })

    /** Another agent may be killed. */
    const revive = Effect.map(Deferred.make<void>(), (killed) => void (kill.state.killed = killed))

    return { cluster, host, gates, kill: kill.state, revive, start, pass, elapse, settleWith, writer }
  })

export const stop = ({ scope }: Agent) => Scope.close(scope, Exit.void)

/** No plan is active, nothing waits for a time, and the zone runs as wanted. */
export const isQuiet = ({ host, object }: Cluster): boolean =>
  object === undefined || (object.status?.plan === undefined && object.status?.phase === "Running" && host.state === "running" &&
    object.status.current?.specHash === object.spec.specHash)

export const memoryLedger = Effect.map(Layer.build(PlanLedger.layerMemory), Context.get(PlanLedger.PlanLedger))

/** What the host is in the end, apart from counts. */
export const hostState = ({ companionFault, configCurrent, datasets, liveCaps, networkFaults, persistedCaps, previous, root, staged, state, zonecfg }: SimHost) => ({
  companionFault,
  configCurrent,
  datasets,
  liveCaps,
  networkFaults,
  persistedCaps,
  previous: previous.map(({ digest }) => digest),
  root: root?.digest,
  staged: staged?.digest,
  state,
  zonecfg
})

export const typesOf = (tasks: ReadonlyArray<{ readonly type: PlanTask.TaskType }> = []) => tasks.map(({ type }) => type)

export type { Observation }
