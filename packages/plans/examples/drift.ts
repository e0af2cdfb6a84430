import { GateClient, InstanceWriter, Observation, PlanLedger, TaskHandler, TaskRegistry, ZoneInstance, ZoneReconciler } from "@reddwarf/plans"
import { Console, Effect, Layer, Option } from "effect"

/** The host: one zone, whose filter was lost. */
const host = { filter: false }

let object: ZoneInstance.ZoneInstance = {
  apiVersion: ZoneInstance.apiVersion,
  kind: ZoneInstance.kind,
  metadata: { name: "web", namespace: "default", finalizers: [ZoneInstance.finalizer] },
  spec: { podUID: "7c0e", nodeName: "node-1", brand: "lx", containers: [], specHash: "1" },
  status: { phase: "Running" }
}

/** Where plans are shown. In an agent this is the API. */
const writer = Layer.succeed(InstanceWriter.InstanceWriter, {
  read: () => Effect.sync(() => Option.some(object)),
  ensureFinalizer: Effect.succeed,
  removeFinalizer: () => Effect.void,
  removeAnnotations: Effect.succeed,
  patchStatus: (instance, status) =>
    Effect.sync(() => {
      object = { ...instance, status }
      return object
    })
})

/** A task says whether it is done, and does it. */
const tasks = TaskRegistry.make([
  TaskHandler.fromEffect({ type: "ensure-vnic", done: () => Effect.succeed(true), run: () => Effect.void }),
  TaskHandler.fromEffect({ type: "ensure-address", done: () => Effect.succeed(true), run: () => Effect.void }),
  TaskHandler.fromEffect({
    type: "ensure-filter",
    done: () => Effect.sync(() => host.filter),
    run: () => Effect.zipRight(Console.log("  the filter is set"), Effect.sync(() => void (host.filter = true)))
  })
])

const observe = (): Effect.Effect<Observation.Observation> =>
  Effect.sync(() => ({
    zone: Observation.known({ state: "running", shouldRun: true }),
    digests: Observation.known({}),
    resolved: Observation.known({}),
    network: Observation.known({ faults: host.filter ? [] : ["no filter"] }),
    config: Observation.unknown("not looked at"),
    caps: Observation.unknown("not looked at"),
    companions: Observation.known([])
  }))

const program = Effect.gen(function*() {
  const zones = yield* ZoneReconciler.make({
    tasks,
    observe,
    gateClient: () => Effect.fail(new GateClient.GateClientUnavailable({ detail: "this pod has no gates" }))
  })
  for (let pass = 1; pass <= 3; pass++) {
    yield* zones.pass("default/web")
    const { lastPlan, plan } = object.status ?? {}
    yield* Console.log(`pass ${pass}: plan ${plan?.type ?? "none"}, last ${lastPlan === undefined ? "none" : `${lastPlan.type} ${lastPlan.outcome}`}`)
  }
})

await program.pipe(Effect.scoped, Effect.provide([writer, PlanLedger.layerMemory]), Effect.runPromise)
