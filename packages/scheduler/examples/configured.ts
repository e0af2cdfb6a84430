import { Kinds } from "@reddwarf/api-types"
import { ApiClient, FakeApi } from "@reddwarf/client"
import { ConfiguredScheduler, PluginFactory, Registry, Rejection, Scheduler, SchedulerConfiguration } from "@reddwarf/scheduler"
import { Console, Effect, Layer, Schedule, Schema } from "effect"

/** Nodes whose names begin so take no pods. The prefix comes from the configuration. */
const reservedNames = PluginFactory.make({
  name: "ReservedNames",
  args: Schema.Struct({ prefix: Schema.optionalWith(Schema.NonEmptyString, { default: () => "reserved-" }) }),
  make: ({ prefix }) => ({
    name: "ReservedNames",
    nodeLocal: true,
    requeueOn: ["NodeAdd"],
    filter: (_, node) => node.name.startsWith(prefix) ? Rejection.unresolvable("node(s) were reserved by their name") : undefined
  })
})

/** What a YAML file would hold. */
const file = {
  apiVersion: "kubescheduler.config.k8s.io/v1",
  kind: "KubeSchedulerConfiguration",
  profiles: [{
    schedulerName: "careful",
    plugins: { multiPoint: { enabled: [{ name: "ReservedNames" }], disabled: [{ name: "ImageLocality" }] } },
    pluginConfig: [{ name: "ReservedNames", args: { prefix: "db-" } }]
  }]
}

const scheduler = Layer.unwrapEffect(Effect.map(SchedulerConfiguration.decode(file), (configuration) =>
  ConfiguredScheduler.layer(configuration, {
    registry: Registry.withPlugins(Registry.builtIn, reservedNames),
    identity: "careful-1",
    leaderElect: true
  })))

const program = Effect.gen(function*() {
  const client = yield* ApiClient.ApiClient
  const { explain } = yield* Scheduler.Scheduler
  yield* client.create(Kinds.node, { metadata: { name: "db-1" } })
  yield* client.create(Kinds.pod, {
    metadata: { name: "web", namespace: "default" },
    spec: { schedulerName: "careful", containers: [{ name: "main", image: "example/app:1" }] }
  })
  const answer = Effect.flatMap(Effect.sync(() => explain("default/web")), (found) =>
    found._tag === "Explained" && found.explanation.nodes.length > 0 ? Effect.succeed(found.explanation) : Effect.fail("not known yet" as const))
  const { nodes } = yield* Effect.retry(answer, Schedule.spaced("10 millis"))
  for (const { name, objections } of nodes) yield* Console.log(`${name}: ${objections.map(({ plugin }) => plugin).join(", ")}`)
})

await program.pipe(Effect.provide(Layer.provideMerge(scheduler, FakeApi.layer())), Effect.runPromise)
