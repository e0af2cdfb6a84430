/** `reddwarf-server schedule explain`: why a pod goes where it goes, or nowhere. */
import { Args, Command, Options } from "@effect/cli"
import { ApiClient, HttpTransport } from "@reddwarf/client"
import { Console, Effect, Layer, Option, Schema } from "effect"
import { stringify } from "yaml"
import * as KubeconfigOption from "./KubeconfigOption.js"
import * as PlacementTable from "./PlacementTable.js"

/** The server does not explain placements, or answered something else. */
class PlacementUnavailable extends Schema.TaggedError<PlacementUnavailable>()("PlacementUnavailable", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

const group = "scheduling.reddwarf.io"

const fetch = (namespace: string, name: string) =>
  Effect.gen(function*() {
    const client = yield* ApiClient.ApiClient
    const kind = (yield* client.discover).find((known) => known.group === group && known.plural === "podplacements")
    if (kind === undefined) return yield* new PlacementUnavailable({ detail: `the server does not explain placements: it does not serve ${group}` })
    return yield* client.get(kind, { namespace, name })
  })

const print = (answer: unknown, output: "table" | "wide" | "json" | "yaml") => {
  if (output === "json") return Console.log(JSON.stringify(answer, undefined, 2))
  if (output === "yaml") return Console.log(stringify(answer).trimEnd())
  return Effect.flatMap(
    Effect.mapError(
      PlacementTable.decode(answer),
      (cause) => new PlacementUnavailable({ detail: `the server's answer is not a placement: ${cause.message}` })
    ),
    (placement) => Effect.forEach(PlacementTable.lines(placement, output === "wide"), (line) => Console.log(line), { discard: true })
  )
}

const explain = Command.make("explain", {
  pod: Args.text({ name: "POD" }).pipe(Args.withDescription("name of the pod")),
  namespace: Options.text("namespace").pipe(
    Options.withAlias("n"),
    Options.optional,
    Options.withDescription("namespace of the pod; default: that of the kubeconfig")
  ),
  output: Options.choice("output", ["table", "wide", "json", "yaml"]).pipe(
    Options.withAlias("o"),
    Options.withDefault("table" as const),
    Options.withDescription("wide: also what each plugin adds to the score")
  ),
  kubeconfig: KubeconfigOption.option
}, ({ kubeconfig, namespace, output, pod }) =>
  Effect.gen(function*() {
    const config = yield* KubeconfigOption.load(kubeconfig)
    const client = ApiClient.layer.pipe(Layer.provide(HttpTransport.layer(config)))
    const answer = yield* Effect.provide(fetch(Option.getOrElse(namespace, () => config.namespace), pod), client)
    yield* print(answer, output)
  })).pipe(Command.withDescription("Show for one pod what each node lacks, how good it is, and what would have to change"))

export const schedule = Command.make("schedule").pipe(
  Command.withDescription("Ask the scheduler"),
  Command.withSubcommands([explain])
)
